"""A probe of an API: what it judges, and the documents that it writes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyinfra import logger

from relogin import run
from relogin.facts.api_state import API, AUTHENTICATION, INTEGRATION, PERFORMANCE, Probed, Tried
from relogin.facts.proof import Check
from relogin.fault import Fault
from relogin.finding import Severity, Unreadable
from relogin.mend import say
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.backend import Backend
    from relogin.facts.observation import Observation

# What is wrong with an API, and what keeps it from answering at all.
LAYERS = ("machine", "service", "api")
TITLES = {
    AUTHENTICATION: "Authentication",
    API: "API",
    INTEGRATION: "Integration",
    PERFORMANCE: "Performance",
}


@dataclass(frozen=True)
class Probing:
    """Say that an API is judged; `limits` that its declared rate limits are tried."""

    limits: bool = False

    def judges(self, faults: Iterable[Fault]) -> tuple[Fault, ...]:
        """Give those of the faults that are the API's."""
        return tuple(fault for fault in faults if fault.layer in LAYERS)


def begin(state: State, host: Host, backend: Backend) -> run.Entry:
    """Give the entry of a backend whose API is judged; beside its database, if that was checked."""
    record = run.entry(state, host, backend)
    record.probing = Probing(limits=str(host.data.get("limits")).lower() == "true")
    return record


def judge(record: run.Entry, seen: Observation, host: Host) -> bool:
    """Probe the API, log what is wrong, and tell whether it answers as declared, or is accepted."""
    from relogin.facts import api

    assert record.probing is not None  # noqa: S101 # begin has set it
    logger.info(f"{record.backend.name}: the API is asked")
    probed = api.probe(host, record.backend, seen, limits=record.probing.limits)
    record.api = probed
    if isinstance(probed, Unreadable):
        record.unseen["api"] = probed.reason
    record.reports |= dict(documents(record.backend, probed))
    record.judge(dataclasses.replace(seen, api=probed))
    say(record, list(record.left.values()))
    left = (one for one in record.left.values() if one.layer in LAYERS)
    return isinstance(probed, Probed) and not any(one.severity > Severity.NOTE for one in left)


def documents(
    backend: Backend, probed: Probed | Unreadable
) -> Iterable[tuple[str, tuple[Check, ...]]]:
    """Give what was tried as the documents of a report, by their titles."""
    tried = probed.tried if isinstance(probed, Probed) else ()
    for part, title in TITLES.items():
        if checks := tuple(_check(backend, one) for one in tried if one.part == part):
            yield title, checks


def _check(backend: Backend, one: Tried) -> Check:
    accepted = backend.accepts(f"api.{one.kind}") if one.ok is False else None
    said = f"{one.said}; expected: {one.expected}" if one.ok is False and one.expected else one.said
    return Check(one.subject, one.ok, said, one.kind, accepted or "")
