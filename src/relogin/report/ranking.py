"""What led, and what followed from which of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, TypeVar

from relogin.finding import Finding

if TYPE_CHECKING:
    from relogin.backend import Backend

T = TypeVar("T")
_FOLLOWED = "What followed from"
# what is a cause in itself, but follows from what we have just written where it shows only then
_WRITTEN = {
    "service.older-than-unit": {"service"},
    "service.older-than-env-file": {"env_file", "jwt"},
    "service.older-than-venv": {"venv"},
}


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


def traced(
    backend: Backend, leading: list[Finding], followed: list[Finding]
) -> dict[tuple[str, str], list[Finding]]:
    """Give what may have caused each that followed, by its key: of what leads, and in its order.

    What followed from a consequence followed from that one's causes. Both lists are those of
    `ranked`. None is given for what followed from the mending of nothing that is known.
    """
    from relogin.operations import catalogue

    faults = catalogue.of(backend)
    order = {fault.id: number for number, fault in enumerate(faults)}
    causes_of = {fault.id: {*fault.symptom_of} or _WRITTEN.get(fault.id, set()) for fault in faults}
    causes: dict[tuple[str, str], list[Finding]] = {}
    for number, finding in enumerate(followed):
        names = causes_of.get(finding.fault, set())
        known = {
            cause.key
            for one in followed[:number]
            if one.critical and one.fault not in _WRITTEN and names & {one.fault, one.layer}
            for cause in causes[one.key]
        }
        known |= {one.key for one in leading if one.critical and one.fault in names}
        known |= {
            one.key
            for one in leading
            if one.critical and one.layer in names and order[one.fault] < order[finding.fault]
        }
        causes[finding.key] = [one for one in leading if one.key in known]
    return causes


def by_cause(causes: Iterable[str], followed: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    """Give under its title what followed from each cause, in the order of the causes.

    `causes` are the fault ids of what leads; of what followed the first cause's one ('': that of
    what leads first) stands beside it. One cause alone needs no name.
    """
    names = list(dict.fromkeys(causes))
    groups: dict[str, list[T]] = {name: [] for name in names}
    for cause, one in followed:
        groups.setdefault(cause or "".join(names[:1]), []).append(one)
    full = {name: group for name, group in groups.items() if group}
    if [*full] in (names[:1], [""]):
        return {f"{_FOLLOWED} it": group for group in full.values()}
    return {f"{_FOLLOWED} {name}": group for name, group in full.items()}
