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


def tried(needed: Fault, fault: Fault) -> tuple[list[str], dict[tuple[str, str], str]]:
    @operation()
    def mine(backend: Backend) -> Iterator[object]:
        yield from mend(backend, (fault,))

    record, _, _ = ran(mine, Backend("mine", faults=(dataclasses.replace(needed, fix=None),)))
    return [change.why for change in record.changes], record.held


@pytest.mark.parametrize("broken", NO_ROOM)
def test_a_fix_that_writes_is_not_tried_on_a_full_disk(broken):
    why = f"not tried while there is {broken}"
    assert ([], {("mine.a", ""): why}) == tried(always(broken), always("mine.a"))


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
