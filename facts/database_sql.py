"""What a check asks of the whole database, at the end of the look's own psql session.

Read only. Each statement has its own time limit and fails alone: it is said then that it was not
answered. The catalogue is cheap at any size; what reads rows looks at a sample of a large table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from relogin import sql

if TYPE_CHECKING:
    from relogin.backend import Backend

STATEMENT = 15  # seconds that one statement may take
ALTOGETHER = 40  # seconds of the session after which no more of them begins
# A block of many tables has until the last of them would have ended.
UNTIL_THEN = f"""\
select set_config('statement_timeout', greatest(1000, 1000 * extract(epoch from
  cast(:'until' as timestamptz) - clock_timestamp() + interval '{STATEMENT} s'))::int::text, false),
 set_config('relogin.until', :'until', false), set_config('relogin.found', '[]', false)
 \\g /dev/null
"""
LARGE = 12_800  # pages, 100 MiB: of a larger table a sample of that size is looked at


def statements(backend: Backend) -> str:
    """Give the statements, each followed by what says that it failed."""
    counted = {f"count {at}": _count(at, name) for at, name in enumerate(counted_tables(backend))}
    return CATALOGUE + all_guarded({**counted, **_ROWS})


def all_guarded(parts: Mapping[str, str]) -> str:
    """Give statements, each followed by what says by its name that it failed."""
    return "".join(_guarded(name, statement) for name, statement in parts.items())


def counted_tables(backend: Backend) -> list[str]:
    """Give the declared tables that are to be counted, quoted as SQL has them."""
    assert backend.database is not None  # noqa: S101 # only asked with one
    schema = backend.database.schema
    return [
        sql.name(*(name.split(".", 1) if "." in name else (schema, name)))
        for name in backend.database.health.counted
    ]


def _guarded(name: str, statement: str) -> str:
    """Let a failure be known by name and SQLSTATE: psql has them in ERROR and SQLSTATE."""
    return f"{statement}\\if :ERROR\n\\qecho '#db {name}' :SQLSTATE\n\\endif\n"


def _count(at: int, table: str) -> str:
    known = f"'part', 'db count {at}', 'table', {sql.literal(table)}::regclass, 'count', n"
    return (
        f"select jsonb_build_object({known}) from (select count(*) n from {table}) x"
        " where (select clock_timestamp()) < :'until';\n"
    )


# The look for accounts goes by indexes alone: with reading a table thought to be that dear, servers
# before 18 would compile each statement that has to (PostgreSQL docs, 32.2: jit_above_cost).
_BEGIN = f"""\
\\set ON_ERROR_STOP off
reset enable_seqscan; set jit = off;
set statement_timeout = '{STATEMENT}s'; set lock_timeout = '1s';
select coalesce((select backend_start from pg_stat_activity where pid = pg_backend_pid()),
  clock_timestamp()) + interval '{ALTOGETHER} s' as until, case
 when current_setting('server_version_num')::int < 150000 then 'null'
 else 'pg_database_collation_actual_version(oid)' end as actual,
 case when current_setting('server_version_num')::int < 150000 then 'false'
 else 'exists (select from pg_database where datname = current_database()
  and datcollversion is distinct from pg_database_collation_actual_version(oid))' end as moved,
 case when has_function_privilege('pg_stat_file(text, boolean)', 'execute')
  then '(pg_stat_file(pg_relation_filepath(c.oid), true)).size / 8192' else '0' end as size
 \\gset
"""
# What is of the user's own making: no schema of the system's, and not what an extension brings.
_OWN = """\
nspname !~ '^pg_' and nspname <> 'information_schema' and not exists (select from pg_depend
  where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')"""
# A table's size is asked of its file, by those who may: pg_relation_size would wait for who has
# locked it, and the planner's number of pages is that of the last VACUUM.
TABLES = f"""\
select c.*, greatest(relpages, :size) as pages
 from pg_class c join pg_namespace n on n.oid = relnamespace
 where relkind in ('r', 'p') and {_OWN}"""

# An index that is being built is not valid yet, nor are the ones beside it that REINDEX
# CONCURRENTLY has made for the same table: only what nobody is at work on is left over. A NOT NULL
# is a constraint from 18 on, and one that is NOT ENFORCED is not validated on purpose.
_PARTS = {
    "tables": f"""\
select jsonb_build_object('part', 'db tables', 'database', current_database(), 'rows',
 coalesce(jsonb_agg(jsonb_build_array(c.oid::regclass, relkind, reltuples::bigint, pages,
  (select coalesce(jsonb_object_agg(attname, format_type(atttypid, atttypmod)
     || case when attnotnull then ' not null' else '' end), '{{}}')
   from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped))), '[]'))
 from ({TABLES}) c;
""",
    "indexes": f"""\
select jsonb_build_object('part', 'db indexes', 'rows', coalesce(jsonb_agg(jsonb_build_array(
  indexrelid::regclass, indrelid::regclass, x.relkind = 'I', indisunique,
  indisvalid and indisready and indislive
   or exists (select from pg_stat_progress_create_index p where p.relid = indrelid),
  pg_get_indexdef(indexrelid),
  (select min(format('%s.%I', collnamespace::regnamespace, collname))
   from unnest(indcollation::oid[]) o join pg_collation k on k.oid = o
   where case when o = 100 then :moved
    else collversion is distinct from pg_collation_actual_version(o) end))), '[]'))
 from pg_index join pg_class x on x.oid = indexrelid join ({TABLES}) c on c.oid = indrelid;
""",
    "constraints": f"""\
select jsonb_build_object('part', 'db constraints', 'rows', coalesce(jsonb_agg(jsonb_build_array(
  conname, conrelid::regclass, contype, convalidated
   or not coalesce((to_jsonb(k) ->> 'conenforced')::bool, true),
  regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))), '[]'))
 from pg_constraint k join ({TABLES}) c on c.oid = conrelid
 where contype in ('p', 'u', 'f', 'c', 'x') and conparentid = 0;
""",
    "sequences": f"""\
select jsonb_build_object('part', 'db sequences', 'rows', coalesce(jsonb_agg(jsonb_build_array(
  seqrelid::regclass, refobjid::regclass, attname)), '[]'))
 from pg_sequence join pg_depend on objid = seqrelid and classid = 'pg_class'::regclass
  and refclassid = 'pg_class'::regclass and deptype in ('a', 'i')
 join pg_attribute on attrelid = refobjid and attnum = refobjsubid
 join ({TABLES}) c on c.oid = refobjid;
""",
    "server": """\
select jsonb_build_object('part', 'db server', 'extensions',
 (select jsonb_agg(extname order by extname) from pg_extension),
 'collation', case when :moved then jsonb_build_array(to_jsonb(d) ->> 'datcollversion',
   :actual) end,
 'ages', jsonb_build_array(age(datfrozenxid), mxid_age(datminmxid),
  current_setting('autovacuum_freeze_max_age')::bigint,
  (select coalesce(jsonb_agg(w), '[]') from (
   select 'prepared transaction ' || gid w from pg_prepared_xacts where database = datname
   union all select 'replication slot ' || slot_name from pg_replication_slots
    where xmin is not null or catalog_xmin is not null
   union all select 'session ' || pid || ' of ' || usename || ', in a transaction since '
    || date_trunc('second', now() - xact_start) from pg_stat_activity
    where backend_xmin is not null and xact_start < now() - interval '1 hour') h)))
 from pg_database d where datname = current_database();
""",
}
# It tells what there is, and reads no row.
CATALOGUE = _BEGIN + all_guarded(_PARTS)

# Only what is read quickly is asked: by an index, or in a table that is not large.
_ROWS = {
    "sequences": f"""\
select case when quick then format('select jsonb_build_object(''part'', ''db behind '' || %1$L,
  ''sequence'', %1$L, ''table'', %2$L, ''column'', %3$L) from %1$s s,
  (select max(%3$I) m from %2$s) x
  where m >= s.last_value + case when is_called then %4$s else 0 end',
  seqrelid::regclass, refobjid::regclass, attname, seqincrement)
 else format('select jsonb_build_object(''part'', ''db unasked '' || %1$L, ''what'',
  ''sequence '' || %1$L || '' (no index of a large table begins with '' || %2$L || '')'')',
  seqrelid::regclass, attname) end
 from (select s.*, d.refobjid, a.attname, a.atttypid, c.pages <= {LARGE} or exists (
   select from pg_index where indrelid = refobjid and indkey[0] = refobjsubid and indisvalid
    and indpred is null) as quick
  from pg_sequence s join pg_depend d on objid = seqrelid and classid = 'pg_class'::regclass
   and refclassid = 'pg_class'::regclass and deptype in ('a', 'i')
  join pg_attribute a on attrelid = refobjid and attnum = refobjsubid
  join ({TABLES}) c on c.oid = refobjid) s
 where atttypid in (20, 21, 23) and seqincrement > 0 and not seqcycle \\gexec
""",
    "rules": f"""\
select format($q$select jsonb_build_object('part', 'db breaking %s', 'constraint', %L,
  'table', %L, 'count', n, 'keys', keys, 'sampled', %s) from (
 select count(*) n, (array_agg(distinct k))[1:5] keys from (
  select concat_ws(', ', %s) k from %s t %s where %s) b) x
 where (select clock_timestamp()) < %L$q$,
 k.oid, conname, conrelid::regclass, share, shown, conrelid::regclass,
 case when share < 100 then format('tablesample system (%s)', share) else '' end, wrong, :'until')
 from pg_constraint k join ({TABLES}) c on c.oid = conrelid
 cross join lateral (select
  least(100, round(100.0 * {LARGE} / greatest(c.pages, 1), 4)) share) l
 cross join lateral (select
  string_agg(format('t.%I', a.attname), ', ' order by place) shown,
  case contype when 'c' then format('(%s) is false', pg_get_expr(conbin, conrelid)) else
   string_agg(format('t.%I is not null', a.attname), ' and ')
   || format(' and not exists (select from %s r where %s)', confrelid::regclass,
    string_agg('r.' || quote_ident(b.attname) || format(' = t.%I', a.attname), ' and ')) end wrong
  from unnest(conkey, confkey) with ordinality u (mine, other, place)
  join pg_attribute a on a.attrelid = conrelid and a.attnum = mine
  left join pg_attribute b on b.attrelid = confrelid and b.attnum = other) r
 where conparentid = 0 and shown is not null and (contype = 'f' or contype = 'c'
  and not convalidated) and coalesce((to_jsonb(k) ->> 'conenforced')::bool, true) \\gexec
""",
}
