"""Clocks that jump: the control machine's, while the host's is right. Nothing breaks or hangs."""

import json
import os
import platform
import time
from pathlib import Path

import jsonschema
import pytest

from relogin.report.files import schema
from tests.command.folder import Folder
from tests.command.test_run import ended, over_ssh
from tests.core.ssh_server import serving_ssh

DAY = 86400
_LIBRARY = Path(f"/usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketime.so.1")


@pytest.fixture(autouse=True)
def _library() -> None:
    if not _LIBRARY.exists() and os.getenv("RELOGIN_LAB") != "required":
        pytest.skip("no libfaketime here (Debian, Ubuntu: apt-get install faketime)")


def clock(folder: Folder, seconds: int) -> dict[str, str]:
    """Give the environment of a control machine whose clock is off, until `jump` sets it anew.

    A clock that is set moves CLOCK_REALTIME alone (clock_settime(2)).
    """
    jump(folder, seconds)
    own = {"LD_PRELOAD": str(_LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(folder.home / "clock")}
    return {**own, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def jump(folder: Folder, seconds: int) -> None:
    (folder.home / "clock").write_text(f"{seconds:+d}\n")


def broken(folder: Folder, port: int) -> None:
    folder.hosts(("web1", over_ssh(port)))
    folder.env.write_text("MODE=dead\n")


@pytest.mark.parametrize(("command", "off"), [("restore", -3650 * DAY), ("drift", 3650 * DAY)])
def test_a_host_is_mended_from_a_machine_whose_clock_is_wrong(folder, command, off) -> None:
    with serving_ssh() as port:
        broken(folder, port)
        done = folder.run(command, "inventory.py", **clock(folder, off))
    code, [headline] = ended(done)
    assert (0 if command == "restore" else 2) == code, done.stdout
    assert headline.startswith("web1 · mine: people can log in again"), done.stdout
    assert "MODE=live\n" == folder.env.read_text()


@pytest.mark.parametrize("by", [-DAY, DAY])
def test_a_clock_that_jumps_in_the_middle_of_a_run_neither_ends_nor_holds_it(folder, by) -> None:
    begun = time.monotonic()
    jumps = f"printf '%s\\n' {by:+d} >{folder.home}/clock"
    with serving_ssh(jumps) as port:
        broken(folder, port)
        done = folder.run("restore", "inventory.py", "--json", **clock(folder, 0))
    assert 0 == done.returncode, done.stderr
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema()).validate(document)
    [host] = document["hosts"]
    [backend] = host["backends"]
    assert ("proven", 1) == (host["outcome"], len(backend["changes"]))
    assert abs(backend["changes"][0]["began"] - document["began"] - by) < 60
    assert 0 < document["seconds"] < time.monotonic() - begun < 60
    assert "MODE=live\n" == folder.env.read_text()


def drift(folder: Folder, off: int) -> int:
    folder.env.write_text("MODE=dead\n")
    return folder.run("drift", "inventory.py", **clock(folder, off)).returncode


def test_what_was_mended_an_hour_ahead_cools_down_and_years_ahead_holds_nothing_up(folder) -> None:
    with serving_ssh() as port:
        broken(folder, port)
        assert 2 == drift(folder, 3650 * DAY)
        assert 2 == drift(folder, 3600)
        assert 4 == drift(folder, 0)
        assert "MODE=dead\n" == folder.env.read_text()


def test_it_is_disabled_for_as_long_as_was_said_by_the_hosts_clock(folder) -> None:
    with serving_ssh() as port:
        broken(folder, port)
        words = ("disable", "inventory.py", "--reason", "we look", "--until", "2h")
        late = folder.run(*words, **clock(folder, -DAY))
        assert (1, True) == (late.returncode, "and that is over: one clock is wrong" in late.stderr)
        assert 0 == folder.run(*words).returncode
        assert 4 == folder.run("restore", "inventory.py", **clock(folder, DAY)).returncode
        assert "MODE=dead\n" == folder.env.read_text()
