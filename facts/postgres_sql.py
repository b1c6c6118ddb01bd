"""What the administrator's psql is asked in the look: the server, then the backend's database.

One session, read only, one JSON object a line. What a healthy server has nothing to say about
writes no line, and each object is as small as its reader allows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relogin import shell, sql
from relogin.parts.database import AdminUrl

if TYPE_CHECKING:
    from relogin.facts.postgres_state import Target
    from relogin.parts.database import Peer

# What a server listens on that an address of the URL can reach (PostgreSQL docs, 20.3.1). A name
# that only the host can resolve is not judged.
_EVERYWHERE = {4: ("*", "0.0.0.0"), 6: ("*", "::")}  # noqa: S104 # compared with, not bound to
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def server(target: Target, *, ready: str | None, **names: str) -> str:
    """Give the statements about the server, its role and its database.

    `ready` asks whether somebody answers at the URL's address, where the server's settings do not
    say so; None where psql is not asked on the host itself, to which that address means another.
    """
    reached = _reached(target) if ready else "true"
    flags = sql.fill(_FLAGS, reached=reached, **names)
    asked = _asked(target, ready) if ready else ""
    return f"{flags}{asked}{_seen_by_a_superuser(**names)}"


def server_elsewhere(target: Target, *, ready: str, met: bool, **names: str) -> str:
    """Give the statements where the server is another machine's, and we perhaps no superuser.

    `met` says that the administrator's own way leads to the URL's address.
    """
    flags = sql.fill(_FLAGS, reached=str(met).lower(), **names)
    full = _seen_by_a_superuser(_CLIENT, **names)
    limited = sql.fill(_SERVER, roles="pg_roles", verifier=_HIDDEN, more=_LIMITED, **names)
    either = f"{_PRIVILEGED}\\if :privileged\n{full}\\else\n{limited}\\endif\n"
    return f"{flags}{_asked(target, ready)}{either}"


def _seen_by_a_superuser(more: str = "", **names: str) -> str:
    verifier, hba = sql.fill(_VERIFIER, **names), sql.fill(_HBA, **names)
    asked = sql.fill(_SERVER, roles="pg_authid", verifier=verifier, more=hba + more, **names)
    return asked + sql.fill(_FILES, **names)


def tables(admin: Peer | AdminUrl) -> str:
    """Give the statements about the tables; of roles everybody may read what is needed for them."""
    return TABLES.replace("pg_authid", "pg_roles") if isinstance(admin, AdminUrl) else TABLES


def _asked(target: Target, ready: str) -> str:
    asked = f"\\! {ready} -h {shell.quote(target.host)} -p {target.port}; {_SAY}\n"
    return f"\\if :elsewhere\n{asked}\\endif\n"


_SAY = 'echo "#url $?"'


def _reached(target: Target) -> str:
    """Give the condition that the server listens where the URL points, as its settings say."""
    port = f"{target.port} = current_setting('port')::int and "
    return port + _listens(target)


def _listens(target: Target) -> str:
    if not target.host:
        return "true"
    if target.host.startswith("/"):
        folder = re.sub(r"^/var/run/", "/run/", target.host.rstrip("/"))
        return _among("unix_socket_directories", folder, re.sub("^/run/", "/var/run/", folder))
    if target.host == "localhost":
        return _among("listen_addresses", *_LOOPBACK, *_EVERYWHERE[4], *_EVERYWHERE[6])
    version = 6 if ":" in target.host else 4
    if version == 4 and not re.fullmatch(r"[0-9.]+", target.host):
        return "true"
    names = ("localhost",) if target.host in _LOOPBACK else ()
    return _among("listen_addresses", target.host, *names, *_EVERYWHERE[version])


def _among(setting: str, *accepted: str) -> str:
    listed = f"string_to_array(replace(current_setting('{setting}'), ' ', ''), ',')"
    return f"{listed} && array[{', '.join(map(sql.literal, dict.fromkeys(accepted)))}]"


# Where sessions of the administrator begin with other settings than PostgreSQL's own, the
# configuration files are asked for theirs; it has to be the first statement.
BEGIN = """\
select concat_ws('|', current_setting('search_path'), current_setting('statement_timeout'),
 current_setting('lock_timeout'), current_setting('default_transaction_read_only'))
 <> '"$user", public|0|0|off' as set \\gset
"""
# `open`: it can be entered (-2 is what an interrupted DROP DATABASE leaves). `moved`: the server's
# library sorts its text otherwise than it did (the function is there from 15 on).
_FLAGS = """\
select exists (select from pg_database where datname = :database: and datallowconn
  and datconnlimit <> -2) as open,
 not (:reached:) as elsewhere,
 case when current_setting('server_version_num')::int < 150000 then 'false' else 'exists (select
  from pg_database where datname = current_database() and datcollversion is distinct from
  pg_database_collation_actual_version(oid))' end as moved \\gset
"""

# The rules of pg_hba.conf are narrowed to those that can concern this role and database; which one
# decides is worked out by the reader.
_SERVER = """\
with a as (select usesysid, datid, application_name from pg_stat_get_activity(null)
 where backend_type = 'client backend' and pid <> pg_backend_pid())
select jsonb_build_object('part', 'server',
 'version', current_setting('server_version_num')::int, 'in_recovery', pg_is_in_recovery(),
 'target', jsonb_build_object('role', :role:, 'database', :database:),
 'ssl', current_setting('ssl')::bool, 'used', (select count(*) from a),
 'room', current_setting('max_connections')::int
  - current_setting('superuser_reserved_connections')::int
  - coalesce(current_setting('reserved_connections', true)::int, 0),
 'holders', (select coalesce(jsonb_agg(jsonb_build_array(n, pg_get_userbyid(usesysid),
   application_name)), '[]') from (select count(*) n, usesysid, application_name from a
   group by 2, 3 order by 1 desc limit 3) h),
 'role', (select jsonb_build_object('name', rolname, 'can_login', rolcanlogin, 'nonce', :nonce:,
   'superuser', rolsuper, 'limit', rolconnlimit,
   'used', (select count(*) from a where usesysid = oid),
   'expired', coalesce(rolvaliduntil < now(), false), 'days_left', case when isfinite(rolvaliduntil)
     then floor(extract(epoch from rolvaliduntil - now()) / 86400) end)
   || :verifier: from :roles: where rolname = :role:),
 'similar_roles', (select coalesce(jsonb_agg(rolname), '[]') from :roles:
   where lower(btrim(rolname)) = lower(btrim(:role:)) and rolname <> :role:),
 'database', (select jsonb_build_object('name', datname, 'owner', pg_get_userbyid(datdba),
   'open', datallowconn, 'limit', datconnlimit,
   'used', (select count(*) from a where datid = d.oid),
   'connect', (select has_database_privilege(r.oid, d.oid, 'CONNECT') from :roles: r
     where rolname = :role:))
   from pg_database d where datname = :database:),
 'databases', (select jsonb_agg(datname order by datname) from pg_database
   where not datistemplate),
 'settings', (select coalesce(jsonb_agg(jsonb_build_array(setrole <> 0, setdatabase <> 0,
    split_part(c, '=', 1), substr(c, strpos(c, '=') + 1))), '[]')
   from pg_db_role_setting, unnest(setconfig) c where split_part(c, '=', 1) in (:watched:)
    and setdatabase in (0, (select oid from pg_database where datname = :database:))
    and setrole in (0, (select oid from :roles: where rolname = :role:))):more:);
"""
_PRIVILEGED = "select current_setting('is_superuser')::bool as privileged \\gset\n"
_HIDDEN = "jsonb_build_object('kind', 'hidden')"
_LIMITED = ", 'hidden', true"
# As whom the server sees this host, where it is another one.
_CLIENT = ", 'client', host(inet_client_addr())"
# What only a superuser may see.
_VERIFIER = """\
case when rolpassword is null then jsonb_build_object('kind', 'none')
     when rolpassword ~ '^md5[0-9a-f]{32}$' then jsonb_build_object('kind', 'md5',
       'proof', encode(sha256(convert_to(:nonce: || rolpassword, 'UTF8')), 'hex'))
     when rolpassword like 'SCRAM-SHA-256$%' then jsonb_build_object('kind', 'scram',
       'iterations', split_part(split_part(rolpassword, '$', 2), ':', 1)::int,
       'salt', split_part(split_part(rolpassword, '$', 2), ':', 2),
       'proof', encode(sha256(convert_to(:nonce:, 'UTF8')
          || decode(split_part(split_part(rolpassword, '$', 3), ':', 1), 'base64')), 'hex'))
     else jsonb_build_object('kind', 'unknown') end"""
_HBA = """,
 'hba', (select coalesce(jsonb_agg(jsonb_build_array(line_number, type, database, user_name,
    address, netmask, auth_method, options, error,
    nullif(to_jsonb(h) ->> 'file_name', current_setting('hba_file')))), '[]')
   from pg_hba_file_rules h where error is not null or
    (database && array['all', :database:] or database::text ~ '[+/]|same')
    and (user_name && array['all', :role:] or user_name::text ~ '[+/]')),
 'hba_file', current_setting('hba_file'), 'hba_unread',
  (pg_stat_file(current_setting('hba_file'))).modification > pg_conf_load_time()"""
_FILES = """\
\\if :set
select jsonb_build_object('part', 'files', 'settings', jsonb_agg(jsonb_build_array(name, setting,
 sourcefile))) from pg_file_settings where applied and name in (:watched:);
\\endif
"""

# has_any_column_privilege: a grant on single columns is enough for the login's query. A sequence of
# an identity column needs no privilege of its own. Row security is for all but owners, superusers
# and those who bypass it (PostgreSQL docs, 5.9). Who waits for an exclusive lock stops every later
# reader as well. An index whose collation has another version than it was built under may not find
# what is there. What comes later reads the tables themselves: it may meet a lock or damage, and the
# rest is asked all the same.
TABLES = """\
with t as (select c.* from pg_class c join pg_namespace n on n.oid = relnamespace
  where nspname = :schema: and relname = any (array[:needed:]::text[]))
select exists (select from pg_lock_status() l join t on l.relation = t.oid
  where mode = 'AccessExclusiveLock') as locked,
 (select coalesce(jsonb_agg(jsonb_build_array(relname, (select jsonb_agg(jsonb_build_array(polname,
   pg_get_expr(polqual, polrelid))) from pg_policy where polrelid = t.oid and polcmd in ('*', 'r')))
  ), '[]') from t, pg_authid r where relrowsecurity and rolname = :role:
  and not (rolsuper or rolbypassrls)
  and (relforcerowsecurity or not pg_has_role(r.oid, relowner, 'usage'))) as shielded \\gset
\\if :locked
select jsonb_build_object('part', 'locks', 'rows', jsonb_agg(distinct jsonb_build_array(a.pid,
  a.usename, a.application_name, a.state, extract(epoch from now() - a.xact_start)::int)))
 from pg_locks l join pg_class c on c.oid = relation join pg_namespace n on n.oid = relnamespace
 join pg_stat_activity w on w.pid = l.pid and w.xact_start < now() - interval '3s'
 cross join unnest(case when granted then array[l.pid] else pg_blocking_pids(l.pid) end) b
 join pg_stat_activity a on a.pid = b
 where nspname = :schema: and relname = any (array[:needed:]::text[])
  and l.mode = 'AccessExclusiveLock' having count(*) > 0;
\\endif
with t as (select c.* from pg_class c join pg_namespace n on n.oid = relnamespace
  where nspname = :schema: and relname = any (array[:needed:]::text[]) and relkind in ('r', 'p')),
 me as (select oid from pg_authid where rolname = :role:)
select jsonb_build_object('part', 'tables',
 'names', (select coalesce(jsonb_agg(relname order by relname), '[]')
   from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = :schema: and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid
     and deptype = 'e')),
 'schemas', (select coalesce(jsonb_agg(distinct nspname), '[]') from pg_class c
   join pg_namespace n on n.oid = relnamespace where relname = any (array[:needed:]::text[])
    and relkind in ('r', 'p', 'v') and nspname !~ '^pg_(toast|temp)'),
 'usage', (select has_schema_privilege(me.oid, n.oid, 'USAGE') from me, pg_namespace n
   where nspname = :schema:),
 'create', (select has_schema_privilege(me.oid, n.oid, 'CREATE') from me, pg_namespace n
   where nspname = :schema:),
 'closed', (select coalesce(jsonb_agg(relname order by relname), '[]') from t, me
   where not (has_any_column_privilege(me.oid, t.oid, 'SELECT')
     and has_any_column_privilege(me.oid, t.oid, 'INSERT')
     and has_any_column_privilege(me.oid, t.oid, 'UPDATE'))),
 'closed_sequences', (select coalesce(jsonb_agg(distinct s.relname), '[]')
   from me, pg_class s join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid
     and d.refclassid = 'pg_class'::regclass and d.deptype = 'a' join t on t.oid = d.refobjid
   where s.relkind = 'S' and not has_sequence_privilege(me.oid, s.oid, 'USAGE')),
 'shielded', :'shielded'::jsonb,
 'indexes', (select coalesce(jsonb_agg(jsonb_build_array(indexrelid::regclass, indrelid::regclass,
    sound, indisunique, moved)), '[]') from (select i.*, indisvalid and indisready as sound,
     (select min(format('%s.%I', collnamespace::regnamespace, collname))
       from unnest(indcollation::oid[]) o join pg_collation k on k.oid = o
       where case when o = 100 then :moved
        else collversion is distinct from pg_collation_actual_version(o) end) as moved
    from t join pg_index i on i.indrelid = t.oid) x where not sound or moved is not null));
\\set ON_ERROR_STOP off
set lock_timeout = '1s';
select format('select jsonb_build_object(''part'', ''behind '' || %1$L, ''sequence'', %1$L,
  ''table'', %2$L, ''column'', %3$L) from %1$s s, (select max(%3$I) m from %2$s) x
  where m >= s.last_value + case when is_called then %4$s else 0 end',
  seqrelid::regclass, refobjid::regclass, attname, seqincrement)
 from pg_sequence join pg_depend on objid = seqrelid and classid = 'pg_class'::regclass
  and refclassid = 'pg_class'::regclass and deptype in ('a', 'i')
 join pg_attribute on attrelid = refobjid and attnum = refobjsubid
 where refobjid in (select c.oid from pg_class c join pg_namespace n on n.oid = relnamespace
   where nspname = :schema: and relname = any (array[:needed:]::text[]))
  and atttypid in (20, 21, 23) and seqincrement > 0 and not seqcycle \\gexec
"""
