"""What a fetched revision brings, and whether it may be released: all before what runs changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyinfra import host as current_host

from relogin import deed
from relogin.facts import own_url, release_new, release_secret
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.mend import observe
from relogin.operations import release_database, release_unfit
from relogin.operations.release_tree import stage
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Target
    from relogin.facts.release_new import NewRevision
    from relogin.releasing import Releasing
    from relogin.run import Entry


def judged(record: Releasing, seen: Observation, wanted: str) -> tuple[NewRevision | None, str]:
    """Look at the commit in the stage; give what it brings, and why it must not be released."""
    backend, source = record.entry.backend, record.source
    assert source is not None  # noqa: S101 # it was fetched from it
    reached, laid_out = own_url.reached(backend, seen.env), stage(source)
    if isinstance(reached, Unreadable):
        return None, f"the database cannot be reached: {reached.reason}"
    found = target(backend, seen)
    new = release_new.look(current_host, reached, source, laid_out, wanted, found)
    if isinstance(new, Unreadable):
        return None, new.reason
    if last := release_unfit.lasting(backend, source, new):
        deed.say(f"cannot be undone: {last}", "yellow")
    allowed = str(current_host.data.get("allow_irreversible")).lower() == "true"
    if problem := release_unfit.problem(backend, source, new, allowed=allowed):
        return new, problem
    secret = release_secret.look(current_host, backend, source, laid_out, wanted, seen)
    if isinstance(secret, Unreadable):
        return new, secret.reason
    return new, release_unfit.new_secret(backend, seen, secret)


def target(backend: Backend, seen: Observation) -> Target | None:
    """Give which database it is; None where none is declared, or it is not known."""
    found = release_database.target(backend, seen)
    return None if isinstance(found, Unreadable) else found


def other_secret(entry: Entry, before: Observation) -> str:
    """Look again behind the checkout: say that Compose would start it with another JWT secret."""
    if not isinstance(entry.backend.service, Compose):
        return ""
    built = observe(entry)
    service = built.service if built else None
    project = service.project if isinstance(service, ServiceState) else None
    return release_unfit.other_secret(entry.backend, before, project)
