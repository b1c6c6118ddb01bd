"""The database's address where it is in separate keys: POSTGRES_USER and its like."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from relogin.database_url import DatabaseAddress
from relogin.facts.postgres_state import Target
from relogin.finding import Unreadable

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.parts.configuration import FromParts


def target(backend: Backend, parts: FromParts) -> Target | None:
    """Give the target, where the profile declares each of its parts as text."""
    user, database = backend.declared(parts.user), backend.declared(parts.database)
    host = backend.declared(parts.host) if parts.host else parts.default_host
    port = backend.declared(parts.port) if parts.port else str(parts.default_port)
    words = [word for word in (user, database, host, port) if isinstance(word, str)]
    return Target(words[0], words[1], int(words[3]), words[2]) if len(words) == 4 else None


def address(parts: FromParts, env: Callable[[str], str | None]) -> DatabaseAddress | Unreadable:
    """Give the address that the keys in force make up."""
    for key in (parts.user, parts.password, parts.database):
        if not env(key):
            return Unreadable(f"{key} has no value")
    port = (env(parts.port) if parts.port else None) or str(parts.default_port)
    if not port.isdigit():
        return Unreadable(f"{parts.port} is no port")
    return DatabaseAddress(
        "postgresql",
        user=env(parts.user),
        password=env(parts.password),
        host=(env(parts.host) if parts.host else None) or parts.default_host,
        port=int(port),
        database=env(parts.database),
    )
