"""What a fault makes of its detect's findings."""

from typing import Any

import pytest

from relogin import Backend, Fault, Finding, Severity
from relogin.fault import LAYERS, Change, internal_error
from relogin.finding import legible
from relogin.operations.catalogue import FAULTS

SEEN: Any = None
MINE = Backend("mine")
TWO = (Finding("a", subject="1"), Finding("b", subject="2", severity=Severity.WARNING))


def fix(backend: Backend, seen: object, finding: Finding) -> Any:
    yield Change("true", "do it")


def fault(detect: Any, **fields: Any) -> Fault:
    return Fault("layer.id", detect, **{"fix": fix, **fields})


@pytest.mark.parametrize(
    ("found", "expected"),
    [(None, []), ((), []), (TWO[0], ["a"]), (TWO, ["a", "b"]), (iter(TWO), ["a", "b"])],
)
def test_none_one_or_several_findings(found, expected):
    findings = fault(lambda backend, seen: found).found(MINE, SEEN)
    assert expected == [finding.what for finding in findings]
    assert {"layer.id"} >= {finding.fault for finding in findings}


def test_a_generator_gives_its_findings():
    def detect(backend, seen):
        yield from TWO

    assert [("layer.id", "1"), ("layer.id", "2")] == [
        finding.key for finding in fault(detect).found(MINE, SEEN)
    ]


def test_a_finding_is_never_worse_than_its_fault():
    findings = fault(lambda b, s: TWO, severity=Severity.WARNING).found(MINE, SEEN)
    assert [Severity.WARNING] * 2 == [finding.severity for finding in findings]
    findings = fault(lambda b, s: TWO).found(MINE, SEEN)
    assert [Severity.CRITICAL, Severity.WARNING] == [finding.severity for finding in findings]


def test_without_a_fix_it_is_a_persons():
    assert [True] * 2 == [
        one.by_person for one in fault(lambda b, s: TWO, fix=None).found(MINE, SEEN)
    ]
    assert [False] * 2 == [one.by_person for one in fault(lambda b, s: TWO).found(MINE, SEEN)]


def test_a_symptom_is_marked():
    (one, _) = fault(lambda b, s: TWO, symptom_of=("other",)).found(MINE, SEEN)
    assert one.symptom


def test_an_accepted_fault_is_shown_with_its_reason_and_never_critical():
    backend = Backend("mine", accepted={"layer.id": "by\ndesign"})
    (one, _) = fault(lambda b, s: TWO).found(backend, SEEN)
    assert (Severity.NOTE, r"accepted: by\ndesign", "") == (one.severity, one.seen, one.remedy)


def test_hostile_text_stays_in_its_line():
    hostile = "a\nb\r\x1b[2J\x07\u202e\u2028c"
    found = Finding(hostile, seen=hostile, expected=hostile, remedy=hostile, subject=hostile)
    (finding,) = fault(lambda b, s: found).found(MINE, SEEN)
    shown = r"a\nb\r\x1b[2J\x07\u202e\u2028c"
    assert (shown,) * 4 == (finding.what, finding.seen, finding.expected, finding.remedy)
    assert hostile == finding.subject


def test_letters_of_every_script_are_legible():
    assert "naïve 測試 — “a” \\n" == legible("naïve 測試 — “a” \\n")


@pytest.mark.parametrize("how", ["raises", "raises later", "gives nonsense"])
def test_a_mistake_of_our_own_is_a_finding_without_its_message(how):
    def raises(backend, seen):
        raise KeyError("canary-in-the-message")

    def raises_later(backend, seen):
        yield TWO[0]
        raise KeyError("canary-in-the-message")

    detect = {"raises": raises, "raises later": raises_later, "gives nonsense": lambda b, s: 7}[how]
    (finding,) = fault(detect).found(MINE, SEEN)
    assert ("relogin.internal-error", "layer.id") == finding.key
    assert (True, True) == (finding.critical, finding.by_person)
    assert "canary" not in str(finding)
    assert finding.seen.startswith("TypeError at " if how == "gives nonsense" else "KeyError at ")


def test_where_it_happened_is_said():
    try:
        raise ValueError("canary")
    except ValueError as error:
        finding = internal_error(error, "the test")
    assert finding.seen.startswith("ValueError at test_fault.py:")
    assert "relogin itself failed in the test" == finding.what


def test_a_change_does_not_show_its_script():
    assert "canary" not in repr(Change("echo canary", "say it"))


def test_every_fault_of_the_catalogue_has_its_own_id_and_says_what_it_is():
    ids = [one.id for one in FAULTS]
    assert len(set(ids)) == len(ids)
    assert [] == [one.id for one in FAULTS if not one.about]


def test_what_a_fault_names_is_in_the_catalogue():
    known = {one.id for one in FAULTS} | {one.layer for one in FAULTS} | {"machine", "migrations"}
    named = {name for one in FAULTS for name in (*one.unless, *one.symptom_of)}
    assert set() == named - known


def test_a_fault_is_written_as_its_id():
    assert "layer.id" == fault(lambda b, s: None).to_json()


def test_the_catalogue_goes_through_the_layers_in_their_order():
    found = dict.fromkeys(one.layer for one in FAULTS)
    assert [layer for layer in LAYERS if layer in found] == list(found)


def test_who_accepts_the_wider_fault_accepts_its_parts():
    part = Fault("layer.part", lambda backend, seen: Finding("x"), part_of="layer.whole")
    reasons = {"layer.whole": "all of it", "layer.part": "this one"}
    for accepted, seen in ((reasons, "this one"), ({"layer.whole": "all of it"}, "all of it")):
        (one,) = part.found(Backend("mine", accepted=accepted), SEEN)
        assert (Severity.NOTE, f"accepted: {seen}") == (one.severity, one.seen)
    (one,) = part.found(Backend("mine", accepted={"layer.other": "x"}), SEEN)
    assert Severity.CRITICAL == one.severity
