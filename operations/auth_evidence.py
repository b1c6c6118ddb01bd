"""What the backend's own log says of a fault, as evidence of the finding that explains it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from relogin.facts.auth_log import PASSWORD_DIFFERS, AuthLog
from relogin.facts.service_state import ServiceState
from relogin.finding import Finding

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.fault import Detect


def told_by(detect: Detect, *reasons: str) -> Detect:
    """Give the detect whose findings say how often the backend logged these reasons."""

    def with_evidence(backend: Backend, seen: Observation) -> Iterator[Finding]:
        said = _said(auth_log(seen), reasons)
        for finding in _each(detect(backend, seen)):
            yield _also(finding, said)

    return with_evidence


def blocked_by(detect: Detect, *, any_key: bool = False) -> Detect:
    """Give the detect whose findings say that a start was refused, for lack of which keys.

    A finding about a key says so where it is among them, unless it is `any_key` that matters.
    """

    def with_evidence(backend: Backend, seen: Observation) -> Iterator[Finding]:
        keys = auth_log(seen).blocked
        for finding in _each(detect(backend, seen)):
            its_own = finding.subject.rpartition(":")[2] in keys
            said = f"its log: startup BLOCKED for lack of {', '.join(keys)}"
            yield _also(finding, said if its_own or (any_key and keys) else "")

    return with_evidence


def auth_log(seen: Observation) -> AuthLog:
    """Give what the log of the service says; nothing where it could not be seen."""
    return seen.service.auth if isinstance(seen.service, ServiceState) else AuthLog()


def _said(log: AuthLog, reasons: Iterable[str]) -> str:
    found = [
        f"{log.counts[reason]} x {reason}{_lengths(log, reason)}"
        for reason in reasons
        if log.counts.get(reason)
    ]
    return f"its log: {', '.join(found)}" if found else ""


def _lengths(log: AuthLog, reason: str) -> str:
    if reason != PASSWORD_DIFFERS or not log.lengths:
        return ""
    return f" (hashes of {', '.join(map(str, log.lengths))} characters)"


def _each(found: Finding | Iterable[Finding] | None) -> Iterable[Finding]:
    if found is None:
        return ()
    return (found,) if isinstance(found, Finding) else found


def _also(finding: Finding, said: str) -> Finding:
    seen = "; ".join(filter(None, (finding.seen, said)))
    return dataclasses.replace(finding, seen=seen)
