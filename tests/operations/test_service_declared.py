"""A unit's user and command as declared or not, and a unit that is gone; all recorded on a host."""

import dataclasses
import os
import pwd
from pathlib import Path

import pytest

from relogin.backend import Backend
from relogin.facts.unit_files import words_of
from relogin.finding import Severity
from relogin.operations import service
from relogin.parts.configuration import EnvFile
from relogin.parts.runtime import Systemd
from relogin.undo.kinds import KINDS
from tests.facts.answers import run
from tests.operations.undoing import taken_back

from .services import changes, found, observation, state

ROOT = "/srv/halext.org/halext-org/backend"
COMMAND = f"{ROOT}/env/bin/uvicorn main:app --host 127.0.0.1 --port 8000"
OVERRIDE = "/etc/systemd/system/halext-api.service.d/override.conf"


def declared(**more: object) -> Backend:
    known = {
        "working_directory": ROOT,
        "environment_files": [f"{ROOT}/.env"],
        "user": "halext",
        "exec_start": COMMAND,
    }
    return Backend(
        "halext",
        service=Systemd("halext-api", **{**known, **more}),
        env_file=EnvFile(f"{ROOT}/.env"),
    )


DECLARED = declared()


@pytest.mark.parametrize(
    "command",
    [
        COMMAND,
        COMMAND.replace(" ", "   "),
        COMMAND.replace("main:app", "'main:app'"),
        f"-{COMMAND}",
        f"{COMMAND} --log-level ${{LEVEL}}",  # what only systemd can tell is not compared
        None,
    ],
)
def test_a_unit_with_the_declared_user_and_command_is_sound(command):
    assert [] == found(observation(state("declared")), declared(exec_start=command))


def test_another_user_is_named_with_the_file_that_sets_it():
    (finding,) = found(observation(state("other-user")), DECLARED)
    assert "service.wrong-user" == finding.fault
    assert (f"root, by {OVERRIDE}", "halext") == (finding.seen, finding.expected)
    (change,) = changes(service.WRONG_USER, observation(state("other-user")), DECLARED)
    assert "\nUser=halext\n" in change.script
    assert "restart" not in change.script.replace(KINDS, "")  # undo restarts a schedule's timer


def test_a_unit_without_a_user_runs_as_root():
    unit = dataclasses.replace(state("declared"), files=(), user="")
    assert ["service.wrong-user"] == [one.fault for one in found(observation(unit), DECLARED)]
    assert [] == found(observation(unit), declared(user="root"))


def test_what_is_not_declared_is_not_looked_at():
    for name in ("other-user", "other-command"):
        assert [] == found(observation(state(name)), declared(user=None, exec_start=None))


def test_a_process_of_before_a_drop_in_of_ours_that_sets_the_user():
    unit = state("other-user-not-restarted")
    drop_in = next(one for one in unit.files if one.path == OVERRIDE)
    ours = dataclasses.replace(drop_in, path=OVERRIDE.replace("override", "zz-relogin"))
    seen = observation(dataclasses.replace(unit, files=(unit.files[0], ours)))
    (finding,) = service.OLDER_THAN_UNIT.found(declared(user="root"), seen)
    assert "it runs as halext, not as root" in finding.seen


def test_another_command_is_named_but_not_shown_for_its_arguments_may_hold_secrets():
    (finding,) = found(observation(state("other-command")), DECLARED)
    program = f"{ROOT}/env/bin/uvicorn …"
    assert ("service.wrong-command", f"{program}, by {OVERRIDE}", program) == (
        finding.fault,
        finding.seen,
        finding.expected,
    )
    (change,) = changes(service.WRONG_COMMAND, observation(state("other-command")), DECLARED)
    assert f"\nExecStart=\nExecStart={COMMAND}\n" in change.script


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/bin/a  b 'c d'", "/bin/a b c d"),
        ("+-/bin/a", "/bin/a"),
        ("/bin/a $B", None),
        ("/bin/a %n", None),
        ("/bin/a \\", None),
        ("/bin/a ; /bin/b", None),
        ("/bin/a 'b", None),
    ],
)
def test_the_words_of_a_command(command, words):
    assert words == words_of(command)


def test_a_unit_that_is_gone_is_written_where_it_is_declared_how_it_starts():
    seen = observation(state("unit-gone"))
    (finding,) = found(seen, DECLARED)
    assert ("service.unit-missing", False) == (finding.fault, finding.by_person)
    assert Severity.CRITICAL is finding.severity
    (change,) = changes(service.UNIT_MISSING, seen, DECLARED)
    text = (
        f"[Service]\nWorkingDirectory={ROOT}\nUser=halext\nEnvironmentFile={ROOT}/.env\n"
        f"ExecStart={COMMAND}\nRestart=on-failure\n"
    )
    assert text in change.script
    assert "systemctl start" not in change.script


@pytest.mark.parametrize("lacking", ["exec_start", "user"])
def test_without_a_command_or_a_user_it_is_a_persons(lacking):
    (finding,) = found(observation(state("unit-gone")), declared(**{lacking: None}))
    assert (True, True) == (finding.by_person, "declare exec_start and user" in finding.remedy)


def test_while_the_same_command_runs_elsewhere_no_unit_is_written():
    (finding,) = found(observation(state("unit-gone-copy-left")), DECLARED)
    assert finding.by_person
    assert "runs the same command (pid " in finding.remedy


def test_another_backend_of_the_same_code_on_a_port_of_its_own_does_not_keep_the_unit_away():
    unit = state("unit-gone-copy-left")
    (copy,) = unit.copies
    other = dataclasses.replace(copy, unit="other-api.service", same_port=False)
    (finding,) = found(observation(dataclasses.replace(unit, copies=(other,))), DECLARED)
    assert not finding.by_person


@pytest.mark.parametrize(
    ("user", "whose", "manager"),
    [
        (
            "plain",
            "the own manager of plain (systemctl --user)",
            "-M plain@ start halext-api.",
        ),
        ("*", "users' own managers (systemctl --user)", "-M USER@ start halext-api."),
    ],
)
def test_a_unit_of_a_users_own_manager_is_not_written_a_second_time(user, whose, manager):
    path = "/home/plain/.config/systemd/user/halext-api.service"
    gone = dataclasses.replace(state("unit-gone"), user_units=((user, path),))
    (finding,) = found(observation(gone), DECLARED)
    assert ("service.unit-missing", True) == (finding.fault, finding.by_person)
    assert finding.remedy.startswith(f"{path} is a unit of {whose}: ")
    assert manager in finding.remedy


def test_a_unit_file_that_is_gone_from_under_a_running_service_is_a_warning_and_no_restart():
    seen = observation(state("unit-deleted"))
    (finding,) = found(seen, DECLARED)
    assert ("service.unit-missing", Severity.WARNING) == (finding.fault, finding.severity)
    assert "its file is gone, while it runs" == finding.seen


def test_a_condition_that_is_not_met_is_a_persons_and_the_service_is_not_started_in_vain():
    (finding,) = found(observation(state("condition-not-met")), DECLARED)
    assert ("service.condition-not-met", True) == (finding.fault, finding.by_person)


@pytest.fixture
def host(tmp_path, monkeypatch) -> Path:
    """A folder for units, a systemctl that does nothing, and what a start needs."""
    (tmp_path / "bin").mkdir()
    for name in ("systemctl", "uvicorn"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / ".env").touch()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def written(host: Path, **more: object) -> tuple[int, str]:
    """Write the unit below the host's folder; give the status and what was said."""
    me = pwd.getpwuid(os.geteuid()).pw_name
    known = {
        "working_directory": str(host),
        "environment_files": [f"{host}/.env"],
        "exec_start": f"{host}/bin/uvicorn main:app",
        "user": me,
    }
    backend = declared(**{**known, **more})
    (change,) = changes(service.UNIT_MISSING, observation(state("unit-gone")), backend)
    done = run(f"(\n{change.script.replace('/etc/systemd/system', str(host))}\n)")
    return done.status, done.text.decode()


def test_a_unit_that_was_written_can_be_taken_back(host):
    assert 0 == written(host)[0]
    unit = host / "halext-api.service"
    assert (0o644, True) == (unit.stat().st_mode & 0o777, f"={host}/bin/uv" in unit.read_text())
    assert {0} == {answer.status for answer in taken_back(DECLARED)}
    assert not unit.exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"user": "no-such-user"}, "there is no user no-such-user on the host"),
        ({"exec_start": "/no/such/uvicorn x"}, "/no/such/uvicorn does not exist"),
        ({"working_directory": "/no/such"}, "/no/such does not exist: no start would find it"),
    ],
)
def test_a_unit_that_could_not_start_is_not_written(host, more, said):
    status, output = written(host, **more)
    assert (1, True) == (status, said in output)
    assert not (host / "halext-api.service").exists()


def test_a_setting_that_systemd_refuses_is_a_persons_with_its_file_and_line():
    (finding,) = found(observation(state("bad-setting-while-it-runs")), DECLARED)
    assert ("service.bad-setting", Severity.WARNING) == (finding.fault, finding.severity)
    place = f"{OVERRIDE.replace('override', 'bad')}:3"
    words = "Neither a valid executable name nor an absolute path"
    assert f"ERROR: {place}: {words}, while it runs" == finding.seen
    assert "relative/path" not in finding.seen


def test_once_it_is_corrected_it_only_has_to_be_read():
    seen = observation(state("bad-setting-corrected"))
    assert ["service.needs-daemon-reload"] == [one.fault for one in found(seen, DECLARED)]
    (change,) = changes(service.NEEDS_DAEMON_RELOAD, seen, DECLARED)
    assert "systemctl daemon-reload" == change.why
