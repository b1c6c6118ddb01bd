"""What a check reads of the rows and pages themselves, and what strains the server just now.

A broken index hides what it should have kept out, so duplicates are looked for without indexes
(PostgreSQL docs, 19.7.1). Pages are read whole only in tables that are not large, or declared to be
counted; amcheck is used where it is installed, and never made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from relogin import sql
from relogin.facts import database_order
from relogin.facts.database_sql import LARGE, TABLES, UNTIL_THEN, all_guarded, counted_tables
from relogin.facts.database_state import Corrupt, Session, Slot, Strain, Twice

if TYPE_CHECKING:
    from relogin.backend import Backend

Rows = Mapping[str, Mapping[str, Any]]
IDLE = "5 minutes"  # after which an open transaction that does nothing is named
WAITING = "30 seconds"  # after which a session that waits for a lock is named
NAMES = {
    "corrupt": "pages were not read",
    "ordered": "rows were not counted by each index",
    "strain": "sessions, slots and dead rows were not looked at",
}


_UNREAD = {"locked": "they are locked, or may not be", "late": "all took too long"}


def statements(backend: Backend) -> str:
    """Give the statements, behind those of relogin.facts.database_sql in the same session."""
    declared = ", ".join(map(sql.literal, counted_tables(backend)))
    counted = f"array[{declared}]::text[]"
    parts = {"strain": _STRAIN, "twice": _TWICE, "corrupt": _CORRUPT}
    pages = all_guarded({name: text.replace("<counted>", counted) for name, text in parts.items()})
    return pages + database_order.statements()


_STRAIN = f"""\
select jsonb_build_object('part', 'db strain',
 'checksums', (select coalesce(sum(checksum_failures), 0) from pg_stat_database
  where datname = current_database() or datid = 0),
 'slots', (select coalesce(jsonb_agg(jsonb_build_array(slot_name, wal_status, pg_wal_lsn_diff(
    case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end,
    restart_lsn)::bigint, active)), '[]') from pg_replication_slots where restart_lsn is not null),
 'idle', (select coalesce(jsonb_agg(jsonb_build_array(pid, usename, application_name,
    extract(epoch from now() - state_change)::int, '[]'::jsonb)), '[]') from pg_stat_activity
  where datname = current_database() and state like 'idle in transaction%'
   and state_change < now() - interval '{IDLE}'),
 'waiting', (select coalesce(jsonb_agg(jsonb_build_array(pid, usename, application_name,
    extract(epoch from now() - query_start)::int, pg_blocking_pids(pid))), '[]')
  from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
   and query_start < now() - interval '{WAITING}'),
 'prepared', (select coalesce(jsonb_object_agg(gid, date_trunc('second', prepared)), '{{}}')
  from pg_prepared_xacts where database = current_database()
   and prepared < now() - interval '{IDLE}'),
 'dead', (select coalesce(jsonb_agg(jsonb_build_array(relid::regclass, n_dead_tup, n_live_tup)
   order by n_dead_tup desc), '[]') from pg_stat_user_tables
  where n_dead_tup > 50000 and n_dead_tup > n_live_tup));
"""
# NULLs are no duplicates; of an index on an expression, or of a part of the rows, nothing is asked.
# Of a large table that is counted those values are looked at whose hash is a multiple of `nth`:
# what is there twice has one hash.
_TWICE = f"""\
set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = off;
select case when nth > 1 and indrelid <> all (array(
   select to_regclass(t)::oid from unnest(<counted>) t where to_regclass(t) is not null))
  then format(
  'select jsonb_build_object(''part'', ''db unasked '' || %1$L, ''what'',
   ''duplicates under '' || %1$L || '' (its table is large, and not counted)'')',
  indexrelid::regclass)
 else format($q$select jsonb_build_object('part', 'db twice %s', 'index', %L, 'table', %L,
  'count', n, 'keys', keys, 'nth', %s) from (
 select count(*) n, (array_agg(k order by k))[1:5] keys from (
  select concat_ws(', ', %s) k from %s where %s %s group by %s having count(*) > 1) d) x
 where (select clock_timestamp()) < %L$q$,
 indexrelid, indexrelid::regclass, indrelid::regclass, nth, names, indrelid::regclass, filled,
 case when nth > 1 then format('and hashtext(concat_ws('', '', %s)) %% %s = 0', names, nth) end,
 names, :'until') end
 from pg_index join ({TABLES}) c on c.oid = indrelid
 cross join lateral (select ceil(greatest(c.pages, 1) / {LARGE}.0)::int nth) s
 cross join lateral (select string_agg(quote_ident(attname), ', ') names,
  string_agg(quote_ident(attname) || ' is not null', ' and ') filled
  from unnest((indkey::int2[])[0:indnkeyatts - 1]) key
  join pg_attribute on attrelid = indrelid and attnum = key) l
 where indisunique and indpred is null and indexprs is null \\gexec
"""
# What is found passes from the block to the answer in a setting of the session's own: a block gives
# no rows, and makes nothing. What says corruption is caught: XX, and 58 where garbage in a row
# names a file that is not there (PostgreSQL docs, appendix A).
_IN_BLOCK = TABLES.replace(":size", "0")  # psql puts its variables into no quoted text
_CORRUPT = f"""\
{UNTIL_THEN}select set_config('relogin.amcheck', coalesce((select nspname from pg_extension
  join pg_namespace n on n.oid = extnamespace where extname = 'amcheck'), ''), false)
 \\g /dev/null
do $do$
declare
 r record; n bigint; found jsonb := '[]'; am text := current_setting('relogin.amcheck');
 counted oid[] := array(select to_regclass(t)::oid from unnest(<counted>) t);
begin
 for r in select c.oid::regclass::text as name, null::oid as index, c.oid, pages
   from ({_IN_BLOCK}) c where c.relkind = 'r' and (pages <= {LARGE} or c.oid = any (counted))
  union all select indexrelid::regclass::text, indexrelid, indrelid, pages
   from pg_index join ({_IN_BLOCK}) c on c.oid = indrelid join pg_class x on x.oid = indexrelid
   join pg_am a on a.oid = x.relam
   where am <> '' and amname = 'btree' and x.relkind = 'i' and indisvalid
    and (pages <= {LARGE} or indrelid = any (counted)) order by 2 nulls first
 loop
  if clock_timestamp() > current_setting('relogin.until')::timestamptz then
   found := found || jsonb_build_array(jsonb_build_array(r.name, '', 'late'));
   continue;
  end if;
  begin
   if r.index is not null then
    execute format('select %I.bt_index_check($1, $2)', am)
     using r.index::regclass, r.pages <= {LARGE};
   else
    execute format('select count(*) from (select t from %s t) x', r.name) into n;
    if am <> '' then
     execute format('select count(*) from %I.verify_heapam($1, endblock => $2)', am) into n
      using r.oid::regclass, case when r.pages > {LARGE} then {LARGE} - 1 end;
     if n > 0 then
      found := found || jsonb_build_array(jsonb_build_array(r.name, '', n || ' problems'));
     end if;
    end if;
   end if;
  exception
  when lock_not_available or insufficient_privilege then
   found := found || jsonb_build_array(jsonb_build_array(r.name, '', 'locked'));
  when query_canceled then
   found := found || jsonb_build_array(jsonb_build_array(r.name, '', 'late'));
  when others then
   if sqlstate !~ '^(XX|58)' then raise; end if;
   found := found || jsonb_build_array(jsonb_build_array(r.oid::regclass::text,
    case when r.index is null then '' else r.name end,
    case when r.index is null then '' else 'bt_index_check: ' end || 'SQLSTATE ' || sqlstate));
  end;
 end loop;
 perform set_config('relogin.found', found::text, false);
end $do$;
select jsonb_build_object('part', 'db corrupt', 'rows', current_setting('relogin.found')::jsonb);
"""


def parse(rows: Rows) -> dict[str, Any]:
    """Give the fields of a DatabaseState that these statements have answered."""
    found: dict[str, Any] = {"twice": tuple(_twice(rows))}
    pages = [row for row in _pages(rows) if row[2] not in _UNREAD]
    found["corrupt"] = tuple(dict.fromkeys(Corrupt(*row) for row in pages))
    if "strain" in rows:
        found["strain"] = _strain(rows["strain"])
    return found


def untested(rows: Rows) -> list[str]:
    """Give the unique indexes under which duplicates were to be looked for, and were not."""
    told = {row["index"] for name, row in rows.items() if name.startswith("twice ")}
    told |= {name.partition(" ")[2] for name in rows if name.startswith("unasked ")}
    plain = re.compile(r"USING btree \([^()]*\)( INCLUDE \([^()]*\))?( NULLS NOT DISTINCT)?$")
    unique = [row[0] for row in rows["indexes"]["rows"] if row[3] and plain.search(row[5])]
    return [name for name in unique if name not in told]


def sampled(rows: Rows) -> Iterator[str]:
    """Give under which unique indexes a part of the values was looked at."""
    for name, row in rows.items():
        if name.startswith("twice ") and row["nth"] > 1:
            yield f"one of {row['nth']} values under {row['index']} was looked for twice"


def unread(rows: Rows) -> Iterator[str]:
    """Give of which tables and indexes the pages were not read, and why."""
    for said, why in _UNREAD.items():
        names = dict.fromkeys(row[1] or row[0] for row in _pages(rows) if row[2] == said)
        if names:
            yield f"pages of {', '.join(names)} were not read: {why}"
    large = [row[0] for row in rows["tables"]["rows"] if row[1] == "r" and row[3] > LARGE]
    counted = {row["table"] for name, row in rows.items() if name.startswith("count ")}
    if whole := [name for name in large if name not in counted]:
        yield f"pages of {', '.join(whole)} were not read: large, and not among the counted"
    if large and "ordered" in rows:
        yield f"indexes of {', '.join(large)} were not read: large, and amcheck is not installed"


def _pages(rows: Rows) -> list[list[str]]:
    """Give what was said of pages: by amcheck, or by the order of indexes where there is none."""
    return [row for part in ("corrupt", "ordered") for row in rows.get(part, {"rows": ()})["rows"]]


def _twice(rows: Rows) -> Iterator[Twice]:
    for name, row in rows.items():
        if name.startswith("twice ") and row["count"]:
            keys = tuple(map(str, row["keys"]))
            yield Twice(row["index"], row["table"], row["count"], keys, row["nth"])


def _strain(row: Mapping[str, Any]) -> Strain:
    return Strain(
        checksum_failures=int(row["checksums"]),
        slots=tuple(Slot(*slot) for slot in row["slots"]),
        idle=tuple(_session(*one) for one in row["idle"]),
        waiting=tuple(_session(*one) for one in row["waiting"]),
        prepared=row["prepared"],
        dead={table: (dead, live) for table, dead, live in row["dead"]},
    )


def _session(pid: int, user: str, program: str, seconds: int, behind: list[int]) -> Session:
    return Session(pid, user or "", program or "unnamed", seconds, tuple(behind))
