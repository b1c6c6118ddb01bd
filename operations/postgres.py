"""Ensure that the server runs and lets the backend in: role, password, database, privileges."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import scram, shell, sql, undo
from relogin.facts.connection import Connection
from relogin.facts.postgres import admin_command, url_in_force
from relogin.facts.postgres_state import Role, Server
from relogin.fault import Change, Fault
from relogin.finding import Finding, Unreadable
from relogin.mend import mend
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

Judge = Callable[["Backend", "Observation", Server], "Finding | None"]


def _where_up(judge: Judge) -> Callable[[Backend, Observation], Finding | None]:
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
    url = url_in_force(backend, seen.env)
    port = 5432 if isinstance(url, Unreadable) else url.port or 5432
    return admin_command(backend.database.admin, port=port, database=database)


def password_in_force(backend: Backend, seen: Observation) -> str | None:
    """Give the password of the URL that the backend reads."""
    url = url_in_force(backend, seen.env)
    if isinstance(url, Unreadable) or not url.password:
        return None
    return Secret.seen(url.password).reveal()


def _detect_server_down(backend: Backend, seen: Observation) -> Finding | None:
    server = seen.postgres
    if not isinstance(server, Server) or not server.down:
        return None
    return Finding(
        "PostgreSQL does not answer",
        seen="; ".join(server.clusters) or "pg_isready: no response",
        remedy="its service is started",
    )


def _fix_server_down(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Start the cluster's own unit on Debian (`postgresql` is only an umbrella there)."""
    assert backend.database is not None and backend.database.admin is not None  # noqa: S101, PT018
    url = url_in_force(backend, seen.env)
    admin = backend.database.admin
    port = admin.port or (5432 if isinstance(url, Unreadable) else url.port or 5432)
    where = shell.words(["-h", admin.socket]) if admin.socket else ""
    yield Change(
        f"""\
unit=postgresql
if command -v pg_lsclusters >/dev/null; then
  found=$(pg_lsclusters -h | awk '$3 == {port} {{ print "postgresql@" $1 "-" $2 }}' | head -n 1)
  unit=${{found:-$unit}}
fi
systemctl reset-failed "$unit" 2>/dev/null
within 60 systemctl start "$unit" || exit
n=0
until pg_isready -q {where} -p {port}; do n=$((n + 1)); [ $n -lt 120 ] || exit 1; sleep 0.25; done
""",
        "start PostgreSQL",
        deadline=90,
    )


def _judge_role_missing(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    if server.role is not None:
        return None
    alike = ", ".join(server.similar_roles)
    known = password_in_force(backend, seen) is not None
    return Finding(
        f"role {server.target.role} does not exist",
        subject=server.target.role,
        seen=f"there is {alike}" if alike else "no such row in pg_roles",
        remedy=f"decide whether {alike} is meant"
        if alike
        else "it is made, with the URL's password",
        by_person=bool(alike) or not known,
    )


def _fix_role_missing(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    statement = (
        f"create role {sql.name(finding.subject)} login password {_verifier(backend, seen)};"
    )
    psql = sql.psql(sql.WRITE + statement, command=administrator(backend, seen))
    yield Change(
        psql, f"CREATE ROLE {finding.subject} LOGIN, with the password of the database URL"
    )


def _verifier(backend: Backend, seen: Observation) -> str:
    password = password_in_force(backend, seen)
    assert password is not None  # noqa: S101 # without one there is no finding to fix
    return sql.literal(scram.scram_verifier(password))


def _judge_password(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    password = password_in_force(backend, seen)
    if server.role is None or password is None or server.role.accepts(password) is not False:
        return None
    return Finding(
        f"the password of role {server.role.name} is not the one in the database URL",
        subject=server.role.name,
        seen=_said(server.role),
        remedy="the role gets the URL's password",
    )


def _said(role: Role) -> str:
    return (
        "it has no password" if role.kind == "none" else f"its {role.kind} verifier does not match"
    )


def _fix_password(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    psql = administrator(backend, seen)
    role = sql.literal(finding.subject)
    kept = (
        "select format('ALTER ROLE %I PASSWORD %L;', rolname, rolpassword)"
        f" from pg_authid where rolname = {role};"
    )
    statement = f"alter role {sql.name(finding.subject)} password {_verifier(backend, seen)};"
    yield Change(
        undo.store(backend)
        + undo.kept_sql(psql, f"role-{finding.subject}", kept)
        + sql.psql(sql.WRITE + statement, command=psql),
        f"ALTER ROLE {finding.subject}: set the password of the database URL",
    )


def _judge_database(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    name = server.target.database
    if server.database is not None:
        return None
    alike = ", ".join(other for other in server.databases if name.lower() in other.lower())
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


def _fix_database(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    assert isinstance(seen.postgres, Server)  # noqa: S101 # there is no finding otherwise
    name, owner = sql.name(finding.subject), sql.name(seen.postgres.target.role)
    statement = f"create database {name} owner {owner} template template0 encoding 'UTF8';"
    write = sql.WRITE + "set statement_timeout = '60s';\n"  # copying a template takes a while
    psql = sql.psql(write + statement, command=administrator(backend, seen))
    yield Change(psql, f"CREATE DATABASE {finding.subject}", deadline=90)


def _judge_privileges(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    closed = [*server.closed_tables, *server.closed_sequences]
    if not closed or server.role is None:
        return None
    return Finding(
        f"role {server.role.name} may not use {', '.join(closed)}",
        subject=server.role.name,
        seen="has_any_column_privilege and has_sequence_privilege say no",
        remedy="SELECT, INSERT and UPDATE are granted, and USAGE on the sequences",
    )


def _fix_privileges(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    assert backend.database is not None  # noqa: S101 # there is no finding otherwise
    assert isinstance(seen.postgres, Server)  # noqa: S101
    role, schema = sql.name(finding.subject), backend.database.schema
    grants = [f"grant usage on schema {sql.name(schema)} to {role};"]
    for table in seen.postgres.closed_tables:
        grants.append(f"grant select, insert, update on {sql.name(schema, table)} to {role};")
    for sequence in seen.postgres.closed_sequences:
        grants.append(f"grant usage on sequence {sql.name(schema, sequence)} to {role};")
    psql = administrator(backend, seen, seen.postgres.target.database)
    yield Change(
        sql.psql(sql.WRITE + "\n".join(grants), command=psql),
        f"GRANT to {finding.subject} what the backend needs",
    )


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


SERVER_DOWN = Fault(
    "postgres.server-down",
    _detect_server_down,
    _fix_server_down,
    about="PostgreSQL does not answer",
)
ROLE_MISSING = Fault(
    "postgres.role-missing",
    _where_up(_judge_role_missing),
    _fix_role_missing,
    about="the backend's role does not exist",
)
ROLE_PASSWORD_DIFFERS = Fault(
    "postgres.role-password-differs",
    _where_up(_judge_password),
    _fix_password,
    about="the role's password is not the one in DATABASE_URL",
)
DATABASE_MISSING = Fault(
    "postgres.database-missing",
    _where_up(_judge_database),
    _fix_database,
    unless=("postgres.role-missing",),
    about="the backend's database does not exist",
)
PRIVILEGES_MISSING = Fault(
    "postgres.table-privileges-missing",
    _where_up(_judge_privileges),
    _fix_privileges,
    about="the role may not use the users table or its sequence",
)
URL_REFUSED = Fault(
    "postgres.url-refused",
    _detect_refused,
    symptom_of=("env_file", "postgres"),
    about="the backend's own DATABASE_URL does not connect",
)
FAULTS = (
    SERVER_DOWN,
    ROLE_MISSING,
    ROLE_PASSWORD_DIFFERS,
    DATABASE_MISSING,
    PRIVILEGES_MISSING,
    URL_REFUSED,
)


@operation()
def ready(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that PostgreSQL runs and lets the backend in.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
