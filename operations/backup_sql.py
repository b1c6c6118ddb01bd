"""What a backup asks of the database beside the dump, in the dump's own snapshot.

Answers are lines of JSON, so that those of two databases can be compared as they are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from relogin import sql
from relogin.facts.postgres import needed_tables
from relogin.facts.user_flags import FLAGS
from relogin.parts.database import Alembic

if TYPE_CHECKING:
    from relogin.backend import Backend

# The session that holds the snapshot; the others take it over (PostgreSQL docs, 9.28.5).
LONG = """\
set statement_timeout = 0; set idle_in_transaction_session_timeout = 0;
"""
HOLD = (
    sql.READ
    + LONG
    + """\
begin isolation level repeatable read, read only;
select pg_export_snapshot();
"""
)
_SAME = (
    sql.READ
    + LONG
    + """\
begin isolation level repeatable read, read only;
\\if :{?snapshot}
set transaction snapshot :'snapshot';
\\endif
"""
)
# Of the hash only whether it is the same: under a salt that each backup has for itself.
_ACCOUNTS = """\
select jsonb_build_object('id', :id:, 'login', :login:, :flags:
 'hash', left(encode(sha256(convert_to(:'salt' || coalesce(:password:, '-'), 'UTF8')),
 'hex'), 24)) from :relation:;
"""
_ROWS = """\
select format('select jsonb_build_object(''table'', %L, ''rows'', count(*)) from only %I.%I',
 n.nspname || '.' || c.relname, n.nspname, c.relname)
 from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_'
 and n.nspname <> 'information_schema' order by n.nspname, c.relname \\gexec
"""
_SCHEMA = """\
select to_regclass(:table:) is not null as recorded \\gset
\\if :recorded
select jsonb_build_object('migration', :revision:) from :relation: order by :revision:;
\\endif
"""
_HEAD = """\
select jsonb_build_object('relogin', 1, 'made', :'made', 'database', current_database(),
 'backend', :backend:, 'salt', :'salt', 'commit', :'commit', 'env_files', :env_files:,
 'version', current_setting('server_version_num')::int,
 'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'type', datctype,
 'owner', pg_get_userbyid(datdba), 'size', pg_database_size(oid),
 'passwords', current_setting('is_superuser')::bool,
 'tables', :needed:, 'roles', (select coalesce(jsonb_agg(rolname order by rolname), '[]')
  from pg_roles where oid in (:roles:)))
 from pg_database where datname = current_database();
"""
# Whoever owns something in the database, was granted something, is the backend, or the roles that
# these are members of. Those named pg_… are the server's own.
_CONCERNED = """\
with recursive concerned (who) as (
 select datdba from pg_database where datname = current_database()
 union select refobjid from pg_shdepend join pg_database d on d.oid = dbid
  where d.datname = current_database() and refclassid = 'pg_authid'::regclass
 union select oid from pg_roles where rolname = :role:
 union select roleid from pg_auth_members join concerned on member = who)
 select who from concerned join pg_roles on oid = who where rolname !~ '^pg_'"""
# Names of which the value is a list that is written as it stands (pg_dump's variable_is_guc_list).
SETTING = """\
case when name in ('search_path', 'temp_tablespaces', 'local_preload_libraries',
 'session_preload_libraries', 'shared_preload_libraries', 'unix_socket_directories')
 then value else quote_literal(value) end"""
# A verifier can be read by superusers alone; without one the role is there, and has no password.
_ROLES = """\
select case when current_setting('is_superuser')::bool then 'pg_authid' else 'pg_roles' end
 as catalogue \\gset
select '-- the roles of ' || current_database() || ', as CREATE ROLE makes them; for a superuser';
select format('create role %I;', rolname) from pg_roles where oid in (:roles:) order by rolname;
select format('alter role %I with %s %s %s %s %s %s %s connection limit %s%s%s;', rolname,
 case when rolsuper then 'superuser' else 'nosuperuser' end,
 case when rolinherit then 'inherit' else 'noinherit' end,
 case when rolcreaterole then 'createrole' else 'nocreaterole' end,
 case when rolcreatedb then 'createdb' else 'nocreatedb' end,
 case when rolcanlogin then 'login' else 'nologin' end,
 case when rolreplication then 'replication' else 'noreplication' end,
 case when rolbypassrls then 'bypassrls' else 'nobypassrls' end, rolconnlimit,
 case when rolpassword ~ '^(SCRAM-SHA-256[$]|md5)' then ' password ' || quote_literal(rolpassword)
  else '' end,
 case when rolvaliduntil is null then ''
  else ' valid until ' || quote_literal(rolvaliduntil::text) end)
 from :catalogue where oid in (:roles:) order by rolname;
select format('grant %I to %I%s;', r.rolname, m.rolname,
  case when admin_option then ' with admin option' else '' end)
 from pg_auth_members join pg_roles r on r.oid = roleid join pg_roles m on m.oid = member
 where member in (:roles:) order by 1;
select format('alter role %I %sset %I to %s;', rolname,
 case setdatabase when 0 then '' else format('in database %I ', current_database()) end, name,
 :setting:)
 from pg_db_role_setting join pg_roles r on r.oid = setrole,
 unnest(setconfig) one, lateral (select split_part(one, '=', 1) as name,
  substr(one, strpos(one, '=') + 1) as value) s
 where setrole in (:roles:)
  and setdatabase in (0, (select oid from pg_database where datname = current_database()))
 order by 1;
select '-- end';
"""


def accounts(backend: Backend) -> str:
    """Give the statements that list all accounts: id, login, flags, a fingerprint of the hash.

    Empty where none are declared. psql gets the variables `salt` and, if there is one, `snapshot`.
    """
    declared = backend.accounts
    if declared is None:
        return ""
    columns = declared.columns
    flags = {flag: getattr(columns, flag) for flag in FLAGS}
    listed = (f"'{flag}', {sql.name(column)}::text," for flag, column in flags.items() if column)
    return _SAME + sql.fill(
        _ACCOUNTS,
        id=f"{sql.name(columns.id)}::text",
        login=f"{sql.name(columns.login)}::text",
        password=f"{sql.name(columns.password)}::text",
        flags=" ".join(listed),
        relation=sql.name(_schema(backend), declared.table),
    )


def manifest(backend: Backend, role: str) -> str:
    """Give the statements that say of what a backup is: the database, its schema, its tables.

    psql gets the variables `made`, `salt`, `commit` and, if there is one, `snapshot`.
    """
    paths = json.dumps([file.path for file in backend.env_files])
    needed = json.dumps(tables(backend))
    head = sql.fill(
        _HEAD,
        backend=sql.literal(backend.name),
        env_files=f"{sql.literal(paths)}::jsonb",
        needed=f"{sql.literal(needed)}::jsonb",
        roles=concerned(role),
    )
    return _SAME + head + recorded(backend) + _ROWS


def tables(backend: Backend) -> list[str]:
    """Give the tables that the backend declares, as SCHEMA.TABLE."""
    return [f"{_schema(backend)}.{name}" for name in needed_tables(backend)]


def recorded(backend: Backend) -> str:
    """Give the statements that list which migrations the database has recorded."""
    declared = backend.migrations
    if declared is None:
        return ""
    named = "version_num::text" if isinstance(declared, Alembic) else "app || '.' || name"
    relation = sql.name(_schema(backend), declared.version_table)
    return sql.fill(_SCHEMA, table=sql.literal(relation), relation=relation, revision=named)


def roles(role: str) -> str:
    """Give the statements whose answer makes the roles that the database concerns."""
    return _SAME + sql.fill(_ROLES, roles=concerned(role), setting=SETTING)


def concerned(role: str) -> str:
    """Give the query for the oids of these roles; `role` is the backend's own."""
    return sql.fill(_CONCERNED, role=sql.literal(role))


def _schema(backend: Backend) -> str:
    return backend.database.schema if backend.database else "public"
