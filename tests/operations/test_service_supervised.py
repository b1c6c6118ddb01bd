"""Faults of a supervisord program: supervisord runs for real, and is mended for real."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from relogin.backend import Backend
from relogin.facts import service as fact
from relogin.facts.service import ServiceState
from relogin.finding import Finding, Severity
from relogin.operations import service
from relogin.parts.configuration import EnvFile
from relogin.parts.runtime import Supervisor
from tests.embedded.supervised import Supervised
from tests.facts.answers import run

from .services import file, observation

_OLDER = "service.older-than-env-file"
PROGRAM = """\
import os, sys, time
open("starts", "a").write("x")
if os.path.exists("dies"):
    time.sleep(1.5)
    sys.exit(3)
time.sleep(600)
"""


@pytest.fixture
def supervised(tmp_path_factory) -> Iterator[Supervised]:
    pytest.importorskip("supervisor")
    folder = tmp_path_factory.mktemp("s")
    (folder / "program.py").write_text(PROGRAM)
    daemon = Supervised(folder / "d", "web")
    daemon.start([sys.executable, "program.py"], folder)
    deadline = time.monotonic() + 20
    while "RUNNING" not in daemon.control("status", "web") and time.monotonic() < deadline:
        time.sleep(0.1)
    yield daemon
    daemon.stop()


def described(daemon: Supervised, **more: str) -> Backend:
    part = Supervisor("web", config=str(daemon.config), supervisorctl=str(daemon.ctl), **more)
    path = daemon.folder.parent / ".env"
    path.write_text("KEY=value\n")
    return Backend("demo", service=part, env_file=EnvFile(str(path), {"KEY": "value"}))


def look(backend: Backend) -> SimpleNamespace:
    seen = fact.parse(run(fact.script(backend.service, ("KEY",))))
    changed = Path(backend.env_files[0].path).stat().st_ctime
    return observation(seen, file(changed=changed, KEY="value"), now=time.time())


def mended(backend: Backend) -> list[tuple[str, int]]:
    """Run the fix of each finding; give the faults, and how their fixes ended."""
    done = []
    seen = look(backend)
    for fault in service.FAULTS:
        for finding in fault.found(backend, seen):
            (change,) = fault.fix(backend, seen, finding)
            done.append((finding.fault, run(change.script).status))
    return done


def found(backend: Backend) -> list[Finding]:
    """Give what is found but that the env file, which is written for this, is newer."""
    seen = look(backend)
    findings = [finding for fault in service.FAULTS for finding in fault.found(backend, seen)]
    return [one for one in findings if one.fault != _OLDER]


def state(backend: Backend) -> ServiceState:
    seen = look(backend).service
    assert isinstance(seen, ServiceState), seen
    return seen


def until(daemon: Supervised, word: str) -> None:
    deadline = time.monotonic() + 20
    while word not in daemon.control("status", "web") and time.monotonic() < deadline:
        time.sleep(0.1)


def edit(daemon: Supervised, before: str, after: str) -> None:
    text = daemon.config.read_text()
    assert before in text
    daemon.config.write_text(text.replace(before, after))


def test_a_program_that_runs_by_todays_file_is_sound(supervised):
    assert [] == found(described(supervised))


def test_a_changed_section_is_taken_over_by_an_update_of_this_program(supervised):
    backend = described(supervised)
    edit(supervised, "startsecs=2", "startsecs=2\nenvironment=KEY=new")
    supervised.control("restart", "web")  # does not read the file
    (finding,) = found(backend)
    assert ("service.configuration-not-applied", "supervisorctl reread: changed") == (
        finding.fault,
        finding.seen,
    )
    assert ("service.configuration-not-applied", 0) in mended(backend)
    assert {"KEY": "new"} == state(backend).environ
    assert [] == found(backend)


def test_a_section_that_is_new_is_taken_over(supervised):
    other = described(supervised)
    supervised.config.write_text(
        supervised.config.read_text() + "[program:later]\ncommand=sleep 600\nautostart=false\n"
    )
    backend = Backend("demo", service=Supervisor("later", other.service.config,
                      supervisorctl=str(supervised.ctl)), env_file=other.env_file)  # fmt: skip
    (finding,) = found(backend)
    assert "supervisord has not read that there is a program later" == finding.what
    assert [("service.configuration-not-applied", 0)] == mended(backend)
    assert "RUNNING" in supervised.control("status", "later")


def test_a_section_that_is_gone_is_a_persons_and_what_runs_is_left(supervised):
    backend, before = described(supervised), supervised.pid()
    edit(supervised, "[program:web]", "[program:other]")
    (finding,) = found(backend)
    assert ("service.configuration-not-applied", True, Severity.WARNING) == (
        finding.fault,
        finding.by_person,
        finding.severity,
    )
    assert before == supervised.pid()


def test_a_file_that_supervisord_refuses_is_a_persons_warning_while_it_runs(supervised):
    edit(supervised, "startsecs=2", "startsecs=two")
    (finding,) = found(described(supervised))
    assert ("service.bad-setting", Severity.WARNING) == (finding.fault, finding.severity)
    assert "base 10: *** in section 'program:web' (file: '" in finding.seen


def test_a_value_that_supervisord_refuses_is_not_shown(supervised):
    edit(supervised, "startsecs=2", 'environment=KEY="it\'s hunter2 %(no)s"')
    (finding,) = found(described(supervised))
    assert "hunter2" not in finding.seen
    assert "ERROR: CANT_REREAD: " in finding.seen


def test_a_supervisord_that_does_not_run_is_named(supervised):
    backend = described(supervised)
    supervised.stop()
    (finding,) = found(backend)
    assert ("service.supervisord-down", True) == (finding.fault, finding.by_person)
    assert "no such file" in finding.seen


def test_a_program_that_ends_at_once_is_given_up_with_its_exception(supervised):
    backend = described(supervised)
    (supervised.folder.parent / "program.py").write_text("raise RuntimeError('no licence')")
    supervised.control("restart", "web")
    until(supervised, "FATAL")
    (finding,) = found(backend)
    assert "service.fatal" == finding.fault
    assert "last exception: RuntimeError: no licence" in finding.seen


def test_a_program_that_lives_a_little_longer_than_it_must_is_looping(supervised):
    """supervisord calls it RUNNING again and again, and counts nothing."""
    backend = described(supervised)
    (supervised.folder.parent / "program.py").write_text("import time; time.sleep(2.2); 1 / 0")
    supervised.control("restart", "web")
    deadline = time.monotonic() + 60
    # Of one that ends at the moment of the look nobody knows since when it ran.
    while not (findings := found(backend)) and time.monotonic() < deadline:
        time.sleep(0.2)
    (finding,) = findings
    assert "service.crash-looping" == finding.fault
    assert finding.seen.endswith(
        "times by supervisord; last exception: ZeroDivisionError: division by zero"
    )


def test_a_process_that_ends_while_it_is_looked_at_is_known_by_its_status_alone(tmp_path):
    said = "supervisor> web  RUNNING   pid 4194304, uptime 0:00:02"
    control = tmp_path / "supervisorctl"
    control.write_text(f"#!/bin/sh\nprintf '%s\\n' '{said}' 'supervisor> '\n")
    control.chmod(0o755)
    part = Supervisor("web", config=str(tmp_path / "conf"), supervisorctl=str(control))
    seen = fact.parse(run(fact.script(part, ("KEY",))))
    assert isinstance(seen, ServiceState)
    assert (True, 4194304, None, "") == (seen.active, seen.main_pid, seen.started, seen.user)


def test_a_stop_by_hand_ends_the_count(supervised):
    backend = described(supervised)
    supervised.control("restart", "web")
    supervised.control("restart", "web")
    assert 0 == state(backend).restarts


def test_a_program_of_another_user_than_declared_is_a_persons(supervised):
    me = Path.home().owner() if os.geteuid() else "root"
    assert [] == found(described(supervised, user=me))
    (finding,) = found(described(supervised, user="nobody"))
    assert ("service.wrong-user", True, me) == (finding.fault, finding.by_person, finding.seen)


def test_a_program_older_than_its_env_file_is_restarted_once(supervised):
    backend = described(supervised)
    before = supervised.pid()
    assert mended(backend) == [("service.older-than-env-file", 0)]
    assert supervised.pid() not in {0, before}
    assert mended(backend) == []


def test_a_stopped_program_is_started(supervised):
    backend = described(supervised)
    supervised.control("stop", "web")
    assert mended(backend) == [("service.stopped", 0)]
    assert supervised.pid() != 0


def test_a_program_in_backoff_is_not_given_up_and_is_started_once_its_cause_is_mended(supervised):
    """It is not there to be started, so that it is never seen as STARTING."""
    backend = described(supervised)
    python = supervised.folder.parent / "python"
    edit(supervised, "startretries=1", "startretries=20")
    edit(supervised, f"command={sys.executable}", f"command={python}")
    supervised.control("update", "web")
    until(supervised, "BACKOFF")
    (finding,) = found(backend)
    assert ("service.backoff", False) == (finding.fault, finding.by_person)
    (change,) = service.BACKOFF.fix(backend, look(backend), finding)
    python.symlink_to(sys.executable)
    assert 0 == run(change.script).status
    assert supervised.pid() != 0
    assert [] == found(backend)


def test_a_program_that_was_given_up_is_started_once_its_cause_is_mended(supervised):
    backend = described(supervised)
    (supervised.folder.parent / "program.py").rename(supervised.folder.parent / "away")
    supervised.control("restart", "web")
    until(supervised, "FATAL")
    (supervised.folder.parent / "away").rename(supervised.folder.parent / "program.py")
    assert [("service.fatal", 0)] == mended(backend)
    assert supervised.pid() != 0


def test_a_program_that_does_not_stay_up_is_not_called_running(supervised):
    """It lives longer than startsecs, so supervisord starts it for ever and calls it RUNNING."""
    backend = described(supervised)
    (supervised.folder.parent / "dies").touch()
    assert mended(backend) == [("service.older-than-env-file", 1)]
