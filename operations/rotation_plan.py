"""What a rotation would do and whom it is about, and what stands in its way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.operations import catalogue, service_control
from relogin.parts.configuration import FromEnv
from relogin.parts.part import suggest
from relogin.rotating import Kind

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.rotation import Rotation
    from relogin.rotating import Rotated
    from relogin.run import Entry

# What a rotation that was cut off may have left, and the next run mends by going on.
_HALF = ("postgres.role-password-differs", "jwt.running-on-other-secret")


def lines(backend: Backend, what: Rotated, rotation: Rotation) -> tuple[str, ...]:
    """Say what would be done, and what it means for people."""
    return (
        f"{what.key} of {backend.name}: {what.kind.value}, {_source(what)}",
        *_consequence(backend, what, rotation),
        f"{_named(backend)} is restarted once; the login is proven with the new value, else the"
        " former one comes back by itself",
    )


def _source(what: Rotated) -> str:
    if what.source.declared:
        return f"the new value is that of {what.source!r}"
    return "a new one is made on the host"


def _named(backend: Backend) -> str:
    return str(getattr(backend.service, "unit", None) or "the service")


def _consequence(backend: Backend, what: Rotated, rotation: Rotation) -> Iterator[str]:
    many = "an unknown number of" if rotation.affected is None else str(rotation.affected)
    if what.kind is Kind.DATABASE:
        yield (
            f"no session ends; the role has {many} connections now: whoever else uses it has to be"
            " given the new password"
        )
    elif what.kind is Kind.CODE and _carried(backend, what.key):
        yield "no session ends by itself; whatever still carries the former code is refused"
    elif what.kind is Kind.CODE:
        yield f"sessions that may end: {many} at most; what depends on it is the backend's business"
    elif backend.token is not None and backend.token.former is not None:
        yield (
            f"no session ends: the former secret stays in {backend.token.former.key} until its last"
            " token has expired; a later run with the same confirmation takes it out"
        )
    else:
        yield f"every session ends: those of {many} accounts, who all have to log in again"


def _carried(backend: Backend, key: str) -> bool:
    return backend.login is not None and FromEnv(key) in backend.login.headers.values()


def in_the_way(entry: Entry, seen: Observation, what: Rotated, *, under_way: bool) -> list[str]:
    """Give what a restart needs and is broken (fault ids); what is rotated itself is not."""
    needed = service_control.NEEDED
    return list(
        dict.fromkeys(
            finding.fault
            for fault in catalogue.of(entry.backend)
            if fault.id in needed or fault.layer in needed
            for finding in entry.judged(fault, seen)
            if finding.critical
            and finding.subject.rpartition(":")[2] != what.key
            and not (under_way and finding.fault in _HALF)
        )
    )


def unfit(backend: Backend, what: Rotated, former: str | None, new: str | None) -> str:
    """Say why there is nothing to rotate, or no way to; '' where there is one."""
    if not former:
        return f"{what.key} has no value to rotate: deploys/restore_access.py brings it back"
    if new is not None and new == former:
        return f"{what.source!r} still has the value that is in force: set a new one there first"
    listed = backend.token.former if backend.token and what.kind is Kind.TOKENS else None
    if listed is not None and "," in former:
        return f"the former secret has a comma, which the list {listed.key} cannot hold"
    return ""


def unconfirmed(word: str, given: str) -> str:
    """Say how a rotation is confirmed."""
    other = f" (--data confirm={given} is another one{suggest(given, [word])})" if given else ""
    return f"not confirmed, so nothing was changed{other}: --data confirm={word}"
