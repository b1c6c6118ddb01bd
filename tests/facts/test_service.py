"""systemd's answers are recorded from a host with systemd 252."""

import subprocess
from pathlib import Path

import pytest

from relogin.facts import service, service_state
from relogin.facts.service import Need, ServiceState, Unit
from relogin.facts.service_state import clean, exceptions, said_meanwhile, without_former
from relogin.finding import Unreadable
from relogin.parts.runtime import Systemd
from tests.facts.answers import SHELLS, recorded, run, run_alone

UVICORN = "/srv/halext.org/halext-org/backend/env/bin/uvicorn"


def seen(name: str) -> ServiceState:
    state = service.parse(recorded(f"systemd-{name}"))
    assert isinstance(state, ServiceState)
    return state


def words(state: ServiceState) -> tuple[bool, str, str, str]:
    return state.active, state.state, state.sub, state.result


def test_an_active_unit():
    state = seen("active")
    assert words(state) == (True, "active", "running", "success")
    assert (state.exists, state.load, state.enabled) == (True, "loaded", "enabled")
    assert (state.user, state.working_directory) == ("halext", "/srv/halext.org/halext-org/backend")
    assert state.environment_files == ("/srv/halext.org/halext-org/backend/.env",)
    assert (state.restarts, state.exit_status, state.exceptions) == (0, None, ())
    assert state.needs == (Need("nginx.service", True, "active", "running", "success"),)


def test_the_start_is_told_to_the_microsecond():
    lines = (recorded("systemd-active").text, seen("active").started)
    assert lines[1] is not None
    assert round(lines[1] % 1, 6) > 0


def test_the_environment_holds_what_the_process_was_started_with():
    assert seen("active").environ == {"DEV_MODE": "false", "ACCESS_CODE": "open sesame #7"}


def test_no_value_of_the_environment_is_shown():
    state = seen("active")
    assert "sesame" not in repr(state)
    assert state.to_json()["environ"] == {"DEV_MODE": 5, "ACCESS_CODE": 14}


def test_a_stopped_unit_has_no_environment():
    state = seen("stopped")
    assert words(state) == (False, "inactive", "dead", "success")
    assert (state.environ, state.main_pid) == (None, None)


def test_a_unit_that_failed_names_its_last_exception():
    state = seen("module-missing")
    assert words(state) == (False, "failed", "failed", "exit-code")
    assert state.exit_status == 1
    assert state.exceptions == ("ModuleNotFoundError: No module named 'dotenv'",)


def test_a_unit_between_two_crashes():
    assert words(seen("auto-restart")) == (False, "activating", "auto-restart", "exit-code")


@pytest.mark.parametrize("name", ["executable-missing", "start-limit"])
def test_a_unit_whose_program_is_missing_says_why(name):
    state = seen(name)
    assert state.exit_status == 203
    assert state.reason == f"Failed at step EXEC spawning {UVICORN}: No such file or directory"


def test_an_older_starts_traceback_is_none_of_the_last_start():
    state = seen("env-file-missing-after-crash")
    assert (state.result, state.exceptions) == ("resources", ())
    assert state.reason == "Failed to load environment files: No such file or directory"


@pytest.mark.parametrize(
    ("name", "load", "exists"),
    [
        ("masked", "masked", True),
        ("bad-setting", "bad-setting", True),
        ("not-found", "not-found", False),
    ],
)
def test_a_unit_that_cannot_be_started_says_so(name, load, exists):
    assert (seen(name).load, seen(name).exists) == (load, exists)


def test_a_plain_user_sees_the_state_but_neither_log_nor_environment():
    state = seen("plain-user")
    assert words(state) == (True, "active", "running", "success")
    assert (isinstance(state.log, Unreadable), state.environ) == (True, None)


def test_without_systemd_the_unit_is_unreadable_and_not_absent(monkeypatch, tmp_path):
    for tool in ("sh", "id", "sed", "tr", "base64", "cat", "grep", "timeout", "env"):
        (tmp_path / tool).symlink_to(_which(tool))
    (tmp_path / "systemctl").write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n")
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    state = service.parse(run(service.script(Systemd("api"), ("K",))))
    assert state == Unreadable("systemd does not answer: Failed to connect to bus")


def _which(tool: str) -> str:
    return next(
        f"{folder}/{tool}" for folder in ("/usr/bin", "/bin") if Path(folder, tool).exists()
    )


def test_processes_that_write_into_one_log_keep_their_tracebacks_apart():
    lines = [
        ("a", "Traceback (most recent call last):"),
        ("b", "Traceback (most recent call last):"),
        ("a", '  File "x.py", line 1, in <module>'),
        ("b", "ValueError: from b"),
        ("a", "KeyError: 'from a'"),
        ("a", "INFO: no exception"),
    ]
    assert list(exceptions(lines)) == ["ValueError: from b", "KeyError: 'from a'"]


def test_a_log_that_begins_inside_a_traceback_still_gives_its_exception():
    lines = [("a", '  File "x.py", line 1, in <module>'), ("a", "    import jose"), ("a", "E: no")]
    assert list(exceptions(lines)) == ["E: no"]


def test_a_log_loses_the_secrets_that_are_known_and_those_that_look_like_one():
    text = "for key SECRET: 'pw', ignoring.\nurl postgresql://u:hunter2@h/d\nopen sesame #7!"
    assert clean(text, {"ACCESS_CODE": "open sesame #7", "DEV_MODE": "url"}) == (
        "for key SECRET: ***\nurl postgresql://u:***@h/d\n***!"
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_a_line_that_is_too_long_is_cut_short_and_says_so(shell, tmp_path):
    (tmp_path / "lines").write_text(f"{'x' * 2000}\n{'y' * 10_000_000}\nend\n")
    command = f"{service_state.shortening(2000)} <{tmp_path}/lines"
    done = subprocess.run([*shell, "-c", command], capture_output=True, text=True, check=True)
    assert f"{'x' * 2000}\n{'y' * 2000} [cut short]\nend\n" == done.stdout


def test_a_line_that_was_cut_short_inside_a_secret_has_no_part_of_it():
    secrets = {"ACCESS_CODE": "open sesame #7", "OTHER": "sesame street"}
    assert "said *** [cut short]\nmy open" == clean("said open ses [cut short]\nmy open", secrets)
    assert "said op [cut short]" == clean("said op [cut short]", secrets)


def test_an_exception_that_is_too_long_says_that_it_was_cut_short():
    lines = [("a", "Traceback (most recent call last):"), ("a", f"E: {'x' * 300}")]
    assert list(exceptions(lines)) == [f"E: {'x' * 197} [cut short]"]


def test_what_was_said_meanwhile_is_what_the_log_grew_by():
    assert ("c", "d") == said_meanwhile(("a", "b"), ("a", "b", "c", "d"), {})
    assert ("d",) == said_meanwhile(("a", "b", "c"), ("c", "d"), {})
    assert () == said_meanwhile(("a", "b"), ("a", "b"), {})
    assert ("x", "y") == said_meanwhile(("a", "b"), ("x", "y"), {})
    assert ("a",) == said_meanwhile((), ("a",), {})


def test_what_was_said_meanwhile_is_bounded_and_holds_no_secret():
    log = tuple(f"{number} open sesame" for number in range(50))
    said = said_meanwhile((), log, {"KEY": "open sesame", "SHORT": "4"})
    assert (20, "49 ***") == (len(said), said[-1])


def test_a_log_that_could_not_be_seen_says_so():
    assert ("could not be seen: no",) == said_meanwhile(("a",), Unreadable("no"), {})


def test_a_process_in_a_crash_loop_names_its_last_exception_even_before_its_next():
    assert seen("crash-looping").exceptions[-1] == "RuntimeError: no licence"


def test_crashes_of_workers_are_counted_since_the_last_start():
    assert [len(seen(name).crashes) for name in ("active", "workers-crashing")] == [0, 2]


def test_a_needed_unit_that_failed_says_why():
    (nginx,) = seen("nginx-failed").needs
    assert nginx.state == "failed"
    assert 'unknown directive "foo" in /etc/nginx/sites-enabled/halext:11' in nginx.reason


def test_alone_a_unit_ends_well_where_there_is_no_systemd():
    assert Unit().process(run_alone(Unit().command("nosuch-unit"))) is not None


def test_the_last_words_of_a_process_have_none_of_what_it_was_started_with():
    running = ServiceState(
        "web", exists=True, active=True, state="active", environ={"KEY": "of-last-year"}
    )
    said = "FileNotFoundError: 'of-last-year'"
    ended = ServiceState(
        "web", exists=True, active=False, state="failed", log=(said,), exceptions=(said,)
    )

    _, known = without_former(running, {})
    later, still = without_former(ended, known)

    assert isinstance(later, ServiceState)
    assert (("FileNotFoundError: '***'",),) * 2 == (later.log, later.exceptions)
    assert {"KEY": "of-last-year"} == still
    assert running is without_former(running, known)[0]
