"""What is mended before what, and what a run is narrowed to."""

import dataclasses

import pytest

from relogin import Fault, Finding, Secret
from relogin.fault import Change
from tests.core.places import CATALOGUE, Place, fault, layer
from tests.core.runs import ran


def blocked_by(place: Place, cause: str) -> Place:
    """Give a backend of which something is broken, that fault A builds on."""
    if cause == "a fault of the catalogue":
        place.keys = {CATALOGUE: Secret.kept()}
    elif cause == "a fault of the user's own":
        place.faults = (dataclasses.replace(fault("B"), id="env_file.b"),)
    else:
        place.file.unlink()
        place.file.mkdir()
    return place


CAUSES = ("a fault of the catalogue", "a fault of the user's own", "an unreadable layer")


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("field", ["unless", "symptom_of"])
@pytest.mark.parametrize("named", ["env_file", "its id"])
def test_what_a_fix_builds_on_must_be_sound_first(place, cause, field, named):
    ids = {CAUSES[0]: "env_file.key-missing", CAUSES[1]: "env_file.b", CAUSES[2]: "env_file.b"}
    name = ids[cause] if named == "its id" else named
    backend = blocked_by(place, cause).backend()
    always = Fault(
        "mine.always",
        lambda b, s: Finding("always"),
        lambda b, s, f: iter([Change("exit 1", "do it")]),
        **{field: (name,)},
    )
    record, succeeded, lines = ran(layer(always), backend)
    assert ([], False) == (record.changes, succeeded)
    in_the_way = "env_file cannot be seen" if cause == CAUSES[2] else ids[cause]
    why = f"not tried while there is {in_the_way}"
    assert {("mine.always", ""): why} == record.held
    assert 1 == lines.count(f"[@local] mine.always: {why}")


@pytest.mark.parametrize("field", ["unless", "symptom_of"])
def test_once_that_is_sound_the_fix_is_tried(place, field):
    place.faults = (dataclasses.replace(fault("B", place.sets("B")), id="env_file.b"),)
    late = fault("A", place.sets("A"), **{field: ("env_file",)})
    record, succeeded, _ = ran(layer(*place.faults, late), place.backend())
    assert (["mend B", "mend A"], True) == ([one.why for one in record.changes], succeeded)


def test_a_users_own_fault_is_mended_with_its_layer(place):
    place.faults = (dataclasses.replace(fault("A", place.sets("A")), id="service.a"),)
    catalogue = Fault("service.b", lambda b, s: None)
    record, _, _ = ran(layer(catalogue), place.backend())
    assert ["mend A"] == [one.why for one in record.changes]


@pytest.mark.parametrize(
    ("data", "mended"),
    [
        ({"skip": "mine.a"}, ["mend B"]),
        ({"only": "other"}, []),
        ({"only": "mine,x"}, ["mend A", "mend B"]),
    ],
)
def test_a_run_can_be_narrowed(place, data, mended):
    faults = (fault("A", place.sets("A")), fault("B", place.sets("B")))
    record, _, _ = ran(layer(*faults), place.backend(), **data)
    assert mended == [one.why for one in record.changes]


def test_a_change_may_need_more_than_its_fix(place):
    """A restart needs that the next start would work, whichever fault it is that wants it."""
    place.faults = (dataclasses.replace(fault("B"), id="env_file.b"),)

    def fix(backend, seen, finding):
        yield Change(place.sets("A", "2"), "write A")
        yield Change("exit 1", "restart", unless=("env_file",))

    record, succeeded, lines = ran(layer(fault("A", fix=fix)), place.backend())
    assert ([("write A", True)], True) == ([(one.why, one.ok) for one in record.changes], succeeded)
    assert "[@local] mine.a: not tried while there is env_file.b" in lines
