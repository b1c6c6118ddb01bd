"""PostgreSQL as its administrator sees it: server, role, database, tables."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import database_url, shell, sql
from relogin.facts import alone, database_parts
from relogin.facts.compose_script import container_psql, container_ready
from relogin.facts.postgres_state import Database, Role, Server, Target
from relogin.finding import Unreadable
from relogin.parts.configuration import DatabaseUrl, FromEnv, FromParts
from relogin.parts.database import Peer
from relogin.parts.runtime import Compose, Runtime
from relogin.secret import SecretMissing

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.backend import Backend
    from relogin.remote import Answer


def declared_target(backend: Backend) -> Target | None:
    """Give the target that the profile itself names: nothing on the host has to be read first."""
    if backend.database is not None and isinstance(backend.database.url, FromParts):
        return database_parts.target(backend, backend.database.url)
    if backend.database is None or not isinstance(backend.database.url, FromEnv):
        return None
    declared = backend.declared(backend.database.url.key)
    if not isinstance(declared, DatabaseUrl):
        return None
    return Target(declared.user, declared.database, declared.port, declared.host)


def target_in_force(backend: Backend, env: Callable[[str], str | None]) -> Target | Unreadable:
    """Give the target of the URL that is in force, where the profile does not name it."""
    url = url_in_force(backend, env)
    if isinstance(url, Unreadable):
        return url
    if not url.user or not url.database:
        return Unreadable("the database URL names no user or no database")
    return Target(url.user, url.database, url.port or 5432, url.host or "127.0.0.1")


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
    admin: Peer,
    *,
    port: int,
    host: str = "",
    database: str = "postgres",
    service: Runtime | None = None,
) -> str:
    """Give the psql of the administrator; libpq's environment of the caller is not let in.

    A `host` that is a socket's folder is that server's; else the socket is where psql looks for it.
    Of a Compose project's database it is the one in the container, as the role that the image was
    told to make (POSTGRES_USER).
    """
    if isinstance(service, Compose) and service.database_service:
        return container_psql(service, service.database_service, database, admin.role)
    socket = admin.socket or (host if host.startswith("/") else "")
    where = ["-h", socket] if socket else []
    role = ["-U", admin.role] if admin.role else []
    at = str(admin.port or port)
    env = "env -u PGPASSWORD -u PGSERVICE PGCONNECT_TIMEOUT=5"
    found = f'"$(psql_at {shell.words([at, socket or "/var/run/postgresql"])})"'
    psql = found if admin.psql == "psql" else shell.quote(admin.psql)
    words = shell.words([*where, "-p", at, *role, "-d", sql.connected_to(database)])
    return f"as_user {shell.quote(admin.os_user)} {env} {psql} {words}"


def script(backend: Backend, target: Target) -> str:
    """Give the part of the look that asks the administrator's psql: one session, read only."""
    from relogin.facts import accounts

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
    }
    statements = [
        sql.READ
        + sql.fill(_SERVER, **names)
        + "\\if :open\n\\connect -reuse-previous=on "
        + sql.name(sql.connected_to(target.database)),
        sql.READ + sql.fill(_TABLES, **names) + accounts.select(backend) + "\\endif\n",
    ]
    return "\n".join(
        (
            sql.psql(
                "\n".join(statements),
                command=admin_command(
                    admin, port=target.port, host=target.host, service=backend.service
                ),
            ),
            "rc=$?",
            f"[ $rc = 0 ] && return; {_whether_down(admin, target, backend.service)}",
            "return $rc",
        )
    )


def _whether_down(admin: Peer, target: Target, service: Runtime | None = None) -> str:
    if isinstance(service, Compose) and service.database_service:
        return container_ready(service, service.database_service)
    host = shell.quote(admin.socket or target.host)
    port = admin.port or target.port
    ready = shell.quote(admin.psql.removesuffix("psql") + "pg_isready")
    return (
        f"printf '#ready '; {ready} -q -t 3 -h {host} -p {port} 2>/dev/null; echo $?; "
        "pg_lsclusters -h 2>/dev/null | sed 's/^/#cluster /'"
    )


_SERVER = """\
select exists (select 1 from pg_database where datname = :database: and datallowconn) as open \\gset
select jsonb_build_object('part', 'server',
 'version', current_setting('server_version_num')::int, 'in_recovery', pg_is_in_recovery(),
 'target', jsonb_build_object('role', :role:, 'database', :database:),
 'role', (select jsonb_build_object('name', rolname, 'can_login', rolcanlogin, 'nonce', :nonce:)
   || case when rolpassword is null then jsonb_build_object('kind', 'none')
     when rolpassword ~ '^md5[0-9a-f]{32}$' then jsonb_build_object('kind', 'md5',
       'proof', encode(sha256(convert_to(:nonce: || rolpassword, 'UTF8')), 'hex'))
     when rolpassword like 'SCRAM-SHA-256$%' then jsonb_build_object('kind', 'scram',
       'iterations', split_part(split_part(rolpassword, '$', 2), ':', 1)::int,
       'salt', split_part(split_part(rolpassword, '$', 2), ':', 2),
       'proof', encode(sha256(convert_to(:nonce:, 'UTF8')
          || decode(split_part(split_part(rolpassword, '$', 3), ':', 1), 'base64')), 'hex'))
     else jsonb_build_object('kind', 'unknown') end
   from pg_authid where rolname = :role:),
 'similar_roles', (select coalesce(jsonb_agg(rolname), '[]') from pg_roles
   where lower(btrim(rolname)) = lower(btrim(:role:)) and rolname <> :role:),
 'database', (select jsonb_build_object('name', datname, 'owner', pg_get_userbyid(datdba),
   'open', datallowconn, 'connect', case when exists (select 1 from pg_roles where rolname = :role:)
     then has_database_privilege(:role:, oid, 'CONNECT') end)
   from pg_database where datname = :database:),
 'databases', (select jsonb_agg(datname order by datname) from pg_database
   where not datistemplate));
"""

# has_any_column_privilege: a grant on single columns is enough for the login's query. A sequence of
# an identity column needs no privilege of its own.
_TABLES = """\
select exists (select 1 from pg_roles where rolname = :role:) as hasrole \\gset
select jsonb_build_object('part', 'tables',
 'names', (select coalesce(jsonb_agg(relname order by relname), '[]')
   from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = :schema: and c.relkind in ('r', 'p', 'v', 'm', 'f')),
 'closed', case when :'hasrole'::bool then
   (select coalesce(jsonb_agg(relname order by relname), '[]')
   from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = :schema: and relname = any (array[:needed:]::text[]) and relkind in ('r', 'p')
   and not (has_any_column_privilege(:role:, c.oid, 'SELECT')
     and has_any_column_privilege(:role:, c.oid, 'INSERT')
     and has_any_column_privilege(:role:, c.oid, 'UPDATE'))) end,
 'closed_sequences', case when :'hasrole'::bool then
   (select coalesce(jsonb_agg(distinct s.relname), '[]')
   from pg_class s join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid
     and d.refclassid = 'pg_class'::regclass and d.deptype = 'a'
   join pg_class c on c.oid = d.refobjid join pg_namespace n on n.oid = c.relnamespace
   where s.relkind = 'S' and n.nspname = :schema: and c.relname = any (array[:needed:]::text[])
   and not has_sequence_privilege(:role:, s.oid, 'USAGE')) end);
"""


def rows(answer: Answer) -> dict[str, dict[str, Any]]:
    """Give the JSON objects that psql wrote, by the part they name."""
    found = [json.loads(line) for line in answer.lines if line.startswith("{")]
    return {row["part"]: row for row in found}


def parse(answer: Answer) -> Server | Unreadable:
    """Take the answer apart: what psql wrote before it failed still counts."""
    if "#no-admin" in answer.lines:
        return Unreadable("no administrator's view is declared (Postgres admin=None)")
    by_part = rows(answer)
    if "server" not in by_part:
        return _not_there(answer)
    server = by_part["server"]
    tables = by_part.get("tables")
    return Server(
        target=Target(server["target"]["role"], server["target"]["database"], 0),
        version=server["version"],
        in_recovery=server["in_recovery"],
        role=_role(server["role"]),
        similar_roles=tuple(server["similar_roles"]),
        database=Database(**server["database"]) if server["database"] else None,
        databases=tuple(server["databases"] or ()),
        tables=tuple(tables["names"]) if tables else None,
        closed_tables=tuple(tables["closed"] or ()) if tables else (),
        closed_sequences=tuple(tables["closed_sequences"] or ()) if tables else (),
    )


def _role(row: Mapping[str, Any] | None) -> Role | None:
    if row is None:
        return None
    return Role(**{"salt": "", "iterations": 0, "proof": "", **row})


def _not_there(answer: Answer) -> Server | Unreadable:
    """Tell a server that is down from one that does not let us in, by pg_isready's status."""
    ready = [line for line in answer.lines if line.startswith("#ready ")]
    status = ready[-1].removeprefix("#ready ") if ready else ""
    clusters = [line.removeprefix("#cluster ") for line in answer.lines if line[:9] == "#cluster "]
    if status == "2":  # PostgreSQL docs, pg_isready: no response
        return Server(Target("", "", 0), down=True, clusters=tuple(clusters))
    if status == "1":
        return Unreadable("the server is starting, stopping or recovering; look again in a minute")
    return Unreadable("psql could not be run as the administrator (not installed, or not allowed)")


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
    return found if found is not None else _not_there(answer)
