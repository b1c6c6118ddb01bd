"""What cannot be released, or must not be, or not without being asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.facts import release_secret
from relogin.facts.service_state import ServiceState
from relogin.operations import release_database
from relogin.parts.runtime import Compose, Systemd
from relogin.parts.source import revision_fits

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.compose_state import Project
    from relogin.facts.observation import Observation
    from relogin.facts.release_new import NewRevision
    from relogin.facts.release_secret import NewSecret
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
    if new.gone:
        return (
            f"the revision has no {', '.join(new.gone)} any more, and would delete it on the host:"
            " keep it where git does not track it"
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


def other_secret(backend: Backend, before: Observation, new: Project | None) -> str:
    """Say that new files would start it with another JWT secret; '' where they would not.

    `new` is the project as they have it. Where nothing runs, what is in place now counts.
    """
    named, service = release_secret.key(backend), getattr(backend.service, "service", "")
    declared = new.environment(service) if new else None
    if not named or declared is None:
        return ""
    now = before.service.project if isinstance(before.service, ServiceState) else None
    running = before.in_process(named) or ((now and now.environment(service)) or {}).get(named)
    if running is None or declared.get(named) == running:
        return ""
    return f"the new files give it another {named}: everybody would be logged out"


def new_secret(backend: Backend, before: Observation, new: NewSecret) -> str:
    """Say that the fetched revision has another JWT secret, or compose files that are none."""
    if new.changing:
        where, named = ", ".join(new.changing), release_secret.key(backend)
        return f"the revision sets another {named} in {where}: everybody would be logged out"
    if new.project is not None and new.project.config_error:
        return f"the revision's compose files: {new.project.config_error}"
    return other_secret(backend, before, new.project)
