"""Ensure that the server runs and lets the backend in: role, password, database, privileges."""

from __future__ import annotations

import difflib
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import shell, sql, undo
from relogin.facts.connection import Connection
from relogin.facts.postgres_state import Server
from relogin.fault import NO_ROOM, Change, Fault
from relogin.finding import Finding
from relogin.mend import mend
from relogin.operations import (
    postgres_hba,
    postgres_index,
    postgres_limits,
    postgres_role,
    postgres_schema,
    postgres_settings,
)
from relogin.operations.administrator import (
    NO_WRITES,
    address,
    administrator,
    place,
    where_up,
)
from relogin.operations.compose_service import how_it_is, started_as_it_is
from relogin.parts.database import AdminUrl
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _detect_server_down(backend: Backend, seen: Observation) -> Finding | None:
    server = seen.postgres
    if not isinstance(server, Server) or not server.down or _elsewhere(backend, seen, server):
        return None
    if isinstance(backend.database and backend.database.admin, AdminUrl):
        host, port = place(backend, seen)
        return Finding(
            f"PostgreSQL does not answer at {host}:{port}",
            seen="pg_isready, asked from here: no response",
            remedy="it is elsewhere: start it there, or see what is in the way from this host"
            " (name, firewall, allowed addresses)",
            by_person=True,
        )
    part = backend.service
    container = how_it_is(seen, part.database_service) if isinstance(part, Compose) else ""
    return Finding(
        "PostgreSQL does not answer",
        seen="; ".join(server.clusters) or container or "pg_isready: no response",
        remedy="its service is started",
    )


def _elsewhere(backend: Backend, seen: Observation, server: Server) -> list[str]:
    """Give the clusters that run on other ports than the asked one, if none is there for that."""
    ports = {line.split()[2]: line for line in server.clusters if len(line.split()) > 3}
    if str(place(backend, seen)[1]) in ports:
        return []
    return [line for line in ports.values() if line.split()[3].startswith("online")]


def _detect_wrong_address(backend: Backend, seen: Observation) -> Finding | None:
    server = seen.postgres
    if not isinstance(server, Server):
        return None
    elsewhere = _elsewhere(backend, seen, server) if server.down else []
    if not elsewhere and not server.unreached:
        return None
    target = address(backend, seen)
    place = f"{target.host}:{target.port}"
    return Finding(
        f"PostgreSQL does not listen at {place}, where the database URL points",
        subject=place,
        seen="; ".join(elsewhere) or "its administrator gets in elsewhere; nobody answers there",
        remedy="decide which is right: correct the URL, or listen_addresses and port in"
        " postgresql.conf (which take a restart of the server)",
    )


def _detect_starting(backend: Backend, seen: Observation) -> Finding | None:
    server = seen.postgres
    if not isinstance(server, Server) or not server.starting:
        return None
    return Finding(
        "PostgreSQL lets nobody in yet, or no more",
        seen="; ".join(server.clusters) or "pg_isready: it rejects connections",
        remedy="it is starting, stopping or recovering: wait for it, and see its log for how far it"
        " is; a standby with hot_standby off never lets anybody in",
    )


def _fix_server_down(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Start the cluster's own unit on Debian (`postgresql` is only an umbrella there)."""
    if isinstance(backend.service, Compose) and backend.service.database_service:
        yield started_as_it_is(backend, backend.service.database_service)
        return
    host, number = place(backend, seen)
    where = shell.words(["-h", host]) if host.startswith("/") else ""
    yield Change(
        f"""\
unit=postgresql
if command -v pg_lsclusters >/dev/null; then
  found=$(pg_lsclusters -h | awk '$3 == {number} {{ print "postgresql@" $1 "-" $2 }}' | head -n 1)
  unit=${{found:-$unit}}
fi
systemctl reset-failed "$unit" 2>/dev/null
within 60 systemctl start "$unit" || exit
n=0
until pg_isready -q {where} -p {number}; do
  n=$((n + 1)); [ $n -lt 120 ] || exit 1; sleep 0.25
done
""",
        "start PostgreSQL",
        deadline=90,
    )


_CLOSE = 0.8  # of the letters of two names: halext_org and halext-or, halext or halextorg


def _judge_database(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    name = server.target.database
    if server.database is not None:
        return None
    alike = ", ".join(_alike(name, server.databases))
    remedy = "an empty one is made; if its rows are in a backup, restore that"
    if alike:
        remedy = f"decide whether {alike} is the one, and rename it: an empty new one would hide it"
    return Finding(
        f"database {name} does not exist",
        subject=name,
        seen=f"there is {alike}" if alike else "no such row in pg_database",
        remedy=remedy,
        by_person=bool(alike),
    )


def _alike(name: str, there: Sequence[str]) -> Iterator[str]:
    """Give the databases that may be meant: a name holds this one, or is one slip away from it.

    Numbers are no slip: there are databases for each tenant, by number.
    """
    meant, number = _letters(name)
    for other in there:
        letters, its = _letters(other)
        close = difflib.SequenceMatcher(None, meant, letters).ratio() >= _CLOSE
        if (meant in letters and number in its) or (close and number == its):
            yield other


def _letters(name: str) -> tuple[str, str]:
    """Give a name's letters, in lower case, and its digits."""
    lower = name.lower()
    return "".join(filter(str.isalpha, lower)), "".join(filter(str.isdigit, lower))


def _fix_database(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    assert isinstance(seen.postgres, Server)  # noqa: S101 # there is no finding otherwise
    name, owner = sql.name(finding.subject), sql.name(seen.postgres.target.role)
    statement = f"create database {name} owner {owner} template template0 encoding 'UTF8'"
    write = sql.WRITE + "set statement_timeout = '60s';\n"  # copying a template takes a while
    made = sql.fill(_ONCE, create=sql.literal(statement), name=sql.literal(finding.subject))
    psql = sql.psql(write + made, command=administrator(backend, seen))
    script = undo.stays(backend, psql, f"database {finding.subject}, which it made")
    yield Change(script, f"CREATE DATABASE {finding.subject}", deadline=90)


# Not within a transaction (PostgreSQL docs, CREATE DATABASE): the lock is the session's.
_ONCE = """\
select pg_advisory_lock(7354366) \\g /dev/null
select :create: where not exists (select from pg_database where datname = :name:) \\gexec
"""


def _detect_refused(backend: Backend, seen: Observation) -> Finding | None:
    connection = seen.connection
    if not isinstance(connection, Connection) or connection.ok:
        return None
    return Finding(
        "the backend's own database URL does not connect",
        seen=connection.shown,
        remedy=_NEXT_STEP.get(connection.sqlstate or "", "try it by hand: psql with that URL"),
    )


# PostgreSQL docs, appendix A; a wrong password hides the last three.
_NEXT_STEP = {
    "28P01": "the role, its password or its expiry: look at pg_authid as the administrator",
    "28000": "the role may not log in, or pg_hba.conf refuses it",
    "57P03": "the server is starting or stopping: wait for it",
    "53300": "all connections are taken: see pg_stat_activity",
    "3D000": "the database does not exist under that name",
    "42501": "the role may not CONNECT to the database",
    "55000": "the database does not accept connections",
}


_READY = ("pg_lsclusters", "pg_isready -h 127.0.0.1 -p 5432")
SERVER_DOWN = Fault(
    "postgres.server-down",
    _detect_server_down,
    _fix_server_down,
    symptom_of=NO_ROOM,
    about="PostgreSQL does not answer",
    remedy="its service is started",
    check=(*_READY, "systemctl status postgresql@15-main"),
)
WRONG_ADDRESS = Fault(
    "postgres.wrong-address",
    _detect_wrong_address,
    about="PostgreSQL does not listen where DATABASE_URL points",
    remedy="correct the URL, or what the server listens on",
    check=(*_READY, "ss -ltnp", "runuser -u postgres -- psql -c 'SHOW listen_addresses'"),
)
NOT_ACCEPTING = Fault(
    "postgres.not-accepting",
    _detect_starting,
    about="PostgreSQL is starting, stopping or recovering, and lets nobody in",
    remedy="wait for it; its log says how far it is",
    check=(*_READY, "journalctl -u postgresql@15-main -n 20"),
)
DATABASE_MISSING = Fault(
    "postgres.database-missing",
    where_up(_judge_database),
    _fix_database,
    unless=("postgres.role-missing", *NO_WRITES),
    about="the backend's database does not exist",
    remedy="an empty one is made; beside a look-alike you decide which is meant",
    check=("runuser -u postgres -- psql -l",),
)
URL_REFUSED = Fault(
    "postgres.url-refused",
    _detect_refused,
    symptom_of=("env_file", "volumes", "postgres", "service.engine-down"),
    about="the backend's own DATABASE_URL does not connect",
    remedy="what refuses it is named, by the server's SQLSTATE",
    check=("psql -h 127.0.0.1 -U ROLE -d DATABASE -c 'SELECT 1'",),
)
FAULTS = (
    SERVER_DOWN,
    WRONG_ADDRESS,
    NOT_ACCEPTING,
    *postgres_hba.FAULTS,
    postgres_limits.CONNECTIONS_EXHAUSTED,
    *postgres_role.FAULTS,
    postgres_limits.ROLE_CONNECTION_LIMIT,
    DATABASE_MISSING,
    postgres_limits.DATABASE_CLOSED,
    postgres_limits.CONNECT_REVOKED,
    postgres_limits.DATABASE_CONNECTION_LIMIT,
    postgres_schema.SCHEMA_USAGE_MISSING,
    postgres_settings.SEARCH_PATH_WRONG,
    postgres_schema.SCHEMA_CREATE_MISSING,
    postgres_schema.TABLE_PRIVILEGES_MISSING,
    postgres_schema.SEQUENCE_PRIVILEGES_MISSING,
    postgres_schema.ROW_SECURITY_HIDES_ROWS,
    postgres_settings.READ_ONLY,
    postgres_settings.IN_RECOVERY,
    postgres_index.USERS_TABLE_LOCKED,
    postgres_settings.TIMEOUT_TOO_SHORT,
    postgres_index.COLLATION_CHANGED,
    postgres_index.INDEX_INVALID,
    postgres_index.SEQUENCE_BEHIND,
    URL_REFUSED,
)


@operation()
def ready(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that PostgreSQL runs and lets the backend in.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
