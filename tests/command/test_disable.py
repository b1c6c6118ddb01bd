"""disable and enable: kept on the host, and honoured by every run, also by plain pyinfra."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from relogin.report.files import schema
from tests.command.folder import BIN, LOCAL, Folder
from tests.command.test_run import NOWHERE

WHY = "the database is being moved; ask Ada"


def disable(folder: Folder, *words: str) -> "subprocess.CompletedProcess[str]":
    return folder.run("disable", "inventory.py", "--reason", WHY, *words)


def kept(folder: Folder) -> Path:
    """Without root it is in the state folder of the user on the host: here that is this one."""
    return folder.home / "state/relogin/mine/disabled"


def backend_of(folder: Folder, code: int, command: str) -> dict[str, Any]:
    done = folder.run(command, "inventory.py", "--json")
    assert code == done.returncode, done.stderr
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema()).validate(document)
    return dict(document["hosts"][0]["backends"][0])


def pyinfra(folder: Folder, deploy: str) -> "subprocess.CompletedProcess[str]":
    words = [BIN / "pyinfra", "inventory.py", f"relogin.deploys.{deploy}.{deploy}", "-y"]
    return subprocess.run(
        words, cwd=folder.home, env=folder.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["restore", "drift"])
def test_nothing_is_changed_while_it_is_disabled_and_that_is_said_with_4(folder, command) -> None:
    assert 0 == disable(folder).returncode
    folder.env.write_text("MODE=dead\n")
    found = backend_of(folder, 4, command)
    assert ("refused", []) == (found["outcome"], found["changes"])
    assert f"until it is enabled again: {WHY}" in found["disabled"]
    [finding] = found["findings"]
    assert found["disabled"] == finding["held"]
    assert found["proof"]["proven"]
    assert "wrong-password" not in {one["name"] for one in found["proof"]["checks"]}
    assert "MODE=dead\n" == folder.env.read_text()


def test_looking_goes_on_and_shows_it(folder: Folder) -> None:
    disable(folder)
    done = folder.run("diagnose", "inventory.py")
    assert 0 == done.returncode
    assert "  Disabled\n    disabled by " in done.stdout


def test_plain_pyinfra_honours_it_and_fails_the_host(folder: Folder) -> None:
    disable(folder)
    folder.env.write_text("MODE=dead\n")
    done = pyinfra(folder, "restore_access")
    assert (1, "MODE=dead\n") == (done.returncode, folder.env.read_text())
    assert WHY in done.stderr


def test_enabled_again_it_is_mended(folder: Folder) -> None:
    disable(folder)
    folder.env.write_text("MODE=dead\n")
    done = folder.run("enable", "inventory.py")
    assert (0, False) == (done.returncode, kept(folder).exists())
    assert "" == backend_of(folder, 0, "restore")["disabled"]
    assert "MODE=live\n" == folder.env.read_text()


def test_it_ends_by_itself_by_the_hosts_clock(folder: Folder) -> None:
    disable(folder, "--until", "2h")
    until, *_ = kept(folder).read_text().splitlines()
    assert abs(int(until) - time.time() - 7200) < 120
    backend_of(folder, 4, "restore")
    kept(folder).write_text(f"{int(time.time()) - 1}\nada@here\n{WHY}\n")
    assert "" == backend_of(folder, 0, "restore")["disabled"]


def test_what_cannot_be_read_is_taken_for_disabled(folder: Folder) -> None:
    """It would be a guess that nobody meant it."""
    kept(folder).parent.mkdir(parents=True)
    kept(folder).write_text("nonsense\n")
    folder.env.write_text("MODE=dead\n")
    found = backend_of(folder, 4, "restore")
    assert "whether somebody has disabled it cannot be seen" in found["disabled"]
    assert "MODE=dead\n" == folder.env.read_text()


def test_it_is_private_on_the_host_and_one_line_each(folder: Folder) -> None:
    folder.run("disable", "inventory.py", "--reason", "two\nlines; $(touch pwned) `id` 'x'")
    assert 0o600 == kept(folder).stat().st_mode & 0o777
    until, by, why = kept(folder).read_text().splitlines()
    assert ("0", "two\\nlines; $(touch pwned) `id` 'x'") == (until, why)
    assert by.endswith(f"@{os.uname().nodename}")
    assert not (folder.home / "pwned").exists()


def test_a_host_beyond_reach_is_1_and_the_others_are_disabled_which_outranks_it(folder) -> None:
    folder.hosts(("web2", NOWHERE), LOCAL)
    assert (1, True) == (disable(folder).returncode, kept(folder).exists())
    assert 4 == folder.run("restore", "inventory.py").returncode


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--until", "yesterday"], "is no moment"),
        (["--until", "2001-01-01"], "is over already"),
        (["--until", "0h"], "is over already"),
    ],
)
def test_a_moment_that_is_none_is_64_and_nothing_is_touched(folder, words, said) -> None:
    done = disable(folder, *words)
    assert (64, False) == (done.returncode, kept(folder).exists())
    assert said in done.stderr


def test_without_a_reason_it_is_64(folder: Folder) -> None:
    assert 64 == folder.run("disable", "inventory.py").returncode


def test_the_fact_tells_it_alone(folder: Folder) -> None:
    disable(folder)
    words = [BIN / "pyinfra", "inventory.py", "fact", "relogin.facts.hold.Disabled", "backend=mine"]
    done = subprocess.run(
        words, cwd=folder.home, env=folder.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f'"reason": "{WHY}"' in done.stdout + done.stderr
