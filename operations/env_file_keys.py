"""Keys of an env file: that they are there, are not empty, and have the declared values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts.env_file import EnvFileState
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.operations.auth_evidence import blocked_by
from relogin.operations.env_file_readers import disagreements
from relogin.operations.env_values import (
    Wanted,
    corrected,
    own_keys,
    plain,
    readable,
    regained,
    written,
)
from relogin.operations.url_values import repaired_url, why_unusable
from relogin.parts.configuration import DatabaseUrl, EnvFile
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _detect_keys(backend: Backend, seen: Observation, *, empty: bool) -> Iterator[Finding]:
    for file, state in readable(backend, seen):
        broken = {problem.key for problem in state.problems} | state.hidden
        for key, declared in own_keys(backend, file, state).items():
            lacks = not state.value(key) and declared.keys[key] != "" and key not in broken
            if lacks and empty is (key in state.values):
                what = f"{key} is {'empty' if empty else 'missing'} in {file.path}"
                yield _lacking(backend, seen, declared, state, key, what)


def _lacking(
    backend: Backend,
    seen: Observation,
    declared: EnvFile,
    state: EnvFileState,
    key: str,
    what: str,
) -> Finding:
    value, source = regained(backend, seen, declared, state, key)
    return Finding(
        what,
        subject=f"{state.path}:{key}",
        expected=expected(declared.keys[key]),
        remedy=f"it is written: {source}" if value else f"nobody but you knows it: set {key}",
        by_person=value is None,
    )


def expected(wanted: Wanted) -> str:
    """Say what a key should be, without any secret."""
    if isinstance(wanted, DatabaseUrl):
        return f"user {wanted.user}, database {wanted.database}, {wanted.host}:{wanted.port}"
    return repr(wanted) if isinstance(wanted, Secret) else plain(wanted)


def _detect_not_declared(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for file, state in readable(backend, seen):
        differing = disagreements(backend, seen, file, state)
        for key, declared in own_keys(backend, file, state).items():
            found, wanted = state.value(key), declared.keys[key]
            if not found or key in differing or _is_no_url(seen, wanted, found):
                continue
            right, differs = corrected(wanted, found)
            if differs:
                yield Finding(
                    f"{key} in {file.path} is not the declared value",
                    subject=f"{file.path}:{key}",
                    seen=differs,
                    expected=expected(wanted),
                    remedy="the declared value is written"
                    if right
                    else f"correct {key} by hand: its password is not declared",
                    by_person=right is None,
                )


def _is_no_url(seen: Observation, wanted: Wanted, found: str) -> bool:
    return isinstance(wanted, DatabaseUrl) and bool(why_unusable(seen, found, wanted))


def fix_keys(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Write every key of the finding's file that needs it, in one go."""
    for file, state in readable(backend, seen):
        if finding.subject.rpartition(":")[0] != file.path:
            continue
        values = {
            key: value
            for key, declared in own_keys(backend, file, state).items()
            if (value := _due(backend, seen, declared, state, key)) is not None
        }
        yield written(backend, file, state, values)


def _due(
    backend: Backend, seen: Observation, declared: EnvFile, state: EnvFileState, key: str
) -> str | None:
    found, wanted = state.value(key), declared.keys[key]
    if key in state.hidden:
        return None
    if found is None:
        lacking = wanted != "" or key not in state.values
        return regained(backend, seen, declared, state, key)[0] if lacking else None
    if isinstance(wanted, DatabaseUrl) and why_unusable(seen, found, wanted):
        return repaired_url(seen, wanted, found)
    right, differs = corrected(wanted, found)
    return right if differs else None


KEY_MISSING = Fault(
    "env_file.key-missing",
    blocked_by(lambda b, s: _detect_keys(b, s, empty=False)),
    fix_keys,
    about="a declared key is missing",
    remedy="it is written: as declared, from the running process, or made anew if that is allowed",
    check=("cut -d = -f 1 ENV_FILE", "stat -c '%U %a %z' ENV_FILE"),
)
KEY_EMPTY = Fault(
    "env_file.key-empty",
    blocked_by(lambda b, s: _detect_keys(b, s, empty=True)),
    fix_keys,
    about="a declared key is empty",
    remedy="it is written: as declared, from the running process, or made anew if that is allowed",
    check=("grep -nE '^[A-Za-z_]+= *$' ENV_FILE",),
)
KEY_NOT_DECLARED_VALUE = Fault(
    "env_file.key-not-declared-value",
    _detect_not_declared,
    fix_keys,
    about="a key has another value than declared",
    remedy="the declared value is written, every other byte is kept",
    check=("grep -n '^KEY=' ENV_FILE | cut -c 1-20",),
)
