"""A key of the env file that the backend's own settings forbid: no start, or no request."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from relogin.facts.env_file import EnvFileState
from relogin.facts.service_state import ServiceState
from relogin.fault import Fault
from relogin.finding import Finding
from relogin.operations.login_reading import server_error
from relogin.operations.service_down import is_looping

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

# What pydantic says, in the line after the field's name (its docs, "Validation Errors"). For an env
# file pydantic-settings forbids by default what is no field of the settings.
_FORBIDDEN = "[type=extra_forbidden"


def _refused(backend: Backend, seen: Observation) -> set[str]:
    """Give the names that settings were refused for, in small letters; {} where all works.

    They are read at the start, or by the first request that needs them (FastAPI's docs, "Settings
    in a dependency"): then the service runs, and the login answers 500.
    """
    service = seen.service
    if not isinstance(service, ServiceState) or not isinstance(service.log, tuple):
        return set()
    if service.active and not is_looping(seen, service) and not server_error(backend, seen):
        return set()
    lines = pairwise(line for line in service.log if line.strip())
    return {name.split()[-1].lower() for name, said in lines if _FORBIDDEN in said}


def _detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
    refused = _refused(backend, seen)
    for state in seen.env_files:
        if not isinstance(state, EnvFileState):
            continue
        for key in state.values:
            if key.lower() in refused:
                yield _finding(backend, state.path, key)


def _finding(backend: Backend, path: str, key: str) -> Finding:
    declared = any(file.path == path and key in file.keys for file in backend.env_files)
    where = "the profile and the file" if declared else "the file"
    return Finding(
        f"{path} has key {key}, which the backend's settings forbid",
        subject=f"{path}:{key}",
        seen="its log: Extra inputs are not permitted (extra_forbidden)",
        remedy=f"take it out of {where}, or let the settings know it or ignore others"
        " (SettingsConfigDict(extra='ignore')); then start the service",
    )


EXTRA_KEY_FORBIDDEN = Fault(
    "env_file.extra-key-forbidden",
    _detect,
    about="a key of the env file is forbidden by the backend's settings (pydantic-settings)",
    remedy="take it out, or let the settings know it or ignore others; then start the service",
    check=("journalctl -u UNIT -n 80 --no-pager | grep -B 1 extra_forbidden | cut -d [ -f 1-3",),
)
