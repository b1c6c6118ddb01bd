"""The login that is sent beside the look: when it is, when it is not, and how many there are."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.command.folder import BIN, LOCAL, PASSWORD, Folder
from tests.command.test_run import WELL, ended, headlines, over_ssh
from tests.core.ssh_server import serving_ssh

RESTORE = "relogin.deploys.restore_access.restore_access"
# Holds up a look until a login was asked for, and says whether one was.
HELD_UP = """\
n=0
while [ ! -e {asked} ] && [ $n -lt {tenths} ]; do n=$((n + 1)); sleep 0.1; done
[ -e {asked} ] && echo with >>{looks} || echo without >>{looks}
"""


class Looks:
    """What the host notes of each look: whether a login was asked for while it ran."""

    def __init__(self, folder: Folder, tmp_path: Path, *, tenths: int = 10) -> None:
        self.file = tmp_path / "looks"
        self.asked = folder.backend.asked = tmp_path / "asked"
        known = {"asked": self.asked, "looks": self.file}
        self.script = HELD_UP.format(tenths=tenths, **known)

    @property
    def noted(self) -> list[str]:
        return self.file.read_text().split() if self.file.exists() else []

    def forget(self) -> None:
        """Note the next run's looks anew."""
        for file in (self.file, self.asked):
            file.unlink(missing_ok=True)


def pyinfra(folder: Folder, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [BIN / "pyinfra", *words, "inventory.py", RESTORE],
        cwd=folder.home, env=folder.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_the_login_of_a_restore_is_sent_while_the_host_looks(folder, tmp_path):
    looks = Looks(folder, tmp_path, tenths=200)
    with serving_ssh(looks.script, forwards=True) as port:
        folder.hosts(("web1", over_ssh(port)))
        code, [headline] = ended(folder.run("restore", "inventory.py"))
    assert (0, WELL.replace("@local", "web1")) == (code, headline)
    assert ["with"] == looks.noted
    assert [True, False] == folder.backend.logins  # the proof's own wrong password comes last


def test_so_is_that_of_plain_pyinfra_which_does_not_ask_first(folder, tmp_path):
    looks = Looks(folder, tmp_path, tenths=200)
    with serving_ssh(looks.script, forwards=True) as port:
        folder.hosts(("web1", over_ssh(port)))
        done = pyinfra(folder, "-y")
    assert [0, "Traceback" in done.stderr] == [done.returncode, False], done.stderr
    assert ["with"] == looks.noted
    assert [True, False] == folder.backend.logins


def test_a_dry_run_looks_first(folder, tmp_path):
    looks = Looks(folder, tmp_path)
    with serving_ssh(looks.script, forwards=True) as port:
        folder.hosts(("web1", over_ssh(port)))
        assert 0 == pyinfra(folder, "--dry").returncode
    assert ["without"] == looks.noted
    assert [True] == folder.backend.logins


@pytest.mark.parametrize("option", ["--dry", "--debug-operations"])
def test_nothing_is_asked_where_pyinfra_will_run_nothing(folder, tmp_path, option):
    looks = Looks(folder, tmp_path)
    with serving_ssh(looks.script, forwards=True) as port:
        folder.hosts(("web1", over_ssh(port)))
        done = pyinfra(folder, option, "-y")
    assert 0 == done.returncode, done.stderr
    assert [] == looks.noted
    assert [] == folder.backend.logins


@pytest.mark.parametrize("command", ["restore", "diagnose", "drift"])
def test_on_this_machine_it_is_sent_beside_the_look_as_well(folder, tmp_path, command):
    looks = Looks(folder, tmp_path, tenths=200)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "df").write_text(f'#!/bin/sh\n{looks.script}\nPATH=${{PATH#*:}} exec df "$@"\n')
    (programs / "df").chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    assert 0 == folder.run("restore", "inventory.py").returncode
    looks.forget()
    code, [headline] = ended(folder.run(command, "inventory.py", PATH=path))
    assert (0, WELL) == (code, headline)
    assert {"with"} == {*looks.noted}


def test_diagnose_looks_first_unless_the_last_run_proved_the_login(folder, tmp_path):
    """Sent before it, a login that fails would have to be sent again for the log's sake."""
    looks = Looks(folder, tmp_path)
    seen = []
    with serving_ssh(looks.script, forwards=True) as port:
        folder.hosts(("web1", over_ssh(port)))
        for code in (0, 0, 3, 3):
            looks.forget()
            folder.backend.logins.clear()
            folder.backend.lets_in = PASSWORD if code == 0 else "another one"
            assert code == folder.run("diagnose", "inventory.py").returncode
            seen.append((looks.noted[0], sum(folder.backend.logins)))
    assert [("without", 1), ("with", 1), ("with", 2), ("without", 1)] == seen


def test_no_host_waits_for_another_ones_look(folder, tmp_path):
    """The login that the slow one's look waits for is the other one's: its own comes behind it."""
    looks = Looks(folder, tmp_path, tenths=200)
    with serving_ssh(forwards=True) as fast, serving_ssh(looks.script, forwards=True) as slow:
        folder.hosts(("slow", over_ssh(slow)), ("fast", over_ssh(fast)))
        assert 0 == folder.run("diagnose", "inventory.py").returncode
    assert ["with"] == looks.noted


@pytest.mark.parametrize("mode", ["live", "dead"])
@pytest.mark.parametrize("forwards", [True, False], ids=["forwarded", "relayed"])
def test_the_host_is_asked_no_more_often_than_without(folder, mode, forwards):
    tried = []
    with serving_ssh(forwards=forwards) as port:
        for host in (LOCAL, ("web1", over_ssh(port))):
            folder.hosts(host)
            folder.env.write_text(f"MODE={mode}\n")
            assert 0 == folder.run("restore", "inventory.py").returncode
            tried.append(folder.backend.logins.copy())
            folder.backend.logins.clear()
    assert tried[0] == tried[1]


def test_a_login_that_fails_adds_no_attempt_where_something_is_found(folder):
    folder.backend.lets_in = "another one"
    tried = []
    with serving_ssh(forwards=True) as port:
        for host in (LOCAL, ("web1", over_ssh(port))):
            folder.hosts(host)
            folder.env.write_text("MODE=dead\n")
            assert 3 == folder.run("restore", "inventory.py").returncode
            tried.append(folder.backend.logins.copy())
            folder.backend.logins.clear()
    assert [[True, True], [True, True]] == tried


def test_a_login_that_fails_for_no_reason_found_is_sent_again_behind_the_look(folder):
    """What the backend logs of it is looked for in what its log grew by since the look."""
    folder.backend.lets_in = "another one"
    with serving_ssh(forwards=True) as port:
        folder.hosts(("web1", over_ssh(port)))
        assert 3 == folder.run("restore", "inventory.py").returncode
    assert [True, True] == folder.backend.logins


def test_a_header_from_the_env_file_is_sent_beside_the_look_as_it_is_declared(folder, tmp_path):
    looks = Looks(folder, tmp_path, tenths=200)
    with serving_ssh(looks.script, forwards=True) as port:
        folder.hosts(("web1", over_ssh(port)), headers="{'X-Mode': FromEnv('MODE')}")
        assert 0 == folder.run("restore", "inventory.py").returncode
    assert ["with"] == looks.noted
    assert [True, False] == folder.backend.logins
    assert ["live", "live"] == folder.backend.modes


def test_where_the_host_has_another_value_the_login_is_tried_with_that_one(folder):
    folder.env.write_text("MODE=dead\n")
    with serving_ssh(forwards=True) as port:
        folder.hosts(("web1", over_ssh(port)), headers="{'X-Mode': FromEnv('MODE')}")
        done = folder.run("restore", "inventory.py")
    assert (0, "MODE=live\n") == (done.returncode, folder.env.read_text())
    assert ["live", "dead", "live", "live"] == folder.backend.modes


def test_a_header_that_only_the_host_knows_waits_for_the_look(folder, tmp_path):
    folder.env.write_text("MODE=live\nCODE=the-hosts-own\n")
    looks = Looks(folder, tmp_path)
    with serving_ssh(looks.script, forwards=True) as port:
        host, keys = ("web1", over_ssh(port)), "{'MODE': 'live', 'CODE': Secret.kept()}"
        folder.hosts(host, headers="{'X-Mode': FromEnv('CODE')}", keys=keys)
        assert 0 == folder.run("restore", "inventory.py").returncode
    assert ["without"] == looks.noted
    assert ["the-hosts-own", "the-hosts-own"] == folder.backend.modes


def test_a_host_that_cannot_be_looked_at_ends_as_without_it(folder):
    with serving_ssh("exit 1", forwards=True) as port:
        folder.hosts(("web1", over_ssh(port)))
        done = folder.run("restore", "inventory.py")
    assert (1, ["web1 · mine: the login is not proven"]) == (done.returncode, headlines(done))
    assert "Traceback" not in done.stderr
