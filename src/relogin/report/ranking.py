"""What led, and what followed from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from relogin.finding import Finding

if TYPE_CHECKING:
    from relogin.backend import Backend


def ranked(
    backend: Backend, found: Iterable[Finding], *, late: Collection[tuple[str, str]] = ()
) -> tuple[list[Finding], list[Finding]]:
    """Split the findings in causes and consequences, causes in the catalogue's order.

    A symptom leads itself where nothing that could cause it was found. A service that is older
    than what we have just written (`late`: the keys first seen after a change) follows from the
    mending.
    """
    from relogin.operations import catalogue

    faults = catalogue.of(backend)
    order = {fault.id: number for number, fault in enumerate(faults)}
    causes_of = {fault.id: set(fault.symptom_of) for fault in faults}
    leading: list[Finding] = []
    followed: list[Finding] = []
    found = list(found)
    # a fault named by its id may cause what stands before it in the catalogue's order
    critical = {one.fault for one in found if one.critical and not one.symptom}
    for finding in sorted(found, key=lambda one: order.get(one.fault, len(order))):
        of_ours = finding.key in late and finding.fault.startswith("service.older-than")
        if of_ours or critical & causes_of.get(finding.fault, set()):
            followed.append(finding)
        else:
            leading.append(finding)
        if finding.critical and not of_ours:
            critical |= {finding.layer, finding.fault}
    return sorted(leading, key=lambda one: -one.severity), followed
