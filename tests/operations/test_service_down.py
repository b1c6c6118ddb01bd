"""What is found of a service that does not stay up, in answers recorded from real hosts."""

import dataclasses

import pytest

from relogin.facts.service import ServiceState
from relogin.finding import Unreadable
from relogin.operations import service

from .services import HALEXT, changes, found, observation, state


def at(name: str, age: float, *, done: tuple[str, ...] = (), **changed: object):
    """Give the look at a recorded unit when its process had this age, in seconds."""
    unit = dataclasses.replace(state(name), **changed)
    return observation(unit, now=(unit.started or 0) + age, done=done)


@pytest.mark.parametrize("seconds", [1, -0.7])
def test_a_unit_that_is_active_between_two_crashes_is_looping(seconds):
    """Started before, or after, the look has read the host's clock."""
    (finding,) = found(at("crash-looping", seconds))
    assert finding.fault == "service.crash-looping"
    assert finding.seen == (
        "restarted 2 times by systemd; last exception: RuntimeError: no licence"
    )


def test_restarts_of_long_ago_are_history():
    assert [] == found(at("crash-looping", 9 * 86400, restarts=37))


def test_one_restart_is_no_loop():
    assert [] == found(at("crash-looping", 1, restarts=1))


def test_a_unit_that_waits_for_its_third_start_is_looping():
    seen = at("auto-restart", 1, restarts=2)
    assert ["service.crash-looping"] == [one.fault for one in found(seen)]


def test_workers_that_crash_while_their_parent_stays_active():
    (finding,) = found(at("workers-crashing", 15))
    assert finding.fault == "service.crash-looping"
    assert finding.seen.startswith("2 crashes of its workers, while halext-api.service stays act")
    assert finding.seen.endswith("last exception: RuntimeError: no licence")


def test_workers_that_crashed_once_upon_a_time_are_history():
    assert [] == found(at("workers-crashing", 3600))


def test_without_a_cause_that_was_mended_a_loop_is_a_persons_with_its_last_exception():
    (finding,) = found(at("crash-looping", 1))
    assert finding.by_person
    assert finding.remedy.endswith(
        "last exception: RuntimeError: no licence: see journalctl -u halext-api -n 80"
    )


def test_once_its_cause_is_mended_a_looping_unit_is_restarted_once():
    mended = at("crash-looping", 1, done=("pip install -r requirements.txt",))
    restarted = at("crash-looping", 1, done=("systemctl restart halext-api.service",))
    whys = [
        [one.why for one in changes(service.CRASH_LOOPING, seen)] for seen in (mended, restarted)
    ]
    assert whys == [["systemctl restart halext-api.service"], []]


def test_a_start_limit_is_reset_before_the_start():
    (change,) = changes(service.START_LIMIT_HIT, at("start-limit-by-hand", 1))
    reset, start = (change.script.index(word) for word in ("reset-failed", "--no-ask-password"))
    assert reset < start


def test_a_start_limit_is_a_symptom_of_what_made_it_fail():
    (finding,) = found(at("start-limit", 1))
    assert finding.symptom
    assert "bin/uvicorn: No such file or directory" in finding.seen


def test_the_process_that_holds_the_port_is_named():
    held, failed = found(at("port-held", 6))
    assert held.fault == "service.port-held"
    assert held.what == "port 8000, which halext-api.service wants, is held by python3"
    assert held.seen == (
        "pid 1865 of user root, in other-api.service, since 2026-11-21 12:01:13 UTC"
    )
    assert "systemctl stop other-api.service" in held.remedy
    assert held.by_person
    assert (failed.fault, failed.symptom) == ("service.failed", True)


def test_what_wants_a_port_that_is_held_is_not_restarted_before_it_is_free():
    for fault in (service.FAILED, service.CRASH_LOOPING, service.START_LIMIT_HIT):
        assert "service.port-held" in fault.symptom_of


def listening(**changed: object) -> ServiceState:
    unit = state("port-held")
    here, *others = unit.listening
    return dataclasses.replace(unit, listening=(dataclasses.replace(here, **changed), *others))


@pytest.mark.parametrize(
    "changed", [{"port": 8001}, {"address": "10.0.0.7"}, {"unit": "halext-api.service"}]
)
def test_a_process_that_does_not_stand_in_the_way_is_no_finding(changed):
    assert [] == list(service.PORT_HELD.found(HALEXT, observation(listening(**changed))))


@pytest.mark.parametrize("address", ["0.0.0.0", "*", "::"])
def test_a_process_on_all_addresses_stands_in_the_way(address):
    assert 1 == len(service.PORT_HELD.found(HALEXT, observation(listening(address=address))))


def test_a_process_that_the_kernel_does_not_show_is_said_to_be_one():
    (finding,) = service.PORT_HELD.found(HALEXT, observation(listening(pid=None, program="")))
    assert finding.what.endswith("is held by another process")


def test_a_plain_user_cannot_see_who_holds_a_port():
    unit = dataclasses.replace(state("port-held"), listening=Unreadable("not root"))
    assert [] == list(service.PORT_HELD.found(HALEXT, observation(unit)))
