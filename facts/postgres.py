"""PostgreSQL as its administrator sees it: server, role, database, tables."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import database_url, shell, sql
from relogin.facts import alone, database_parts, elsewhere, postgres_answer, postgres_sql
from relogin.facts.compose_script import container_psql, container_ready
from relogin.facts.postgres_state import Target
from relogin.finding import Unreadable
from relogin.parts.configuration import DatabaseUrl, FromEnv, FromParts
from relogin.parts.database import AdminUrl, Peer
from relogin.parts.runtime import Compose, Runtime
from relogin.secret import SecretMissing

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.backend import Backend
    from relogin.remote import Answer


rows, parse = postgres_answer.rows, postgres_answer.parse


def declared_target(backend: Backend) -> Target | None:
    """Give the target that the profile itself names: nothing on the host has to be read first."""
    if backend.database is not None and isinstance(backend.database.url, FromParts):
        return database_parts.target(backend, backend.database.url)
    if backend.database is None or not isinstance(backend.database.url, FromEnv):
        return None
    declared = backend.declared(backend.database.url.key)
    if not isinstance(declared, DatabaseUrl):
        return None
    return _target(declared.user, declared.database, declared.port, declared.host, declared.query)


def target_in_force(backend: Backend, env: Callable[[str], str | None]) -> Target | Unreadable:
    """Give the target of the URL that is in force, where the profile does not name it."""
    url = url_in_force(backend, env)
    if isinstance(url, Unreadable):
        return url
    if not url.user or not url.database:
        return Unreadable("the database URL names no user or no database")
    return _target(url.user, url.database, url.port or 5432, url.host or "", url.query)


def _target(
    role: str, database: str, port: int, host: str, query: Iterable[tuple[str, str]]
) -> Target:
    given = dict(query)
    mode = given.get("sslmode") or given.get("ssl") or "prefer"
    return Target(role, database, port, host, mode, given.get("options", ""))


def url_in_force(
    backend: Backend, env: Callable[[str], str | None]
) -> database_url.DatabaseAddress | Unreadable:
    """Give the parts of the database URL that the backend reads."""
    assert backend.database is not None  # noqa: S101 # only asked with one
    declared = backend.database.url
    try:
        if isinstance(declared, FromParts):
            return database_parts.address(declared, env)
        text = env(declared.key) if isinstance(declared, FromEnv) else declared.reveal()
        if not text:
            return Unreadable(f"{declared!r} has no value")
        return database_url.parse(text)
    except (SecretMissing, database_url.DatabaseUrlError) as error:
        return Unreadable(str(error))


def needed_tables(backend: Backend) -> list[str]:
    """Give the tables that the backend has to be able to use."""
    declared = backend.database.tables if backend.database else ()
    return list(dict.fromkeys([*declared, *([backend.accounts.table] if backend.accounts else [])]))


def admin_command(
    admin: Peer | AdminUrl,
    *,
    port: int,
    host: str = "",
    database: str = "",
    service: Runtime | None = None,
) -> str:
    """Give the psql of the administrator; libpq's environment of the caller is not let in.

    Without a `database` it is in the administrator's own. A `host` that is a socket's folder is
    that server's; else the socket is where psql looks for it. Of a Compose project's database it is
    the one in the container, as the role that the image was told to make (POSTGRES_USER). By a URL
    it is a shell function, which the script has to begin with (relogin.facts.elsewhere).
    """
    if isinstance(admin, AdminUrl):
        return elsewhere.command(admin, database)
    database = database or "postgres"
    if isinstance(service, Compose) and service.database_service:
        return container_psql(service, service.database_service, database, admin.role)
    socket = admin.socket or (host if host.startswith("/") else "")
    where = ["-h", socket] if socket else []
    role = ["-U", admin.role] if admin.role else []
    at = str(admin.port or port)
    env = "env -u PGPASSWORD -u PGSERVICE PGCONNECT_TIMEOUT=5"
    found = f"$(psql_at {shell.words([at, socket or '/var/run/postgresql'])})"
    psql = found if admin.psql == "psql" else shell.quote(admin.psql)
    words = shell.words([*where, "-p", at, *role, "-d", sql.connected_to(database)])
    return f"as_user {shell.quote(admin.os_user)} {env} {psql} {words}"


def script(backend: Backend, target: Target, *, deep: bool = False) -> str:
    """Give the part of the look that asks the administrator's psql: one session, read only.

    `deep` asks about the whole database, behind what is asked always.
    """
    from relogin.facts import accounts, migrations

    assert backend.database is not None  # noqa: S101 # only asked with one
    admin = backend.database.admin
    if admin is None:
        return "echo '#no-admin'"
    names = {
        "role": sql.literal(target.role),
        "database": sql.literal(target.database),
        "schema": sql.literal(backend.database.schema),
        "nonce": sql.literal(secrets.token_hex(8)),
        "needed": ", ".join(map(sql.literal, needed_tables(backend))) or "''",
        "watched": ", ".join(map(sql.literal, WATCHED)),
    }
    asked = (
        postgres_sql.BEGIN + sql.READ + _server(backend, target, admin, names),
        f"\\if :open\n{_connected(admin, target.database)}",
        sql.READ + sql.fill(postgres_sql.tables(admin), **names),
        migrations.select(backend),
        f"set statement_timeout = '{_PATIENCE}s';\n" if deep else "",
        accounts.select(backend, target.role),
        _deep(backend, target) if deep else "",
        "\\endif\n",
    )
    return elsewhere.functions(backend) + "\n".join(
        (
            sql.psql(
                "".join(asked),
                command=admin_command(
                    admin, port=target.port, host=target.host, service=backend.service
                ),
            ),
            "rc=$?",
            f"[ $rc = 0 ] && return; {_whether_down(admin, target, backend.service)}",
            "return $rc",
        )
    )


_PATIENCE = 30  # seconds that a statement about the users table may take where all is looked at


def _deep(backend: Backend, target: Target) -> str:
    from relogin.facts import database_declared, database_deep, database_slow, database_sql

    return "".join(
        (
            database_sql.statements(backend),
            database_declared.statements(backend, target),
            database_slow.statements(backend),
            database_deep.statements(backend),  # it takes the session's indexes from it
        )
    )


def _server(backend: Backend, target: Target, admin: Peer | AdminUrl, names: dict[str, str]) -> str:
    """Give the statements about the server; what a URL reached is known to be reached."""
    if isinstance(admin, AdminUrl):
        met = elsewhere.place(admin) == (target.host, target.port)
        return postgres_sql.server_elsewhere(
            target, ready=elsewhere.ready(admin.psql), met=met, **names
        )
    in_container = isinstance(backend.service, Compose) and backend.service.database_service
    ready = None if in_container else elsewhere.ready(admin.psql)
    return postgres_sql.server(target, ready=ready, **names)


def _connected(admin: Peer | AdminUrl, database: str) -> str:
    if isinstance(admin, AdminUrl):
        return elsewhere.connect(admin, database)
    return f"\\connect -reuse-previous=on {sql.name(sql.connected_to(database))}\n"


# What a role or a database can be given for all its sessions, and lock people out by.
WATCHED = (
    "search_path",
    "default_transaction_read_only",
    "statement_timeout",
    "lock_timeout",
    "transaction_timeout",
)


def _whether_down(admin: Peer | AdminUrl, target: Target, service: Runtime | None = None) -> str:
    if isinstance(admin, AdminUrl):
        return elsewhere.whether_down(admin)
    if isinstance(service, Compose) and service.database_service:
        return container_ready(service, service.database_service)
    host = shell.quote(admin.socket or target.host or "127.0.0.1")
    port = admin.port or target.port
    asked = f"{elsewhere.ready(admin.psql)} -h {host} -p {port}"
    return (
        f"printf '#ready '; {asked} 2>/dev/null; echo $?; "
        "pg_lsclusters -h 2>/dev/null | sed 's/^/#cluster /'"
    )


class Roles(FactBase[Any]):
    """Give the server, one role and one database as the administrator sees them.

    + role: the backend's role
    + database: the backend's database
    + port: the server's port
    + os_user: the operating-system user that psql runs as
    """

    def command(
        self, role: str, database: str, port: int = 5432, os_user: str = "postgres"
    ) -> StringCommand:
        admin = Peer(os_user=os_user)
        filled = sql.fill(sql.READ + _ALONE, role=sql.literal(role), database=sql.literal(database))
        down = _whether_down(admin, Target(role, database, port))
        psql = sql.psql(filled, command=admin_command(admin, port=port))
        return alone.command({"postgres": f"{psql} && return\nrc=$?; {down}; return $rc"})

    def process(self, output: Iterable[str]) -> Any:
        return alone.parsed(output, "postgres", _alone)


# Used alone, what a fact writes is public: no salt and no proof, only the kind of the verifier.
_ALONE = """\
select jsonb_build_object('part', 'server', 'version', current_setting('server_version_num')::int,
 'in_recovery', pg_is_in_recovery(),
 'role', (select jsonb_build_object('can_login', rolcanlogin, 'password', case
   when rolpassword is null then 'none' when rolpassword like 'SCRAM-SHA-256$%' then 'scram'
   when rolpassword ~ '^md5' then 'md5' else 'unknown' end)
   from pg_authid where rolname = :role:),
 'database', (select jsonb_build_object('owner', pg_get_userbyid(datdba), 'open', datallowconn)
   from pg_database where datname = :database:));
"""


def _alone(answer: Answer) -> Any:
    found = rows(answer).get("server")
    return found if found is not None else postgres_answer.not_there(answer)
