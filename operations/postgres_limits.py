"""How many connections there may be, and whether the database takes any from this role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import sql
from relogin.facts.postgres_state import Database, Role, Server
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.operations.administrator import NO_WRITES, altered, granted, server_of, where_up

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def held_by(server: Server) -> str:
    """Say whose connections there are."""
    whose = (f"{n} of {user} ({name or 'unnamed'})" for n, user, name in server.holders)
    return f"{server.used} connections: {', '.join(whose)}" if server.holders else "none is held"


def _judge_exhausted(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    if server.used < server.room or (server.role is not None and server.role.superuser):
        return None
    return Finding(
        "all connections of PostgreSQL are taken",
        seen=held_by(server),
        expected=f"fewer than {server.room}",
        remedy="restart what holds them (SELECT pid, application_name, client_addr, state,"
        " state_change FROM pg_stat_activity), and give it a smaller pool",
    )


def _limited(kind: str, name: str, of: Role | Database, server: Server) -> Finding | None:
    """Find a limit that is reached; one of 0 is a closed door, and no decision about size."""
    if of.limit < 0 or of.used < of.limit:
        return None
    by_person = of.limit > 0
    statement = f"ALTER {kind.upper()} {sql.name(name)} CONNECTION LIMIT -1, or a larger number"
    return Finding(
        f"{kind} {name} may have no more connections",
        subject=name,
        seen=f"its connection limit is {of.limit}, {of.used} are there; {held_by(server)}",
        remedy=f"end those that hold them, or: {statement}" if by_person else "the limit is lifted",
        by_person=by_person,
    )


def _judge_role_limit(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    role = server.role
    if role is None or role.superuser:
        return None
    return _limited("role", role.name, role, server)


def _judge_database_limit(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    superuser = server.role is not None and server.role.superuser
    if server.database is None or superuser:
        return None
    return _limited("database", server.database.name, server.database, server)


def _fix_role_limit(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    yield _unlimited(backend, seen, "ROLE", finding.subject)


def _fix_database_limit(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    yield _unlimited(backend, seen, "DATABASE", finding.subject)


def _unlimited(backend: Backend, seen: Observation, kind: str, name: str) -> Change:
    table, prefix = _LIMITS[kind]
    return altered(
        backend,
        seen,
        f"ALTER {kind} {name} CONNECTION LIMIT -1",
        what=f"connection limit of {kind.lower()} {name}",
        read=f"select {prefix}connlimit from {table} where {prefix}name = {sql.literal(name)}",
        write=f"alter {kind} {sql.name(name)} connection limit :to;",
        to="'-1'",
    )


_LIMITS = {"ROLE": ("pg_roles", "rol"), "DATABASE": ("pg_database", "dat")}


def _judge_closed(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    database = server.database
    if database is None or (database.open and database.limit != _INVALID):
        return None
    if database.limit == _INVALID:
        name, restored = sql.name(database.name), sql.name(f"{database.name}_restored")
        return Finding(
            f"database {database.name} is invalid",
            subject=database.name,
            seen="an interrupted DROP DATABASE left it (pg_database.datconnlimit is -2)",
            remedy=f"restore a backup of it as {restored} (createdb, pg_restore); then"
            f" DROP DATABASE {name} ends what was begun, and"
            f" ALTER DATABASE {restored} RENAME TO {name} puts it in its place",
            by_person=True,
        )
    return Finding(
        f"database {database.name} accepts no connections",
        subject=database.name,
        seen="pg_database.datallowconn is false",
        remedy="it is opened again",
    )


_INVALID = -2  # PostgreSQL's DATCONNLIMIT_INVALID_DB


def _fix_closed(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    name = finding.subject
    yield altered(
        backend,
        seen,
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS true",
        what=f"ALLOW_CONNECTIONS of database {name}",
        read=f"select datallowconn::text from pg_database where datname = {sql.literal(name)}",
        write=f"alter database {sql.name(name)} allow_connections :to;",
        to="'true'",
    )


def _judge_revoked(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    if server.role is None or server.database is None or server.database.connect is not False:
        return None
    return Finding(
        f"role {server.role.name} may not connect to database {server.database.name}",
        subject=server.role.name,
        seen="has_database_privilege says no",
        remedy="CONNECT is granted",
    )


def _fix_revoked(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    database = server_of(seen).target.database
    yield granted(
        backend,
        seen,
        f"GRANT CONNECT ON DATABASE {database} TO {finding.subject}",
        ("database", (database,), ("connect",)),
        role=finding.subject,
    )


_DATABASE = (
    "runuser -u postgres -- psql -c 'SELECT datname, datallowconn, datconnlimit, datacl"
    " FROM pg_database'",
)
CONNECTIONS = (
    "runuser -u postgres -- psql -c 'SELECT usename, application_name, client_addr, state, count(*)"
    " FROM pg_stat_activity GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC'",
    "runuser -u postgres -- psql -c 'SHOW max_connections'",
)
CONNECTIONS_EXHAUSTED = Fault(
    "postgres.connections-exhausted",
    where_up(_judge_exhausted),
    about="all connections of the server are taken",
    remedy="restart what holds them, and give it a smaller pool",
    check=CONNECTIONS,
)
ROLE_CONNECTION_LIMIT = Fault(
    "postgres.role-connection-limit",
    where_up(_judge_role_limit),
    _fix_role_limit,
    unless=NO_WRITES,
    about="the role may have no more connections",
    remedy="a limit of 0 is lifted; a larger one is yours to raise",
    check=("runuser -u postgres -- psql -c 'SELECT rolname, rolconnlimit FROM pg_roles'",),
)
DATABASE_CLOSED = Fault(
    "postgres.database-closed",
    where_up(_judge_closed),
    _fix_closed,
    unless=NO_WRITES,
    about="the database accepts no connections",
    remedy="it is opened again; one that a broken DROP DATABASE left is yours to restore",
    check=_DATABASE,
)
CONNECT_REVOKED = Fault(
    "postgres.connect-revoked",
    where_up(_judge_revoked),
    _fix_revoked,
    unless=NO_WRITES,
    about="the role may not connect to the database",
    remedy="CONNECT is granted",
    check=_DATABASE,
)
DATABASE_CONNECTION_LIMIT = Fault(
    "postgres.database-connection-limit",
    where_up(_judge_database_limit),
    _fix_database_limit,
    unless=NO_WRITES,
    about="the database may have no more connections",
    remedy="a limit of 0 is lifted; a larger one is yours to raise",
    check=_DATABASE,
)
