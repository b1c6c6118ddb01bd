"""The database's administrator: how a change to the server is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from relogin.facts.postgres import (
    admin_command,
    declared_target,
    target_in_force,
    url_in_force,
)
from relogin.facts.postgres_state import Server
from relogin.finding import Finding, Unreadable
from relogin.parts.configuration import DatabaseUrl, FromEnv
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
    host, port = place(backend, seen)
    return admin_command(
        backend.database.admin, port=port, host=host, database=database, service=backend.service
    )


def place(backend: Backend, seen: Observation) -> tuple[str, int]:
    """Give the server's host, or its socket's folder, and its port.

    The administrator's own, else the declared ones, else the URL's.
    """
    admin = backend.database.admin if backend.database else None
    target = declared_target(backend) or target_in_force(backend, seen.env)
    host, port = ("", 5432) if isinstance(target, Unreadable) else (target.host, target.port)
    if admin is None:
        return host, port
    return admin.socket or host, admin.port or port


def is_peer(backend: Backend) -> bool:
    """Tell whether the server is declared to ask the backend for no password."""
    url = backend.database.url if backend.database else None
    declared = backend.declared(url.key) if isinstance(url, FromEnv) else None
    return isinstance(declared, DatabaseUrl) and declared.password is None


def password_in_force(backend: Backend, seen: Observation) -> str | None:
    """Give the password of the URL that the backend reads."""
    url = url_in_force(backend, seen.env)
    if isinstance(url, Unreadable) or not url.password:
        return None
    return Secret.seen(url.password).reveal()
