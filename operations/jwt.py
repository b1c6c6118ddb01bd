"""Ensure that the tokens' secret is there: the one in force, before any new one."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.mend import mend
from relogin.operations import jwt_keys
from relogin.operations.env_values import corrected, regained, written
from relogin.operations.jwt_place import place
from relogin.operations.jwt_secret import (
    HARD_CODED_FALLBACK,
    KNOWN_DEFAULT,
    RUNNING_ON_OTHER_SECRET,
    SECRET_CHANGED,
    SECRET_PER_PROCESS,
    SECRET_WEAK,
)
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _detect_lacking(backend: Backend, seen: Observation, *, empty: bool) -> Finding | None:
    there = place(backend, seen)
    if there is None or there.value is not None or there.key in there.state.hidden:
        return None
    if empty is not (there.key in there.state.values):
        return None
    key, path = there.key, there.declared.path
    value, source = regained(backend, seen, there.declared, there.state, key)
    remedy = f"it is written: {source}"
    if source == "made anew":
        remedy += " (no value is in force anywhere, so no token that is out can be good)"
    broken = next((one.line for one in there.state.problems if one.key == key), None)
    by_hand = f"correct line {broken}" if broken else f"put {key} back from a backup"
    return Finding(
        f"the JWT secret {key} is {'empty' if empty else 'missing'} in {path}",
        subject=key,
        seen=f"line {broken}, which binds it, cannot be parsed" if broken else "",
        expected=repr(there.declared.keys[key]),
        remedy=remedy if value else f"{by_hand}: nobody may make it up",
        by_person=value is None,
    )


def _fix_lacking(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    there = place(backend, seen)
    if there is None:
        return
    value, _ = regained(backend, seen, there.declared, there.state, there.key)
    if value is not None:
        yield written(backend, there.declared, there.state, {there.key: value})


def _detect_not_declared(backend: Backend, seen: Observation) -> Finding | None:
    there = place(backend, seen)
    if there is None or there.value is None:
        return None
    wanted = there.declared.keys[there.key]
    _, differs = corrected(wanted, there.value)
    if not differs:
        return None
    return Finding(
        f"the JWT secret {there.key} in {there.declared.path} is not the declared one",
        subject=there.key,
        seen=differs if isinstance(wanted, Secret) else "",
        expected=repr(wanted) if isinstance(wanted, Secret) else "",
        remedy="it stays, for another one throws everybody out: declare the one in force, or choose"
        f" the hour: deploys/rotate_secret.py --data key={there.key}",
    )


_WRITTEN = "the one in force is written; only where none is in force anywhere, a new one is made"
SECRET_MISSING = Fault(
    "jwt.secret-missing",
    lambda backend, seen: _detect_lacking(backend, seen, empty=False),
    _fix_lacking,
    unless=("env_file.missing", "env_file.unparsable-line"),
    about="the secret that signs the tokens is missing",
    remedy=_WRITTEN,
    check=(
        "grep -c '^KEY=.' ENV_FILE",
        "journalctl -u UNIT -n 80 | grep -iE 'secret|jwt|KeyError'",
    ),
)
SECRET_EMPTY = Fault(
    "jwt.secret-empty",
    lambda backend, seen: _detect_lacking(backend, seen, empty=True),
    _fix_lacking,
    unless=("env_file.missing", "env_file.unparsable-line"),
    about="the secret that signs the tokens is empty: older libraries sign with it all the same",
    remedy=_WRITTEN,
    check=("grep -nE '^KEY= *$' ENV_FILE",),
)
SECRET_NOT_DECLARED = Fault(
    "jwt.secret-not-declared",
    _detect_not_declared,
    severity=Severity.WARNING,
    about="the secret that signs the tokens is not the declared one",
    remedy="it stays: another one would throw everybody out; declare the one in force",
    check=("sed -n 's/^KEY=//p' ENV_FILE | tr -d '\\n' | sha256sum",),
)
FAULTS = (
    SECRET_MISSING,
    SECRET_EMPTY,
    RUNNING_ON_OTHER_SECRET,
    SECRET_CHANGED,
    SECRET_PER_PROCESS,
    KNOWN_DEFAULT,
    SECRET_WEAK,
    SECRET_NOT_DECLARED,
    HARD_CODED_FALLBACK,
    *jwt_keys.FAULTS,
)


@operation()
def secret(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the secret that signs the tokens is there.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
