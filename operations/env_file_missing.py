"""An env file that is not there: made anew from what is declared and what is still in force."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts.env_file import MissingEnvFile
from relogin.facts.file import FileMeta
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.operations.env_values import made, recovered
from relogin.parts.configuration import EnvFile

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for declared, state in zip(backend.env_files, seen.env_files, strict=True):
        if isinstance(state, MissingEnvFile):
            hindrance = _hindrance(backend, seen, declared, state)
            yield Finding(
                f"{declared.path} does not exist",
                subject=declared.path,
                seen=_evidence(state),
                expected=", ".join(declared.keys),
                remedy=hindrance or f"it is made anew: {_sources(backend, seen, declared)}",
                by_person=bool(hindrance),
            )


def _hindrance(
    backend: Backend, seen: Observation, declared: EnvFile, state: MissingEnvFile
) -> str:
    """Say what keeps us from making it, and the next step; '' if nothing does.

    It is made whole or not at all: a program that finds its file, but not a key of it, may start on
    some default.
    """
    backup = f"put {declared.path} back from a backup"
    if not isinstance(state.folder, FileMeta):
        return f"{backup}: its folder is not there either"
    if declared.is_unit and not declared.path.endswith(".conf"):
        return f"{backup}: there is more in it than its environment"
    if not declared.keys:
        return f"{backup}: none of its keys is declared"
    lost = [key for key in declared.keys if recovered(backend, seen, declared, key)[0] is None]
    return f"{backup}, or make it with {', '.join(lost)}: nobody but you knows that" * bool(lost)


def _evidence(state: MissingEnvFile) -> str:
    said = [f"a link to {state.link}, which is not there"] if state.link else []
    if state.beside:
        said.append(f"beside it: {', '.join(state.beside[:5])}")
    return "; ".join(said)


def _sources(backend: Backend, seen: Observation, declared: EnvFile) -> str:
    """Say where each value comes from, keys of one source together."""
    keys: dict[str, list[str]] = {}
    for key in declared.keys:
        keys.setdefault(recovered(backend, seen, declared, key)[1], []).append(key)
    said = [f"{', '.join(names)} {source}" for source, names in keys.items()]
    return "; ".join([*said, "keys that are not declared are in a backup, if anywhere"])


def _fix(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    for declared, state in zip(backend.env_files, seen.env_files, strict=True):
        if isinstance(state, MissingEnvFile) and declared.path == finding.subject:
            found = {key: recovered(backend, seen, declared, key)[0] for key in declared.keys}
            values = {key: value for key, value in found.items() if value is not None}
            owner = _owner(backend, seen, declared, state)
            yield made(backend, declared, state, values, owner=owner)


def _owner(backend: Backend, seen: Observation, declared: EnvFile, state: MissingEnvFile) -> str:
    if declared.is_unit:
        return declared.owner or "root"
    user = getattr(seen.service, "user", "") or getattr(backend.service, "user", None)
    assert isinstance(state.folder, FileMeta)  # noqa: S101 # else a person's
    return declared.owner or user or state.folder.owner


MISSING = Fault(
    "env_file.missing",
    _detect,
    _fix,
    about="an env file does not exist",
    remedy="it is made anew from what is declared or still in force, whole or not at all",
    check=("ls -la ENV_FILE", "systemctl show UNIT -p EnvironmentFiles"),
)
