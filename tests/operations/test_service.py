"""What the service's faults find in recorded states, and what their fixes do to a supervisord."""

import dataclasses

import pytest

from relogin.facts.proof import Check, Proof
from relogin.facts.service import ServiceState
from relogin.finding import Finding, Severity, Unreadable
from relogin.operations import service
from relogin.parts.configuration import EnvFile

from .services import HALEXT, KEYS, UVICORN, changes, file, found, observation, state


def test_an_active_service_is_sound():
    active = state("active")
    assert found(observation(active, file(changed=active.started - 1, **KEYS))) == []


@pytest.mark.parametrize("seen", [None, Unreadable("no systemd")])
def test_nothing_is_guessed_of_a_service_that_could_not_be_seen(seen):
    assert found(observation(seen, file(changed=1, **KEYS))) == []


@pytest.mark.parametrize(
    ("name", "fault", "by_person"),
    [
        ("stopped", "service.stopped", False),
        ("module-missing", "service.failed", False),
        ("auto-restart", "service.failed", False),
        ("start-limit", "service.start-limit-hit", False),
        ("start-limit-by-hand", "service.start-limit-hit", False),
        ("masked", "service.masked", False),
        ("bad-setting", "service.bad-setting", True),
        ("not-found", "service.unit-missing", True),
    ],
)
def test_each_situation_belongs_to_one_fault(name, fault, by_person):
    (finding,) = found(observation(state(name)))
    assert (finding.fault, finding.by_person) == (fault, by_person)
    assert (finding.subject, finding.critical) == (state(name).name, True)


@pytest.mark.parametrize(
    ("name", "how", "why"),
    [
        (
            "module-missing",
            "exited with 1; last exception",
            "ModuleNotFoundError: No module named 'dotenv'",
        ),
        (
            "executable-missing",
            "exited with 203",
            f"Failed at step EXEC spawning {UVICORN}: No such file or directory",
        ),
        (
            "env-file-missing-after-crash",
            "could not be started",
            "Failed to load environment files: No such file or directory",
        ),
    ],
)
def test_a_failed_service_says_why(name, how, why):
    (finding,) = found(observation(state(name)))
    assert finding.seen == f"{how}: {why}"


def test_a_failed_service_is_a_symptom_and_a_stopped_one_a_cause():
    (failed,), (stopped,) = (
        found(observation(state(name))) for name in ("module-missing", "stopped")
    )
    assert (failed.symptom, stopped.symptom) == (True, False)


@pytest.mark.parametrize(
    ("word", "fault"), [("fatal", "fatal"), ("backoff", "backoff"), ("exited", "failed")]
)
def test_a_supervised_program_that_gave_up(word, fault):
    seen = ServiceState("web", exists=True, active=False, state=word, result="Exited too quickly")
    (finding,) = found(observation(seen))
    assert (finding.fault, finding.seen) == (f"service.{fault}", "Exited too quickly")


@pytest.mark.parametrize("word", ["starting", "activating", "deactivating", "reloading"])
def test_a_service_on_its_way_is_not_judged(word):
    assert found(observation(ServiceState("web", exists=True, active=False, state=word))) == []


def older(*, values: dict[str, str | None], environ: dict[str, str] | None) -> list[Finding]:
    """Give what is found of a file that changed a second after the start."""
    active = dataclasses.replace(state("active"), environ=environ)
    return found(observation(active, file(changed=active.started + 1, **values)))


def test_another_value_in_the_file_than_in_the_process_is_certain():
    (finding,) = older(values=dict(KEYS, ACCESS_CODE="new"), environ=KEYS)
    assert finding.what == "halext-api.service runs on older values of /srv/.env"
    assert finding.seen.endswith("; other values for ACCESS_CODE")
    assert finding.key == ("service.older-than-env-file", "/srv/.env")
    assert (finding.critical, finding.by_person) == (True, False)
    assert "sesame" not in repr(finding)


@pytest.mark.parametrize("environ", [None, {}, {"DEV_MODE": "false"}])
def test_what_the_process_read_by_itself_cannot_be_excluded(environ):
    (finding,) = older(values=KEYS, environ=environ)
    assert finding.what == "halext-api.service may run on older values of /srv/.env"
    assert finding.severity is Severity.WARNING


def test_what_may_be_old_comes_first_where_the_login_fails():
    active = dataclasses.replace(state("active"), environ={})
    failed = Proof("ops", "http://h/", (Check("login", False, "no"),), 500)
    (finding,) = found(observation(active, file(changed=active.started + 1, **KEYS), login=failed))
    assert (True, "service.older-than-env-file") == (finding.critical, finding.fault)


def test_a_file_whose_mode_alone_changed_is_no_finding():
    assert older(values=dict(KEYS, OTHER="x", BARE=None), environ=KEYS) == []


def test_a_key_that_is_missing_in_the_file_belongs_to_another_layer():
    assert older(values={"DEV_MODE": "false"}, environ=KEYS) == []


def test_a_process_that_was_started_after_the_change_is_no_finding():
    active = state("active")
    changed = file(changed=active.started - 0.001, **dict(KEYS, ACCESS_CODE="new"))
    assert found(observation(active, changed)) == []


def test_a_file_from_the_future_says_that_the_clock_was_set_back():
    active = state("active")
    changed = file(changed=active.started + 9000, **dict(KEYS, ACCESS_CODE="new"))
    assert found(observation(active, changed, now=active.started + 60)) == []


@pytest.mark.parametrize(
    ("files", "environ", "expected"),
    [
        (("/srv/.env",), {"DEV_MODE": "false"}, ["service.older-than-env-file"]),
        (("/srv/.env",), KEYS, []),
        (("/srv/.env",), None, []),
        ((), {"DEV_MODE": "false"}, []),
    ],
)
def test_of_a_process_that_started_in_the_future_the_values_decide(files, environ, expected):
    active = dataclasses.replace(state("active"), environ=environ, environment_files=files)
    changed = file(changed=active.started - 9000, **KEYS)
    findings = found(observation(active, changed, now=active.started - 8999))
    assert expected == [one.fault for one in findings]
    assert all(one.critical and "runs on other values of" in one.what for one in findings)
    assert [] == found(observation(active, changed, now=active.started + 1))


def test_a_file_is_not_judged_by_a_value_that_a_later_file_overrides():
    active = state("active")
    first = EnvFile("/srv/.env", {"ACCESS_CODE": "x"})
    backend = dataclasses.replace(HALEXT, env_file=(first, EnvFile("/srv/.env.local", {})))
    early = file(changed=active.started + 1, ACCESS_CODE="overridden")
    late = file(changed=active.started - 1, ACCESS_CODE="of the later file")
    assert found(observation(active, early, late), backend) == []


@pytest.mark.parametrize("fault", [service.OLDER_THAN_ENV_FILE, service.OLDER_THAN_UNIT])
def test_a_running_service_is_not_stopped_while_its_next_start_would_fail(fault):
    assert {"venv", "env_file", "jwt", "postgres"} <= set(fault.unless)


def test_a_second_restart_in_one_run_is_not_made():
    active = state("active")
    changed = file(changed=active.started + 1, **dict(KEYS, ACCESS_CODE="new"))
    restarts = [
        changes(service.OLDER_THAN_ENV_FILE, observation(active, changed, done=done))
        for done in ((), ("write ACCESS_CODE",), ("systemctl restart halext-api.service",))
    ]
    assert [1, 1, 0] == list(map(len, restarts))
