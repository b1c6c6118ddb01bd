"""What a check asks of speed: slow statements, the plan of the login's query, room that is wasted.

Estimates only, of what the planner knows: no row of the backend's is read. What the server counts
is emptied by a crash (PostgreSQL docs, 28.2): it is said since when it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relogin import sql
from relogin.facts.database_sql import LARGE, TABLES, all_guarded
from relogin.facts.database_state import Roomy, Slow

if TYPE_CHECKING:
    from relogin.backend import Backend

Rows = Mapping[str, Mapping[str, Any]]
CALLS = 20  # fewer calls of a statement have no mean worth the name
NAMES = {
    "slow": "slow statements were not looked at",
    "room": "room that is wasted was not looked at",
    "login plan": "the plan of the login's query was not looked at",
}


def statements(backend: Backend) -> str:
    """Give the statements, behind those of relogin.facts.database_sql in the same session."""
    assert backend.database is not None  # noqa: S101 # only asked with one
    slow = _SLOW.replace("<slow>", str(backend.database.health.slow))
    known = f"{_WHERE}\\if :known\n{all_guarded({'slow': slow})}\\endif\n"
    return known + all_guarded({"room": _ROOM, "emptied": _EMPTIED}) + _login(backend)


_WHERE = """\
select coalesce(min(quote_ident(nspname)), '') as tracked, count(*) > 0 as known
 from pg_extension join pg_namespace n on n.oid = extnamespace
 where extname = 'pg_stat_statements' \\gset
"""
# Constants are parameters there, but not always (PostgreSQL docs, F.30.1), and never in utility
# statements: those are left out, and what is quoted is hidden. Our own begin as no other does.
_SLOW = f"""\
select jsonb_build_object('part', 'db slow', 'rows', coalesce(jsonb_agg(jsonb_build_array(
  id, calls, round(mean), regexp_replace(regexp_replace(left(query, 4000),
   $$'([^']|'')*'$$, '…', 'g'), '\\s+', ' ', 'g')) order by calls * mean desc), '[]'))
 from (select s ->> 'queryid' id, (s ->> 'calls')::bigint calls, s ->> 'query' query,
   coalesce(s ->> 'mean_exec_time', s ->> 'mean_time')::float8 mean
  from (select to_jsonb(p) s from :tracked.pg_stat_statements p
   where dbid = (select oid from pg_database where datname = current_database())) j
  order by (s ->> 'calls')::bigint * coalesce(s ->> 'mean_exec_time', s ->> 'mean_time')::float8
   desc) q
 where mean >= <slow> and calls >= {CALLS} and query ~* '^\\s*(select|insert|update|delete|with)\\M'
  and query !~ '^select jsonb_build_object\\(';
"""
# A row has 28 bytes beside its columns, an entry of an index 16 (PostgreSQL docs, 73.6, 67.4), and
# each is put on a multiple of eight. Without statistics of all its columns nothing is estimated.
_ROOM = f"""\
with own as materialized (select c.*, nspname from ({TABLES}) c
  join pg_namespace n on n.oid = relnamespace where reltuples > 0),
known as materialized (select own.oid, attnum, avg_width * (1 - null_frac) as width
 from own join pg_attribute a on attrelid = own.oid and attnum > 0 and not attisdropped
 left join pg_stats s on schemaname = nspname and tablename = relname and not inherited
  and s.attname = a.attname)
select jsonb_build_object('part', 'db room', 'rows', coalesce(jsonb_agg(jsonb_build_array(
  relation, indexed, pages, needed)), '[]')) from (
 select oid::regclass relation, null::regclass indexed, pages, (select case
   when bool_and(width is not null) then ceil(reltuples * (32 + sum(width)) / 8100 * 100
    / coalesce((select option_value::int from pg_options_to_table(reloptions)
     where option_name = 'fillfactor'), 100)) end from known k where k.oid = own.oid) needed
  from own where relkind = 'r'
 union all select x.oid::regclass, indrelid::regclass, x.relpages, (select case
   when count(width) = indnatts then ceil(x.reltuples * (24 + sum(width)) / 7200) end
   from known k where k.oid = indrelid and attnum = any (indkey::int2[]))
  from pg_index join own on own.oid = indrelid join pg_class x on x.oid = indexrelid
   join pg_am a on a.oid = x.relam
  where amname = 'btree' and x.relkind = 'i' and x.reltuples > 0 and indisvalid) r
 where pages > {LARGE} and pages > 3 * needed;
"""
# A crash empties what the server counts, not what the planner knows (PostgreSQL docs, 28.2). Of a
# database that is newer, copied from another, it has counted nothing yet: a file's time has no
# fractions of a second there.
_EMPTIED = f"""\
select jsonb_build_object('part', 'db emptied', 'at', date_trunc('second', stats_reset)::text,
 'tables', (select count(*) from ({TABLES}) c join pg_stat_all_tables s on s.relid = c.oid
  where relkind = 'r' and reltuples > 0 and n_live_tup = 0 and n_tup_ins = 0 and n_tup_del = 0
   and coalesce(last_vacuum, last_autovacuum, last_analyze, last_autoanalyze) is null))
 from pg_stat_bgwriter join pg_database on datname = current_database()
 where date_trunc('second', stats_reset) > greatest(now() - interval '1 day',
  (pg_stat_file(format('base/%s/PG_VERSION', oid), true)).modification);
"""
# What the block finds passes to the answer in a setting of the session's own: it gives no rows.
_PLAN = """\
select set_config('relogin.plan', 'null', false), set_config('relogin.query', :query:, false)
 \\g /dev/null
do $do$
declare plan json;
begin
 execute 'explain (format json) ' || current_setting('relogin.query') into plan;
 perform set_config('relogin.plan', plan::text, false);
end $do$;
\\if :ERROR
\\qecho '#db login plan' :SQLSTATE
\\else
select jsonb_build_object('part', 'db login plan', 'scans',
 jsonb_path_query_array(current_setting('relogin.plan')::jsonb,
  '$.**?(@."Node Type" == "Seq Scan")."Relation Name"'));
\\endif
"""


def _login(backend: Backend) -> str:
    """Give what asks for the plan by which the server finds a declared account."""
    accounts, database = backend.accounts, backend.database
    if accounts is None or database is None:
        return ""
    login = accounts.present[0].login if accounts.present else "nobody"
    table = sql.name(database.schema, accounts.table)
    column = sql.name(accounts.columns.login)
    query = f"select * from {table} where {column} = {sql.literal(login)}"
    return sql.fill(_PLAN, query=sql.literal(query))


def parse(rows: Rows, backend: Backend | None) -> dict[str, Any]:
    """Give the fields of a DatabaseState that these statements have answered."""
    found: dict[str, Any] = {}
    if "slow" in rows:
        found["slow"] = tuple(Slow(*row) for row in rows["slow"]["rows"])
    if "room" in rows:
        found["roomy"] = tuple(Roomy(*row) for row in rows["room"]["rows"])
    if rows.get("emptied", {"tables": 0})["tables"]:
        found["emptied"] = rows["emptied"]["at"]
    if "login plan" in rows and backend is not None and backend.accounts is not None:
        found["scans_for_login"] = backend.accounts.table in rows["login plan"]["scans"]
    return found
