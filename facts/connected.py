"""Whether the backend's own database URL connects, from where the backend is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.facts import postgres
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.tunnel import Tunnel

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.connection import Connection
    from relogin.facts.observation import Observation


def ask(host: Host, backend: Backend, seen: Observation) -> Connection | Unreadable:
    """Connect by the URL that is in force, and leave again."""
    url = postgres.url_in_force(backend, seen.env)
    if isinstance(url, Unreadable):
        return url
    from relogin.facts import connection, peer

    if peer.is_for_a_peer(url):
        return peer.connect(host, seen.service, url)
    where = _address_of(seen, url.host or "")
    return connection.connect(Tunnel.to(host, backend), url, at=where)


def _address_of(seen: Observation, name: str) -> str | None:
    """Give the address of a container that the backend reaches by the name of its service."""
    state = seen.service
    project = state.project if isinstance(state, ServiceState) else None
    return project.address(name) if project is not None else None
