"""The database's administrator: how a change to the server is made, and when none may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from relogin import sql, undo
from relogin.facts import elsewhere
from relogin.facts.postgres import (
    admin_command,
    declared_target,
    target_in_force,
    url_in_force,
)
from relogin.facts.postgres_state import Contents, Server, Target
from relogin.fault import Change, Detect
from relogin.finding import Finding, Unreadable
from relogin.parts.configuration import DatabaseUrl, FromEnv
from relogin.parts.database import AdminUrl
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

Judge = Callable[["Backend", "Observation", Server], "Finding | Iterable[Finding] | None"]

# On what, the names of it (its schema's and its own), and which privileges.
Grant = tuple[str, tuple[str, ...], tuple[str, ...]]
# A standby takes no writes: who promotes it decides. (On a full disk no fix is tried at all.)
NO_WRITES = ("postgres.in-recovery",)


def where_up(judge: Judge) -> Detect:
    """Ask only where the server answers its administrator; else this layer knows nothing."""

    def detect(backend: Backend, seen: Observation) -> Finding | Iterable[Finding] | None:
        server = seen.postgres
        if not isinstance(server, Server) or server.down or server.starting:
            return None
        return judge(backend, seen, server)

    return detect


def where_entered(
    judge: Callable[[Backend, Server, Contents], Finding | Iterable[Finding] | None],
) -> Detect:
    """Ask only where the backend's database could be entered."""

    def within(
        backend: Backend, seen: Observation, server: Server
    ) -> Finding | Iterable[Finding] | None:
        return None if server.contents is None else judge(backend, server, server.contents)

    return where_up(within)


def address(backend: Backend, seen: Observation) -> Target:
    """Give where the URL points; the look was taken there."""
    target = declared_target(backend) or target_in_force(backend, seen.env)
    assert isinstance(target, Target)  # noqa: S101 # else the server was not asked
    return target


def server_of(seen: Observation) -> Server:
    """Give the server of a look that has a finding about it."""
    assert isinstance(seen.postgres, Server)  # noqa: S101 # there is no finding otherwise
    return seen.postgres


def contents_of(seen: Observation) -> Contents:
    """Give the database's contents in a look that has a finding about them."""
    contents = server_of(seen).contents
    assert contents is not None  # noqa: S101 # there is no finding otherwise
    return contents


def altered(
    backend: Backend,
    seen: Observation,
    why: str,
    *,
    what: str,
    read: str,
    write: str,
    to: str,
    still: str = "true",
    database: str = "",
) -> Change:
    """Change one value of the server; what it was is kept (relogin.undo.changed_sql)."""
    psql = administrator(backend, seen, database)
    script = undo.changed_sql(backend, psql, what=what, read=read, write=write, to=to, still=still)
    return Change(script, why)


def granted(backend: Backend, seen: Observation, why: str, *grants: Grant, role: str) -> Change:
    """Grant rights in the backend's database; what the role was granted before is kept."""
    psql = administrator(backend, seen, server_of(seen).target.database)
    kept = (
        undo.kept_privileges(psql, role, on=on, names=names, privileges=privileges)
        for on, names, privileges in grants
    )
    statements = "\n".join(
        f"grant {', '.join(privileges)} on {on} {sql.name(*names)} to {sql.name(role)};"
        for on, names, privileges in grants
    )
    whole = sql.WRITE + sql.alone(statements)
    script = undo.store(backend) + "".join(kept) + sql.psql(whole, command=psql)
    return Change(script, why)


def administrator(backend: Backend, seen: Observation, database: str = "") -> str:
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
    if isinstance(admin, AdminUrl):
        return elsewhere.place(admin)
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
