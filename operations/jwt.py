"""Ensure that the tokens' secret is there: the one in force, before any new one."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin.facts.env_file import EnvFileState
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.mend import mend
from relogin.operations.env_values import corrected, recovered, written
from relogin.parts.configuration import EnvFile, FromEnv
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _declaring(backend: Backend, seen: Observation) -> tuple[str, EnvFile, EnvFileState] | None:
    """Give the secret's key, the file that declares it, and that file as it is."""
    secret = backend.token.secret if backend.token else None
    if not isinstance(secret, FromEnv):
        return None
    for declared, state in zip(backend.env_files, seen.env_files, strict=True):
        if secret.key in declared.keys and isinstance(state, EnvFileState):
            return secret.key, declared, state
    return None


def _detect_secret_missing(backend: Backend, seen: Observation) -> Finding | None:
    place = _declaring(backend, seen)
    if place is None or place[2].value(place[0]) is not None:
        return None
    key, declared, state = place
    value, source = recovered(backend, seen, declared, key)
    remedy = f"it is written: {source}"
    if source == "made anew":
        remedy += " (no value is in force anywhere, so no token that is out can be good)"
    what = "empty" if key in state.values else "missing"
    return Finding(
        f"the JWT secret {key} is {what} in {declared.path}",
        subject=key,
        expected=repr(declared.keys[key]),
        remedy=remedy if value else f"put {key} back from a backup: nobody may make it up",
        by_person=value is None,
    )


def _fix_secret_missing(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    place = _declaring(backend, seen)
    if place is None:
        return
    key, declared, state = place
    value, _ = recovered(backend, seen, declared, key)
    if value is not None:
        yield written(backend, declared, state, {key: value})


def _detect_secret_not_declared(backend: Backend, seen: Observation) -> Finding | None:
    place = _declaring(backend, seen)
    found = place[2].value(place[0]) if place else None
    if place is None or found is None:
        return None
    key, declared, _ = place
    _, differs = corrected(declared.keys[key], found)
    if not differs:
        return None
    return Finding(
        f"the JWT secret {key} in {declared.path} is not the declared one",
        subject=key,
        seen=differs if isinstance(declared.keys[key], Secret) else "",
        expected=repr(declared.keys[key]) if isinstance(declared.keys[key], Secret) else "",
        remedy="it stays: another one would throw everybody out, so rotating is to get a deploy of"
        " its own; until then declare the one in force, or replace it by hand and restart",
        severity=Severity.WARNING,
    )


SECRET_MISSING = Fault(
    "jwt.secret-missing",
    _detect_secret_missing,
    _fix_secret_missing,
    unless=("env_file.missing",),
    about="the secret that signs the tokens is missing or empty",
)
SECRET_NOT_DECLARED = Fault(
    "jwt.secret-not-declared",
    _detect_secret_not_declared,
    severity=Severity.WARNING,
    about="the secret that signs the tokens is not the declared one",
)
FAULTS = (SECRET_MISSING, SECRET_NOT_DECLARED)


@operation()
def secret(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the secret that signs the tokens is there.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
