"""supervisord runs for real; what its log may begin with is written here."""

import sys
import time
from collections.abc import Iterator

import pytest

from relogin.facts import alone, service, supervisor
from relogin.facts.service import Program, ServiceState
from relogin.finding import Unreadable
from relogin.parts.runtime import Supervisor
from relogin.remote import Answer
from tests.embedded.supervised import Supervised
from tests.facts.answers import SHELLS, run, run_alone

PROGRAM = """\
import os, sys, time
print("started", flush=True)
print("postgresql://user:hunter2@127.0.0.1/db password=hunter2", flush=True)
if os.path.exists("broken"):
    raise RuntimeError("no postgresql://user:hunter2@127.0.0.1/db")
os.environ["LATER"] = "unseen"
time.sleep(600)
"""
CTL = [sys.executable, "-u", "program.py"]


@pytest.fixture(scope="module")
def supervised(tmp_path_factory) -> Iterator[Supervised]:
    pytest.importorskip("supervisor")
    folder = tmp_path_factory.mktemp("s")
    (folder / "program.py").write_text(PROGRAM)
    daemon = Supervised(folder / "d", "web")
    daemon.start(["env", "SECRET=a b=c", "TWO=one\\ntwo", *CTL], folder)
    until(daemon, "RUNNING")
    yield daemon
    daemon.stop()


def until(daemon: Supervised, state: str) -> None:
    deadline = time.monotonic() + 20
    while state not in daemon.control("status", "web") and time.monotonic() < deadline:
        time.sleep(0.1)


def part(daemon: Supervised, program: str = "web") -> Supervisor:
    return Supervisor(program, config=str(daemon.config), supervisorctl=str(daemon.ctl))


def look(daemon: Supervised, program: str = "web", sh: tuple[str, ...] = ("sh",)) -> ServiceState:
    script = service.script(part(daemon, program), ("SECRET", "LATER"))
    state = service.parse(run(script, sh))
    assert isinstance(state, ServiceState), state
    return state


@pytest.mark.parametrize("sh", SHELLS)
def test_a_running_program(supervised, sh):
    state = look(supervised, sh=sh)
    assert (state.active, state.state, state.sub, state.result) == (True, "running", "", "")
    assert state.main_pid == supervised.pid()
    assert state.environ == {"SECRET": "a b=c"}
    assert state.working_directory == str(supervised.folder.parent)
    assert "hunter2" not in str(state.log)


def test_when_a_program_was_started(supervised):
    supervised.control("stop", "web")
    before = time.time()
    supervised.control("start", "web")
    started = look(supervised).started
    assert started is not None
    assert before - 0.05 <= started <= before + 2


def test_a_stopped_program(supervised):
    supervised.control("stop", "web")
    state = look(supervised)
    supervised.control("start", "web")
    assert (state.active, state.state, state.environ) == (False, "stopped", None)


def test_a_program_that_fails_names_its_exception_without_its_secrets(supervised):
    (supervised.folder.parent / "broken").touch()
    supervised.control("restart", "web")
    until(supervised, "FATAL")
    state = look(supervised)
    (supervised.folder.parent / "broken").unlink()
    supervised.control("start", "web")
    assert (state.active, state.state) == (False, "fatal")
    assert state.exceptions[-1] == "RuntimeError: no postgresql://user:***@127.0.0.1/db"


def test_a_program_that_is_not_configured_does_not_exist(supervised):
    assert look(supervised, "nosuch").exists is False


def test_a_supervisord_that_does_not_run_is_down(supervised, tmp_path):
    config = tmp_path / "c.conf"
    text = supervised.config.read_text().replace("supervisor.sock", "nosuch.sock")
    config.write_text(text.replace("%(here)s", str(tmp_path)))
    state = service.parse(
        run(service.script(Supervisor("web", str(config), supervisorctl=str(supervised.ctl))))
    )
    assert isinstance(state, ServiceState)
    assert ("down", False) == (state.load, state.exists)
    assert "no such file" in state.reason


def test_a_supervisorctl_that_does_not_run_is_unreadable(supervised):
    part = Supervisor("web", config=str(supervised.config), supervisorctl="/no/supervisorctl")
    assert isinstance(service.parse(run(service.script(part))), Unreadable)


def test_alone_a_program_writes_no_secret(supervised):
    fact = Program()
    lines = run_alone(fact.command("web", str(supervised.config), str(supervised.ctl)))
    frames = alone.answers(lines)["service"]
    text = b"".join(answer.text for answer in alone.answers(frames.lines).values())
    assert (b"started" in text, b"hunter2" in text, b"a b=c" in text) == (True, False, False)
    assert fact.process(lines).active is True


@pytest.mark.parametrize("lost", range(6))
def test_a_log_of_supervisord_that_begins_in_the_middle_of_a_line_is_read(lost):
    life = (
        "2026-11-23 12:50:01,100 INFO spawned: 'web' with pid 7\n"
        "2026-11-23 12:50:02,101 INFO success: web entered RUNNING state\n"
        "2026-11-23 12:50:09,102 WARN exited: web (exit status 1; not expected)\n"
    )
    said = ["", "web  RUNNING  pid 12, uptime 0:00:01\n", "\n", (life + life)[lost:], "\n", "\n"]
    show = Answer("supervisor> ".join(said).encode(), 0)
    state = supervisor.parse("web", {"show": show})
    assert isinstance(state, ServiceState)
    assert state.restarts == (2 if lost == 0 else 1)
