"""What cannot be released, or must not be, or not without being asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.facts.service_state import ServiceState
from relogin.operations import release_database
from relogin.parts.configuration import FromEnv
from relogin.parts.runtime import Compose, Systemd
from relogin.parts.source import revision_fits

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.release_new import NewRevision
    from relogin.parts.source import Source


def impossible(backend: Backend, revision: str) -> str:
    """Say what keeps this backend from being released at all; '' where nothing does."""
    if backend.source is None:
        return f"{backend!r} declares no source=Source(…): there is nothing to release from"
    if backend.login is None:
        return f"{backend!r} declares no login: what was released could not be proven"
    if not isinstance(backend.service, Systemd | Compose):
        kind = type(backend.service).__name__
        return f"{backend!r} runs by {kind}, and releases are made for Systemd and Compose"
    if not revision_fits(revision):
        return f"--data revision={revision} is none that git has"
    return ""


def lasting(backend: Backend, source: Source, new: NewRevision) -> str:
    """Say which migrations cannot be undone; '' where all can, or there are none."""
    if new.lasting:
        return f"migration {', '.join(new.lasting)} deletes, or has no way back"
    way_back = release_database.can_go_back(backend) and bool(new.undone)
    if new.pending and not way_back and not source.migrate_first:
        return "the schema has no single revision to go back to"
    return ""


def problem(backend: Backend, source: Source, new: NewRevision, *, allowed: bool) -> str:
    """Say why it must not be released; `allowed`: migrations that cannot be undone are."""
    if new.env_files:
        return (
            f"the revision itself holds {', '.join(new.env_files)}, other than on the host:"
            " its secrets would change; take it out of the repository"
        )
    if new.submodules:
        return "the revision has git submodules, which are not released: it would lack their files"
    if new.rivals and not release_database.takes_all(backend):
        return (
            f"the revision has several newest migrations, {', '.join(new.rivals)}, so that none"
            " could be run: merge them in the code"
        )
    last = lasting(backend, source, new)
    return f"{last}: needs --data allow_irreversible=true" if last and not allowed else ""


def other_secret(backend: Backend, before: Observation, built: Observation) -> str:
    """Say that the new files would start it with another JWT secret; '' where they would not."""
    secret = backend.token.secret if backend.token else None
    service, state = backend.service, built.service
    if not isinstance(secret, FromEnv) or not isinstance(state, ServiceState):
        return ""
    running = before.in_process(secret.key)
    declared = state.project.environment(getattr(service, "service", "")) if state.project else None
    if running is None or declared is None or declared.get(secret.key) == running:
        return ""
    return f"the new files give it another {secret.key}: everybody would be logged out"
