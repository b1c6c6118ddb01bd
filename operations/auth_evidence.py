"""What the backend's own log says of a fault, as evidence of the finding that explains it."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from relogin.facts.auth_log import PASSWORD_DIFFERS, TOKEN_INVALID, AuthLog
from relogin.facts.machine import Machine
from relogin.facts.service_state import ServiceState
from relogin.finding import Finding
from relogin.parts.configuration import FromEnv

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.fault import Detect


def told_by(detect: Detect, *reasons: str) -> Detect:
    """Give the detect whose findings say how often the backend logged these reasons."""

    def with_evidence(backend: Backend, seen: Observation) -> Iterator[Finding]:
        for finding in _each(detect(backend, seen)):
            yield _also(finding, _said(seen, reasons))

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


def told_of_the_secret(detect: Detect) -> Detect:
    """Give the detect whose findings about the tokens' secret say how many tokens were refused.

    A finding is about it where its key is the subject, or among the keys that it names.
    """

    def with_evidence(backend: Backend, seen: Observation) -> Iterator[Finding]:
        secret = backend.token.secret if backend.token is not None else None
        key = secret.key if isinstance(secret, FromEnv) else ""
        for finding in _each(detect(backend, seen)):
            its_own = key in re.findall(r"\w+", f"{finding.subject} {finding.seen}")
            yield _also(finding, _said(seen, (TOKEN_INVALID,)) if its_own else "")

    return with_evidence


def auth_log(seen: Observation) -> AuthLog:
    """Give what the log of the service says; nothing where it could not be seen."""
    return seen.service.auth if isinstance(seen.service, ServiceState) else AuthLog()


def refused_since(seen: Observation, last: float, until: float) -> dict[str, int]:
    """Give how often the log gives each reason for a refusal between two moments of our clock."""
    ahead = (seen.machine.ahead or 0) if isinstance(seen.machine, Machine) else 0
    return auth_log(seen).between(last + ahead, until + ahead)


def _said(seen: Observation, reasons: Iterable[str]) -> str:
    log, ours = auth_log(seen), _meanwhile(seen)
    counts = {reason: log.counts.get(reason, 0) - ours.get(reason, 0) for reason in reasons}
    found = [f"{n} x {reason}{_lengths(log, reason)}" for reason, n in counts.items() if n > 0]
    return f"its log: {', '.join(found)}" if found else ""


def _meanwhile(seen: Observation) -> dict[str, int]:
    """Count what it said since this run began: it tries the login, and forged tokens as well.

    The journal has no parts of a second, so all of the one in which the run began counts.
    """
    if seen.began is None:
        return {}
    ahead = (seen.machine.ahead or 0) if isinstance(seen.machine, Machine) else 0
    return auth_log(seen).between(math.floor(seen.began + ahead) - 1e-6, math.inf)


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
