"""The loop behind every operation, driven by pyinfra itself, with faults of a user's own."""

from relogin import Fault, Finding, Severity
from relogin.fault import Change
from tests.core.places import fault, layer
from tests.core.runs import again, connected, ran


def test_what_is_found_is_mended_and_judged_on_a_fresh_look(place):
    record, succeeded, lines = ran(layer(fault("A", place.sets("A")), fault("C")), place.backend())
    assert "A=1\nB=0\nC=1\n" == place.text
    assert (True, [("mend A", True)]) == (succeeded, [(c.why, c.ok) for c in record.changes])
    assert ([("mine.a", "A")], {}) == (list(record.mended), record.left)
    assert ["[@local] mine.a: A is sick", "[@local] mend A"] == [
        line for line in lines if "mine.a" in line or "mend A" in line
    ]


def test_the_second_run_yields_nothing(place):
    op = layer(fault("A", place.sets("A")))
    with connected() as (state, host):
        again(state, host, op, place.backend())
    with connected() as (state, host):
        record = again(state, host, op, place.backend())
        (meta,) = [data.operation_meta for data in state.ops[host].values()]
    assert (False, [], {}) == (meta.did_change(), record.changes, record.first)


def test_several_changes_run_one_after_another_until_one_fails(place):
    scripts = (place.sets("A", "2"), "exit 7", place.sets("B"))
    record, succeeded, _ = ran(layer(fault("A", *scripts)), place.backend())
    assert [True, False] == [change.ok for change in record.changes]
    assert "A=2\nB=0\nC=1\n" == place.text
    assert succeeded  # it is not sick any more


def test_every_finding_of_one_fault_gets_its_turn(place):
    def detect(backend, seen):
        for key in ("A", "B"):
            if seen.env(key) == "0":
                yield Finding(f"{key} is sick", subject=key)

    def fix(backend, seen, finding):
        yield Change(place.sets(finding.subject), f"mend {finding.subject}")

    record, succeeded, _ = ran(layer(Fault("mine.all", detect, fix)), place.backend())
    assert ("A=1\nB=1\nC=1\n", True) == (place.text, succeeded)
    assert ["mend A", "mend B"] == [change.why for change in record.changes]


def test_what_only_a_person_may_mend_fails_the_operation_and_changes_nothing(place):
    record, succeeded, _ = ran(layer(fault("A")), place.backend())
    assert (False, [], True) == (
        succeeded,
        record.changes,
        next(iter(record.left.values())).by_person,
    )


def test_a_warning_is_mended_but_does_not_fail_the_operation(place):
    warning = fault("A", "false", severity=Severity.WARNING)
    record, succeeded, _ = ran(layer(warning), place.backend())
    assert (True, [False]) == (succeeded, [change.ok for change in record.changes])


def test_an_accepted_fault_is_neither_mended_nor_failing(place):
    place.accepted = {"mine.a": "locked on purpose"}
    record, succeeded, lines = ran(layer(fault("A", place.sets("A"))), place.backend())
    assert (True, [], "A=0") == (succeeded, record.changes, place.text[:3])
    assert "[@local] mine.a: A is sick (accepted: locked on purpose)" in lines


def test_a_dry_run_says_every_finding_and_changes_nothing(place):
    faults = (fault("A", place.sets("A")), fault("B", place.sets("B")))
    record, _, lines = ran(layer(*faults), place.backend(), yes=False, dry=True)
    assert "A=0\nB=0\nC=1\n" == place.text
    assert ["[@local] mine.a: A is sick", "[@local] mine.b: B is sick"] == [
        line for line in lines if "sick" in line
    ]
    assert ([], False) == (record.changes, record.executed)


def test_a_finding_is_said_once_though_a_run_prepares_and_executes(place):
    record, _, lines = ran(layer(fault("A", place.sets("A"))), place.backend(), yes=False)
    assert 1 == len([line for line in lines if "sick" in line])
    assert record.executed


def test_a_person_who_mended_it_at_the_prompt_leaves_nothing_to_do(place):
    op = layer(fault("A", place.sets("A", "by us")))
    with connected(yes=False) as (state, host):
        again(state, host, op, place.backend(), dry=True)
        place.write("A=by hand\n")
        from pyinfra.api.operations import run_ops
        from pyinfra.api.state import StateStage

        state.set_stage(StateStage.Execute)
        run_ops(state)
    assert "A=by hand\n" == place.text


def test_what_is_logged_does_not_obey_the_host(place):
    hostile = Fault("mine.h", lambda b, s: Finding("a\nb\x1b[2J", seen="c\rd"))
    _, _, lines = ran(layer(hostile), place.backend())
    assert r"[@local] mine.h: a\nb\x1b[2J (c\rd)" in lines
