"""A command on its way over SSH: what login scripts write, what breaks, and what takes too long."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.core.ssh_server import serving_ssh
from tests.line import Line

REPOSITORY = Path(__file__).parents[2]
SILENT = "! no sign of life from the host for 1.5 s"
CLOSED = "! the connection failed: SSHException: SSH session not active"
BROKEN = "! the connection was lost before the answer was complete"


def asked(port: int, *scripts: str, **wanted: Any) -> dict[str, Any]:
    """Ask in a process of its own; nothing but the answer may be printed."""
    argv = [sys.executable, "-m", "tests.core.asking", str(port)]
    done = subprocess.run(
        [*argv, json.dumps({**wanted, "scripts": scripts})],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "" == done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def said(login: str | None, *scripts: str, **wanted: Any) -> list[str]:
    with serving_ssh(login) as port:
        found: list[str] = asked(port, *scripts, **wanted)["said"]
        return found


NOISE = {
    "a banner": "echo Welcome!",
    "one without a line's end": "printf Welcome",
    "one that is not UTF-8": r"printf 'Gr\374\337e\n\377\376'",
    "one with NULs and escapes": r"printf '\0\033[2J\0\n'",
    "one that looks like an answer": r"printf '\n#relogin 2\nit\tYQ==\n'",
    "many words on stderr": "yes warning | head -c 300000 >&2",
    "a megabyte of words": "yes hello | head -c 1000000",
}


@pytest.mark.parametrize("login", NOISE.values(), ids=NOISE.keys())
def test_what_a_login_script_writes_does_no_harm(login):
    assert ["hello\n", "again\n"] == said(login, "echo hello", "echo again")


def test_a_child_that_holds_the_output_open_is_not_waited_for():
    with serving_ssh("sleep 30 & :") as port:
        found = asked(port, "echo hello")
    assert ["hello\n"] == found["said"]
    assert found["seconds"] < 25


GONE = "This account is currently not available."


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        (f"echo '{GONE}'; exit 1", f"; it said '{GONE}'"),
        ("exit 0", ""),
        ("printf 'a\\033[2Jb\\377'; exit 1", "; it said 'a\\\\x1b[2Jb\ufffd'"),
    ],
)
def test_a_login_that_runs_nothing_is_told(login, expected):
    assert [f"! the host did not run our script{expected}"] == said(login, "echo hello")


def test_a_login_that_ends_before_it_read_the_script_is_told():
    expected = ["! the host did not run our script; it said 'No.'"]
    assert expected == said("exec <&-; echo No.; exit 1", "echo hello", ballast=5_000_000)


def test_output_without_end_is_cut_off_and_costs_no_memory():
    with serving_ssh("") as port:
        plain = asked(port, "echo hello")
    with serving_ssh("yes hello") as port:
        found = asked(port, "echo hello")
    assert ["! its answer is longer than 16 MB"] == found["said"]
    assert found["megabytes"] - plain["megabytes"] < 60


def test_what_is_not_utf8_arrives_as_it_is():
    assert ["\xff\xfe\x00\xe9"] == said("", r"printf '\377\376\000\351'")


def test_a_command_that_takes_too_long_is_left_alone_at_its_deadline():
    with serving_ssh("") as port:
        found = asked(port, "sleep 30", "echo hello", deadline=2)
    assert ["! no answer within 2 s; what was running may still run", "hello\n"] == found["said"]
    assert 2 <= found["seconds"] < 25


def test_a_server_that_says_neither_yes_nor_no_is_given_up():
    found = said(None, "echo hello", "echo again", impatient=True)
    assert [SILENT, SILENT] == found[:2]


def interrupted(act: str, tmp_path: Path, **wanted: Any) -> dict[str, Any]:
    """Ask, and cut or freeze the line once the host runs the script."""
    begun = tmp_path / "begun"
    with serving_ssh("") as port, Line("127.0.0.1", port) as line:

        def wait() -> None:
            while not begun.exists():
                time.sleep(0.05)
            getattr(line, act)()

        threading.Thread(target=wait, daemon=True).start()
        wanted["impatient"] = act == "freeze"
        seconds = 3 if wanted.get("changes") else 30  # the next change waits for one that runs on
        script = f": >{begun}; sleep {seconds}; echo hello"
        return asked(line.port, script, "echo again", **wanted)


@pytest.mark.parametrize(
    ("act", "first", "later"),
    [("cut", BROKEN, CLOSED), ("freeze", SILENT, SILENT)],
    ids=["cut", "frozen"],
)
def test_a_connection_that_is_lost_in_the_middle_is_said_at_once(tmp_path, act, first, later):
    found = interrupted(act, tmp_path)
    assert [first, later] == found["said"]
    assert found["seconds"] < 25


@pytest.mark.parametrize(
    ("act", "why"), [("cut", BROKEN), ("freeze", SILENT)], ids=["cut", "frozen"]
)
def test_after_a_change_that_was_cut_nothing_more_is_asked_of_the_host(tmp_path, act, why):
    found = interrupted(act, tmp_path, changes=True)
    expected = f"! the outcome of a change is unknown: {why[2:]}"
    assert [expected, f"! a change was not begun: {expected[2:]}"] == found["said"]


def test_a_change_that_cannot_be_sent_was_not_begun():
    found = said(None, "echo hello", changes=True, impatient=True)
    assert [f"! a change was not begun: {SILENT[2:]}"] == found


def test_a_script_of_megabytes_arrives_whole():
    assert ["hello\n"] == said("", "echo hello", ballast=5_000_000)
