"""Second copies, kills for memory and hanging workers, recorded on a host."""

import dataclasses

import pytest

from relogin.facts.journal import Line, out_of_memory
from relogin.facts.venv import VenvState
from relogin.finding import Severity, Unreadable
from relogin.operations import service
from relogin.operations.service_control import NEEDED

from .services import found, observation, state

INSTALLED = VenvState("/env", "halext", "3.11.2", {}, {}, (), "/env/lib", 0.0, pip=True)


def soon(name: str, after: float = 5, **changed: object):
    """Give the look at a recorded unit, so many seconds after its start."""
    unit = dataclasses.replace(state(name), **changed)
    return observation(unit, now=(unit.started or 0) + after)


def test_a_copy_that_was_started_by_hand_on_another_port_is_a_warning():
    (finding,) = found(soon("copy-on-another-port"))
    assert ("service.two-copies", True, Severity.WARNING) == (
        finding.fault,
        finding.by_person,
        finding.severity,
    )
    assert finding.what == "a second copy of halext-api.service runs on another port"
    assert "of user halext" in finding.seen
    assert "(kill " in finding.remedy


def test_a_copy_on_the_same_port_may_answer_in_its_place():
    (finding,) = found(soon("copy-on-the-same-port"))
    assert (Severity.CRITICAL, True) == (finding.severity, "on the same port" in finding.what)


def test_a_second_instance_that_is_a_service_itself_is_meant():
    unit = state("copy-on-another-port")
    (copy,) = unit.copies
    other = dataclasses.replace(copy, unit="halext-api-2.service")
    assert [] == found(soon("copy-on-another-port", copies=(other,)))
    same = dataclasses.replace(other, same_port=True)
    (finding,) = found(soon("copy-on-another-port", copies=(same,)))
    assert "systemctl stop halext-api-2.service" in finding.remedy


@pytest.mark.parametrize("copies", [(), Unreadable("no /proc")])
def test_without_a_copy_there_is_no_finding(copies):
    assert [] == found(soon("copy-on-the-same-port", copies=copies))


def test_a_unit_that_is_killed_again_and_again_under_a_limit_lacks_memory():
    first, second = found(soon("memory-limited"))
    assert ("service.killed-for-memory", True) == (first.fault, first.by_person)
    assert first.seen.endswith("times lately, its MemoryMax is 30 MB")
    assert ("service.crash-looping", True) == (second.fault, second.symptom)


def test_what_lacks_memory_is_not_restarted_for_it():
    for fault in (service.FAILED, service.CRASH_LOOPING):
        assert "service.killed-for-memory" in fault.symptom_of
    assert "service.killed-for-memory" not in NEEDED


@pytest.mark.parametrize("changed", [{"memory_limit": None}, {"kills": (1.0,)}])
def test_a_kill_without_a_limit_may_be_anybodys(changed):
    faults = [one.fault for one in found(soon("memory-limited", **changed))]
    assert ["service.crash-looping"] == faults


def test_one_kill_that_systemd_itself_puts_down_to_memory_is_a_warning_and_a_start_is_tried():
    once = {"state": "failed", "sub": "failed", "result": "oom-kill", "restarts": 0, "kills": ()}
    first, second = found(soon("memory-limited", memory_limit=None, **once))
    assert ("service.killed-for-memory", Severity.WARNING) == (first.fault, first.severity)
    assert ("service.failed", False) == (second.fault, second.by_person)


@pytest.mark.parametrize(
    "message",
    [
        "halext-api.service: A process of this unit has been killed by the OOM killer.",
        "[2026-11-21 12:00:00 +0000] [7] [ERROR] Worker (pid:9) was sent SIGKILL! Perhaps out of"
        " memory?",
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
        "oom_memcg=/system.slice/halext-api.service,task_memcg=/system.slice/halext-api.service,"
        "task=uvicorn,pid=4711,uid=999",
    ],
)
def test_systemd_gunicorn_and_the_kernel_say_it_in_their_own_words(message):
    line = Line("2026-11-21T12:00:00+0000", "any", message)
    assert [line.epoch] == list(out_of_memory([line]))
    killed = {"out_of_memory": (line.epoch,) * 2, "started": line.epoch}
    (finding,) = found(soon("declared", 60, **killed))
    assert ("service.killed-for-memory", Severity.CRITICAL) == (finding.fault, finding.severity)
    assert [] == found(soon("declared", 3600, **killed))


def test_workers_that_hang_are_a_persons():
    (finding,) = found(soon("workers-hang", 10))
    assert ("service.workers-hang", True) == (finding.fault, finding.by_person)
    assert "WORKER TIMEOUT, the last at 2026-" in finding.seen
    assert [] == found(soon("workers-hang", 3600))
    assert [] == found(soon("workers-hang", 10, timeouts=state("workers-hang").timeouts[:1]))


def test_a_process_that_is_older_than_what_is_installed_is_restarted():
    seen = soon("declared", 100)
    started = seen.service.started
    for age, expected in ((-1, []), (1, ["service.older-than-venv"]), (4000, [])):
        seen.venv = dataclasses.replace(INSTALLED, changed=started + age)
        findings = found(seen)
        assert expected == [one.fault for one in findings]
        assert all(one.severity is Severity.WARNING for one in findings)
