"""The database's administrator: how a change to the server is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from relogin.facts.postgres import admin_command, declared_target, url_in_force
from relogin.facts.postgres_state import Server
from relogin.finding import Finding, Unreadable
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

Judge = Callable[["Backend", "Observation", Server], "Finding | None"]


def where_up(judge: Judge) -> Callable[[Backend, Observation], Finding | None]:
    """Ask only where the server answers its administrator; else this layer knows nothing."""

    def detect(backend: Backend, seen: Observation) -> Finding | None:
        server = seen.postgres
        if not isinstance(server, Server) or server.down:
            return None
        return judge(backend, seen, server)

    return detect


def administrator(backend: Backend, seen: Observation, database: str = "postgres") -> str:
    """Give the administrator's psql on this host, for a change."""
    assert backend.database is not None and backend.database.admin is not None  # noqa: S101, PT018
    return admin_command(
        backend.database.admin, port=port(backend, seen), database=database, service=backend.service
    )


def port(backend: Backend, seen: Observation) -> int:
    """Give the server's port: the administrator's own, the declared one, or the URL's."""
    admin = backend.database.admin if backend.database else None
    if admin is not None and admin.port:
        return admin.port
    if (declared := declared_target(backend)) is not None:
        return declared.port
    url = url_in_force(backend, seen.env)
    return 5432 if isinstance(url, Unreadable) else url.port or 5432


def password_in_force(backend: Backend, seen: Observation) -> str | None:
    """Give the password of the URL that the backend reads."""
    url = url_in_force(backend, seen.env)
    if isinstance(url, Unreadable) or not url.password:
        return None
    return Secret.seen(url.password).reveal()
