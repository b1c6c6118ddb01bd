"""Keys that two env files of a Docker Compose project have, with different values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts.env_file import EnvFileState
from relogin.facts.service_state import ServiceState
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.env_values import corrected, minded, plain, readable, written
from relogin.parts.configuration import DatabaseUrl, EnvFile, FromEnv
from relogin.parts.runtime import Compose
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_Pair = tuple[EnvFile, EnvFileState]


def _detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
    """Find them of Compose alone: which of its files counts depends on who reads it, and where.

    A file's value that its own declaration, or that of an earlier file, says to be wrong is found
    as such.
    """
    if not isinstance(backend.service, Compose):
        return
    files = readable(backend, seen)
    keys = [key for _, state in files for key in state.values]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        having = [(file, state) for file, state in files if state.value(key)]
        if len({state.value(key) for _, state in having}) < 2:
            continue
        wrong = _wrong(backend, key, having)
        covered = any(key in minded(backend, *pair) for pair in having if pair in wrong)
        if wrong and covered:
            continue
        yield _finding(backend, seen, key, having, wrong)


def _wrong(backend: Backend, key: str, having: list[_Pair]) -> list[_Pair]:
    """Give the files whose value is not the declared one; none where no value is declared."""
    wanted = backend.declared(key)
    if wanted is None or isinstance(wanted, DatabaseUrl) or _is_kept(backend, key, wanted):
        return []
    return [(file, state) for file, state in having if corrected(wanted, state.value(key) or "")[1]]


def _is_kept(backend: Backend, key: str, wanted: str | Secret) -> bool:
    """Tell what has no declared value, and the JWT secret: that one is never replaced."""
    signs = backend.token is not None and backend.token.secret == FromEnv(key)
    return signs or (isinstance(wanted, Secret) and not wanted.declared)


def _finding(
    backend: Backend, seen: Observation, key: str, having: list[_Pair], wrong: list[_Pair]
) -> Finding:
    values = [f"{file.path}: {_shown(backend, key, state)}" for file, state in having]
    paths = " and ".join(file.path for file, _ in wrong)
    return Finding(
        f"{key} differs between {' and '.join(file.path for file, _ in having)}",
        subject=key,
        seen="; ".join([*values, *_given(seen, key, having)]),
        remedy=f"the declared value is written to {paths}"
        if wrong
        else "decide which one is right, and leave the key in one file: the one that the service's"
        " env_file: names, or the one of --env-file for ${…} in the compose file",
        by_person=not wrong,
        severity=Severity.CRITICAL if wrong else Severity.WARNING,
    )


def _shown(backend: Backend, key: str, state: EnvFileState) -> str:
    value = state.value(key) or ""
    if isinstance(backend.declared(key), str):
        return plain(value)
    return f"{len(value)} characters, fingerprint {Secret.seen(value).fingerprint()}"


def _given(seen: Observation, key: str, having: list[_Pair]) -> Iterator[str]:
    """Say which file's value the running container has."""
    state = seen.service
    running = (state.environ or {}).get(key) if isinstance(state, ServiceState) else None
    for file, found in having:
        if running is not None and found.value(key) == running:
            yield f"the container runs on that of {file.path}"


def _fix(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    key = finding.subject
    wanted = backend.declared(key)
    assert wanted is not None  # noqa: S101 # else a person is needed
    having = [pair for pair in readable(backend, seen) if pair[1].value(key)]
    for file, state in _wrong(backend, key, having):
        right = corrected(wanted, state.value(key) or "")[0]
        if right is not None:
            yield written(backend, file, state, {key: right})


FILES_DIFFER = Fault(
    "env_file.files-differ",
    _detect,
    _fix,
    about="two env files of the project have a key with different values",
    remedy="the declared value is written; of what is not declared you decide which one is right",
    check=("grep -c '^KEY=' ENV_FILE", "docker compose config | grep -c KEY"),
)
