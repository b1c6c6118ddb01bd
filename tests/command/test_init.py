"""`relogin init` as a person runs it where there is nothing to describe, or nobody to ask."""

import pytest

from tests.command.folder import Folder
from tests.core.ssh_server import serving_ssh


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["web1.invalid"], 64, "there is no such inventory, or it has no hosts"),
        (["web*", "--inventory", "inventory.py"], 64, "no host is left by --limit web*"),
        (["127.0.0.1", "--ssh-port", "9"], 1, "127.0.0.1: "),
    ],
)
def test_who_cannot_be_asked_is_one_line_and_nothing_is_written(
    folder: Folder, words: list[str], code: int, said: str
) -> None:
    done = folder.run("init", *words)
    assert code == done.returncode, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder.home / "inventories").exists()


def test_a_host_whose_answer_makes_no_sense_is_1(folder: Folder) -> None:
    known = {"ssh_known_hosts_file": "/dev/null", "ssh_strict_host_key_checking": "off"}
    with serving_ssh("echo nothing of yours runs here; exit 3") as port:
        way = {"ssh_hostname": "127.0.0.1", "ssh_port": port, "ssh_user": "me"}
        folder.hosts(("web1", {**way, "ssh_password": "any", **known, "_sudo": False}))
        done = folder.run("init", "web1", "--inventory", "inventory.py")
    assert 1 == done.returncode, done.stderr
    assert "the host did not run our script" in done.stderr
