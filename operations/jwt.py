"""Ensure that the tokens' secret is there: the one in force, before any new one."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin.facts.env_file import EnvFileState
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.mend import mend
from relogin.operations.env_file import recovered, written
from relogin.parts.configuration import EnvFile, FromEnv

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


SECRET_MISSING = Fault(
    "jwt.secret-missing",
    _detect_secret_missing,
    _fix_secret_missing,
    unless=("env_file.missing",),
    about="the secret that signs the tokens is missing or empty",
)
FAULTS = (SECRET_MISSING,)


@operation()
def secret(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the secret that signs the tokens is there.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
