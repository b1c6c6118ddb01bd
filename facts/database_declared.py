"""What a check asks by what is declared: relations, rows that are over, queries and their answers.

It comes behind the statements of relogin.facts.database_sql, in the same session: read only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from relogin import sql
from relogin.facts.database_sql import LARGE, STATEMENT, TABLES, all_guarded
from relogin.facts.database_state import Answered, Breaking, Over

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.postgres_state import Target
    from relogin.parts.health import Health, Query

Rows = Mapping[str, Mapping[str, Any]]
QUERY = 5  # seconds that a declared query may take
_WIDE = 300  # characters of a value that are looked at
_CUT = {"57014", "55P03", "22023"}  # it was not asked: no time, a lock, no such role


def statements(backend: Backend, target: Target) -> str:
    """Give the statements: of each what is declared, quoted as SQL has it."""
    assert backend.database is not None  # noqa: S101 # only asked with one
    health, schema = backend.database.health, backend.database.schema
    parts = {}
    if health.relations:
        parts["relations"] = _RELATIONS.replace("<declared>", _relations(health, schema))
    if health.expiring:
        parts["expiring"] = _EXPIRING.replace("<declared>", _expiring(health, schema))
    asked = "".join(_query(at, one, schema, target) for at, one in enumerate(health.queries))
    return all_guarded(parts) + (
        f"{asked}set statement_timeout = '{STATEMENT}s';\n" if asked else ""
    )


def _table(name: str, schema: str) -> str:
    """Give a declared table's name as a literal that holds it quoted."""
    return sql.literal(sql.name(*(name.split(".", 1) if "." in name else (schema, name))))


def _relations(health: Health, schema: str) -> str:
    return ", ".join(
        f"({at}, {_table(one.table, schema)}, {sql.literal(one.column)}::name,"
        f" {_table(one.to, schema)}, {sql.literal(one.key)}::name)"
        for at, one in enumerate(health.relations)
    )


def _expiring(health: Health, schema: str) -> str:
    return ", ".join(
        f"({at}, {_table(one.table, schema)}, {sql.literal(one.column)}::name, {one.days})"
        for at, one in enumerate(health.expiring)
    )


_SHARE = f"least(100, round(100.0 * {LARGE} / greatest(c.pages, 1), 4))"
_SAMPLE = "case when share < 100 then format('tablesample system (%s)', share) else '' end"
# Where no foreign key could be, the types may differ: then both are compared as text.
_RELATIONS = f"""\
select format($q$select jsonb_build_object('part', 'db relation %s', 'table', %L, 'count', n,
  'keys', keys, 'sampled', %s) from (
 select count(*) n, (array_agg(distinct k))[1:5] keys from (
  select t.%I k from %s t %s where t.%I is not null
   and not exists (select from %s r where %s)) b) x
 where (select clock_timestamp()) < %L$q$,
 at, c.oid::regclass, share, mine, c.oid::regclass, {_SAMPLE}, mine, b.attrelid::regclass,
 case when a.atttypid = b.atttypid or a.atttypid in (20, 21, 23) and b.atttypid in (20, 21, 23)
  then format('r.%I = t.%I', key, mine) else format('r.%I::text = t.%I::text', key, mine) end,
 :'until')
 from (values <declared>) d (at, held, mine, other, key)
 join ({TABLES}) c on c.oid = to_regclass(held)
 join pg_attribute a on a.attrelid = c.oid and a.attname = mine
 join pg_attribute b on b.attrelid = to_regclass(other) and b.attname = key
 cross join lateral (select {_SHARE} share) l \\gexec
"""
# A number above 10^11 counts milliseconds: as seconds it would be in the year 5138.
_EXPIRING = f"""\
select format($q$select jsonb_build_object('part', 'db expiring %s', 'table', %L, 'count', n,
  'sampled', %s) from (select count(*) n from %s t %s where %s) x
 where (select clock_timestamp()) < %L$q$,
 at, c.oid::regclass, share, c.oid::regclass, {_SAMPLE},
 case when a.atttypid in (1082, 1114, 1184)
  then format('t.%I < now() - interval ''%s days''', ends, days)
  else format('case when t.%1$I > 1e11 then t.%1$I / 1000 else t.%1$I end < %2$s', ends,
   extract(epoch from now() - days * interval '1 day')::bigint) end,
 :'until')
 from (values <declared>) d (at, held, ends, days)
 join ({TABLES}) c on c.oid = to_regclass(held)
 join pg_attribute a on a.attrelid = c.oid and a.attname = ends
  and a.atttypid in (1082, 1114, 1184, 20, 23, 700, 701, 1700)
 cross join lateral (select {_SHARE} share) l \\gexec
"""
# A block is one read-only transaction of its own, which a query cannot leave; a cursor takes one
# statement and no more, none that writes (PostgreSQL docs, 43.7.2). The query runs with the
# backend's rights. One who may not take its role has lesser rights of his own.
_QUERY = """\
select set_config('relogin.query', :query:, false), set_config('relogin.role', :role:, false),
 set_config('relogin.schema', :schema:, false), set_config('relogin.answer', 'null', false),
 set_config('relogin.until', :'until', false) \\g /dev/null
set statement_timeout = ':seconds:s';
do $do$
declare r record;
begin
 if clock_timestamp() > current_setting('relogin.until')::timestamptz then return; end if;
 begin
  perform set_config('role', current_setting('relogin.role'), true);
 exception when insufficient_privilege then null;
 end;
 perform set_config('search_path', quote_ident(current_setting('relogin.schema')), true),
  set_config('row_security', 'on', true);
 for r in execute format('select coalesce(json_agg(cells), ''[]'') as answer from (
  select (select json_agg(case when length(value #>> ''{}'') > :wide:
    then to_json(left(value #>> ''{}'', :wide:) || ''…'') else value end)
   from json_each(row_to_json(q))) cells from (select * from (%s' || chr(10)
  || ') q limit :limit:) q) x', current_setting('relogin.query'))
 loop
  perform set_config('relogin.answer', r.answer::text, false);
 end loop;
end $do$;
\\if :ERROR
\\qecho '#db query :at:' :SQLSTATE
\\else
select jsonb_build_object('part', 'db query :at:', 'rows',
 current_setting('relogin.answer')::jsonb);
\\endif
"""


def _query(at: int, query: Query, schema: str, target: Target) -> str:
    return sql.fill(
        _QUERY,
        at=str(at),
        query=sql.literal(query.sql.rstrip().removesuffix(";")),
        role=sql.literal(target.role),
        schema=sql.literal(schema),
        seconds=str(QUERY),
        wide=str(_WIDE),
        limit=str(max(50, len(_declared(query))) + 1),
    )


def _declared(query: Query) -> Sequence[Any]:
    assert isinstance(query.answer, tuple)  # noqa: S101 # the part makes one of it
    return query.answer


def parse(rows: Rows, failed: Mapping[str, str], health: Health) -> dict[str, Any]:
    """Give the fields of a DatabaseState; `failed` is the SQLSTATE of each part that failed."""
    return {
        "pointless": tuple(_pointless(rows, health)),
        "over": tuple(_over(rows, health)),
        "answered": tuple(_answered(rows, failed, health)),
    }


def _pointless(rows: Rows, health: Health) -> Iterator[Breaking]:
    for at, one in enumerate(health.relations):
        row = rows.get(f"relation {at}")
        if row and row["count"]:
            keys = tuple(map(str, row["keys"]))
            rule = f"{one.column} -> {one.to}.{one.key}"
            yield Breaking(rule, row["table"], row["count"], keys, float(row["sampled"]))


def _over(rows: Rows, health: Health) -> Iterator[Over]:
    for at, one in enumerate(health.expiring):
        if row := rows.get(f"expiring {at}"):
            share = float(row["sampled"])
            count = round(row["count"] * 100 / share)
            yield Over(row["table"], one.column, count, one.at_most, one.days, share)


def _answered(rows: Rows, failed: Mapping[str, str], health: Health) -> Iterator[Answered]:
    """Give what each query answered, and why it failed; one that was not asked is not there."""
    for at, one in enumerate(health.queries):
        part, expected = f"query {at}", tuple(_row(row) for row in _declared(one))
        found = rows.get(part, {"rows": None})["rows"]
        if found is not None:
            yield Answered(one.name, one.sql, expected, tuple(tuple(row) for row in found))
        elif failed.get(part, "57014") not in _CUT:
            yield Answered(one.name, one.sql, expected, (), failed[part])


def _row(row: Any) -> tuple[Any, ...]:
    return tuple(row) if isinstance(row, tuple | list) else (row,)


def unasked(rows: Rows, failed: Mapping[str, str], health: Health) -> Iterator[str]:
    """Give what was not looked at, or only in part."""
    for at, one in enumerate(health.relations):
        yield from _told(rows.get(f"relation {at}"), f"{one.table}.{one.column} -> {one.to}")
    for at, over in enumerate(health.expiring):
        yield from _told(rows.get(f"expiring {at}"), f"{over.table}.{over.column}")
    for at, query in enumerate(health.queries):
        state = failed.get(f"query {at}", "57014")
        if rows.get(f"query {at}", {"rows": None})["rows"] is None and state in _CUT:
            yield f"query {query.name} was not answered (SQLSTATE {state})"


def _told(row: Mapping[str, Any] | None, what: str) -> Iterator[str]:
    if row is None:
        yield f"{what} was not looked at: it is not there, takes too long, or may not be"
    elif float(row["sampled"]) < 100:
        yield f"{row['sampled']} % of {row['table']}, a sample, was looked at for {what}"
