"""A fix that fails, takes too long, was cut or has a mistake."""

from relogin import Fault, Secret
from relogin.fault import Change
from tests.core.places import fault, layer
from tests.core.runs import again, connected, ran


def test_a_fix_that_fails_is_recorded_and_the_next_fault_is_tried(place):
    first = fault("A", "echo because of password=canary-in-output; exit 7")
    record, succeeded, lines = ran(layer(first, fault("B", place.sets("B"))), place.backend())
    assert [("mend A", False), ("mend B", True)] == [(c.why, c.ok) for c in record.changes]
    assert "because of password=***" == record.changes[0].output
    assert "A=0\nB=1\nC=1\n" == place.text
    assert (False, ["mine.a"]) == (succeeded, [one.fault for one in record.left.values()])
    assert "[@local] mine: still wrong: mine.a (A is sick)" in lines
    assert "canary" not in "".join(lines)


def test_a_fix_that_does_not_hold_is_tried_once(place):
    count = place.file.with_name("count")
    record, succeeded, _ = ran(layer(fault("A", f"echo >>{count}")), place.backend())
    assert (False, 1) == (succeeded, len(count.read_text()))
    assert [True] == [change.ok for change in record.changes]


def test_after_a_command_whose_end_is_unknown_nothing_more_is_changed(place):
    """It kills the shell that would have said how it ended."""
    cut = fault("A", f"{place.sets('A')}; kill -9 $$")
    record, succeeded, lines = ran(layer(cut, fault("B", place.sets("B"))), place.backend())
    said = "the answer broke off before it was complete"
    assert f"the outcome of a change is unknown: {said}" == record.halted
    assert ("A=1\nB=0\nC=1\n", False) == (place.text, succeeded)
    assert [False] == [change.ok for change in record.changes]
    assert f"[@local] {record.halted}" in lines


def test_a_change_that_takes_too_long_is_cut(place):
    def fix(backend, seen, finding):
        yield Change("exec sleep 30", "take long", deadline=1)

    record, succeeded, _ = ran(layer(fault("A", fix=fix)), place.backend())
    assert "unknown: no answer within" in (record.halted or "")
    assert not succeeded


def test_a_host_that_is_halted_stays_so_for_the_next_operation(place):
    with connected() as (state, host):
        again(state, host, layer(fault("A", "kill -9 $$")), place.backend())
    with connected() as (state, host):
        from relogin import run

        run.entry(state, host, place.backend()).halted = "so it is"
        again(state, host, layer(fault("B", place.sets("B"))), place.backend())
        assert host in state.failed_hosts
    assert "B=0" in place.text


def test_a_value_that_cannot_be_written_is_recorded_and_the_next_fault_is_tried(place):
    def fix(backend, seen, finding):
        raise ValueError("no form of the value is read alike")
        yield

    faults = (fault("A", fix=fix), fault("B", place.sets("B")))
    record, succeeded, lines = ran(layer(*faults), place.backend(), yes=False)
    assert [("mend A is sick", False), ("mend B", True)] == [(c.why, c.ok) for c in record.changes]
    assert "no form of the value is read alike" == record.changes[0].output
    assert not succeeded
    assert "[@local] no form of the value is read alike" in lines


def test_a_fix_that_has_a_mistake_is_a_finding_and_the_next_fault_is_tried(place):
    def fix(backend, seen, finding):
        yield Change(place.sets("C", "2"), "begin")
        raise KeyError("canary-in-the-message")

    faults = (fault("A", fix=fix), fault("B", place.sets("B")))
    record, succeeded, lines = ran(layer(*faults), place.backend())
    assert "A=0\nB=1\nC=2\n" == place.text
    assert ("relogin.internal-error", "the fix of mine.a") in record.first
    assert ("relogin.internal-error", "the fix of mine.a") not in record.mended
    assert not succeeded
    assert "canary" not in "".join(lines)


def test_a_detect_that_has_a_mistake_is_a_finding_and_the_other_checks_go_on(place):
    def detect(backend, seen):
        raise KeyError("canary-in-the-message")

    faults = (Fault("mine.broken", detect), fault("B", place.sets("B")))
    record, succeeded, lines = ran(layer(*faults), place.backend())
    assert "B=1" in place.text
    assert [("relogin.internal-error", "mine.broken")] == list(record.left)
    assert not succeeded
    assert "canary" not in "".join(lines)


def test_a_missing_secret_stops_the_backend_before_anything_is_looked_at(place):
    place.keys = {"X": Secret.env("RELOGIN_TEST_NONE"), "Y": Secret.file("/nosuch/file")}
    record, succeeded, lines = ran(layer(fault("A", place.sets("A"))), place.backend())
    assert (False, False, [], "A=0") == (succeeded, record.looked, record.changes, place.text[:3])
    said = [line for line in lines if "RELOGIN_TEST_NONE" in line]
    assert 1 == len(said)
    assert "Secret.file('/nosuch/file') has no value" in said[0]
