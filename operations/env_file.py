"""Ensure that the env files are there, have their declared keys and no other readers."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin.facts.env_file import EnvFileState
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.mend import mend
from relogin.operations.env_file_missing import MISSING
from relogin.operations.env_file_rights import READABLE_BY_OTHERS, WRONG_OWNER
from relogin.operations.env_values import Wanted, corrected, plain, readable, recovered, written
from relogin.parts.configuration import DatabaseUrl, EnvFile, FromEnv
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _keys(backend: Backend, file: EnvFile, state: EnvFileState) -> dict[str, EnvFile]:
    """Give the keys that this layer minds in a file, each with the file that declares it.

    Those are its own and, of the files before it, those that it overrules. The JWT secret has a
    layer of its own.
    """
    earlier = backend.env_files[: backend.env_files.index(file)]
    overruled = {key: one for one in earlier for key in one.keys if key in state.values}
    secret = backend.token.secret if backend.token else None
    minded = overruled | dict.fromkeys(file.keys, file)
    return {key: one for key, one in minded.items() if FromEnv(key) != secret}


def _detect_keys(backend: Backend, seen: Observation, *, empty: bool) -> Iterator[Finding]:
    for file, state in readable(backend, seen):
        for key, declared in _keys(backend, file, state).items():
            there = key in state.values
            if there is empty and not state.value(key) and declared.keys[key] != "":
                what = f"{key} {'is empty' if empty else 'is missing'} in {file.path}"
                yield _lacking(backend, seen, declared, key, what, f"{file.path}:{key}")


def _lacking(
    backend: Backend, seen: Observation, declared: EnvFile, key: str, what: str, subject: str
) -> Finding:
    value, source = recovered(backend, seen, declared, key)
    return Finding(
        what,
        subject=subject,
        expected=_expected(declared.keys[key]),
        remedy=f"it is written: {source}" if value else f"nobody but you knows it: set {key}",
        by_person=value is None,
    )


def _expected(wanted: Wanted) -> str:
    if isinstance(wanted, DatabaseUrl):
        return f"user {wanted.user}, database {wanted.database}, {wanted.host}:{wanted.port}"
    return repr(wanted) if isinstance(wanted, Secret) else plain(wanted)


def _detect_not_declared(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for file, state in readable(backend, seen):
        for key, declared in _keys(backend, file, state).items():
            found = state.value(key)
            wanted = declared.keys[key]
            if not found:
                continue
            right, differs = corrected(wanted, found)
            if differs:
                yield Finding(
                    f"{key} in {file.path} is not the declared value",
                    subject=f"{file.path}:{key}",
                    seen=differs,
                    expected=_expected(wanted),
                    remedy="the declared value is written"
                    if right
                    else f"correct {key} by hand: its password is not declared",
                    by_person=right is None,
                )


def _fix_keys(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Write every key of the file that needs it, in one go."""
    for file, state in readable(backend, seen):
        if finding.subject.rpartition(":")[0] != file.path:
            continue
        values = {
            key: value
            for key, declared in _keys(backend, file, state).items()
            if (value := _due(backend, seen, declared, state, key)) is not None
        }
        yield written(backend, file, state, values)


def _due(
    backend: Backend, seen: Observation, declared: EnvFile, state: EnvFileState, key: str
) -> str | None:
    found = state.value(key)
    if found is None:
        lacking = declared.keys[key] != "" or key not in state.values
        return recovered(backend, seen, declared, key)[0] if lacking else None
    right, differs = corrected(declared.keys[key], found)
    return right if differs else None


KEY_MISSING = Fault(
    "env_file.key-missing",
    lambda b, s: _detect_keys(b, s, empty=False),
    _fix_keys,
    about="a declared key is missing",
)
KEY_EMPTY = Fault(
    "env_file.key-empty",
    lambda b, s: _detect_keys(b, s, empty=True),
    _fix_keys,
    about="a declared key is empty",
)
KEY_NOT_DECLARED_VALUE = Fault(
    "env_file.key-not-declared-value",
    _detect_not_declared,
    _fix_keys,
    about="a key has another value than declared",
)
FAULTS = (
    MISSING,
    WRONG_OWNER,
    KEY_MISSING,
    KEY_EMPTY,
    KEY_NOT_DECLARED_VALUE,
    READABLE_BY_OTHERS,
)


@operation()
def keys(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the env files are there, with their declared keys, for those who need them.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
