"""The database by the backend's own URL, where the profile has no administrator (`admin=None`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from relogin import database_url
from relogin.facts import elsewhere, postgres
from relogin.finding import Unreadable
from relogin.parts.database import AdminUrl
from relogin.parts.runtime import Compose
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend

# What libpq has of a URL that a driver of Python reads (PostgreSQL docs, 34.1.2).
_KNOWN = frozenset(
    (
        *("application_name", "channel_binding", "connect_timeout", "gssencmode", "keepalives"),
        *("options", "sslcert", "sslcrl", "sslkey", "sslmode", "sslpassword", "sslrootcert"),
        "target_session_attrs",
    )
)
_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})


def reached(backend: Backend, env: Callable[[str], str | None]) -> Backend | Unreadable:
    """Give the backend with its own URL in the place of an administrator that it has not.

    What that role may not see or dump, PostgreSQL refuses by itself.
    """
    database = backend.database
    if database is None or database.admin is not None:
        return backend
    if isinstance(backend.service, Compose) and backend.service.database_service:
        return Unreadable("in its container only its administrator is asked: leave out admin=None")
    url = postgres.url_in_force(backend, env)
    if isinstance(url, Unreadable):
        return url
    plain = dataclasses.replace(url, driver="postgresql", query=tuple(_for_libpq(url)))
    try:
        admin = AdminUrl(Secret.seen(database_url.build(plain)))
    except database_url.DatabaseUrlError as error:
        return Unreadable(str(error))
    if problem := elsewhere.unfit(admin):
        return Unreadable(problem)
    return dataclasses.replace(backend, database=dataclasses.replace(database, admin=admin))


def _for_libpq(url: database_url.DatabaseAddress) -> Iterator[tuple[str, str]]:
    """Give the parameters that libpq knows; asyncpg has `ssl` for what it calls sslmode."""
    for name, value in url.query:
        if name in _KNOWN:
            yield name, value
        elif name == "ssl" and value in _MODES:
            yield "sslmode", value
