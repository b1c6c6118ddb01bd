"""Where nothing can be written, nothing that writes is tried, and the verdict says why."""

import dataclasses
from collections.abc import Iterator

import pytest
from pyinfra.api import operation

from relogin import Backend, Fault, Finding, Severity
from relogin.fault import NO_ROOM, Change
from relogin.mend import mend
from tests.core.runs import ran


def always(fault: str, **fields: object) -> Fault:
    def fix(backend, seen, finding) -> Iterator[Change]:
        yield Change("true", f"mend {fault}", deadline=5)

    found = Finding("it is sick", remedy="it is mended")
    return Fault(fault, lambda backend, seen: found, fix, **fields)  # type: ignore[arg-type]


def tried(
    needed: Fault, fault: Fault, accepted: str = ""
) -> tuple[list[str], dict[tuple[str, str], str]]:
    @operation()
    def mine(backend: Backend) -> Iterator[object]:
        yield from mend(backend, (fault,))

    backend = Backend("mine", faults=(dataclasses.replace(needed, fix=None),))
    if accepted:
        backend = dataclasses.replace(backend, accepted={accepted: "we know"})
    record, _, _ = ran(mine, backend)
    return [change.why for change in record.changes], record.held


@pytest.mark.parametrize("broken", NO_ROOM)
def test_a_fix_that_writes_is_not_tried_on_a_full_disk(broken):
    why = f"not tried while there is {broken}"
    assert ([], {("mine.a", ""): why}) == tried(always(broken), always("mine.a"))


@pytest.mark.parametrize("harm", ["postgres.collation-changed", "postgres.row-security-hides-rows"])
def test_what_makes_a_write_harmful_does_so_though_it_is_accepted(harm):
    why = f"not tried while there is {harm}"
    held = {("mine.a", ""): why}
    assert ([], held) == tried(always(harm), always("mine.a", unless=(harm,)), accepted=harm)
    full = "machine.disk-full"
    why = f"not tried while there is {full}"
    assert ([], {("mine.a", ""): why}) == tried(always(full), always("mine.a"), accepted=full)


def test_what_is_accepted_keeps_nothing_else_from_being_tried():
    needed, fault = always("service.wrong-user"), always("mine.a", unless=("service.wrong-user",))
    assert ([], {("mine.a", ""): "not tried while there is service.wrong-user"}) == tried(
        needed, fault
    )
    assert (["mend mine.a"], {}) == tried(needed, fault, accepted="service.wrong-user")


@pytest.mark.parametrize(
    ("broken", "fields"),
    [
        (always("machine.disk-full"), {"writes": False}),
        (always("machine.clock-skew"), {}),
        (always("machine.disk-full", severity=Severity.WARNING), {}),
    ],
)
def test_any_other_is_tried(broken, fields):
    assert (["mend mine.a"], {}) == tried(broken, always("mine.a", **fields))
