"""What a check does without amcheck: it counts a table's rows by each of its indexes.

An index that a crash or a copy has left behind its table finds fewer rows than there are; one with
a page that cannot be read finds none. What amcheck alone sees is not seen: keys out of order.
"""

from __future__ import annotations

from relogin.facts.database_sql import LARGE, TABLES, UNTIL_THEN, all_guarded

# One snapshot for both counts. Of an index with operators of its own no query asks for the order.
_ORDERED = f"""\
set default_transaction_isolation = 'repeatable read';
{UNTIL_THEN}do $do$
declare r record; total bigint; ordered bigint; said text; found jsonb := '[]';
begin
 for r in select indexrelid::regclass::text as name, indrelid::regclass::text as held,
   coalesce('where ' || pg_get_expr(indpred, indrelid), '') as part,
   (select string_agg(pg_get_indexdef(indexrelid, k, false)
     || case when indoption[k - 1] & 1 = 1 then ' desc' else '' end
     || case when indoption[k - 1] & 2 = 2 then ' nulls first' else ' nulls last' end, ', '
     order by k) from generate_series(1, indnkeyatts) k) as keys
  from pg_index join ({TABLES.replace(":size", "0")}) c on c.oid = indrelid
   join pg_class x on x.oid = indexrelid join pg_am a on a.oid = x.relam
  where amname = 'btree' and x.relkind = 'i' and indisvalid and c.relkind = 'r'
   and greatest(pages, x.relpages) <= {LARGE}
 loop
  if clock_timestamp() > current_setting('relogin.until')::timestamptz then
   found := found || jsonb_build_array(jsonb_build_array(r.held, r.name, 'late'));
   continue;
  end if;
  said := null;
  begin
   perform set_config('enable_seqscan', 'on', true), set_config('enable_indexscan', 'off', true),
    set_config('enable_indexonlyscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
   execute format('select count(*) from %s %s', r.held, r.part) into total;
   said := '';
   perform set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'on', true),
    set_config('enable_indexonlyscan', 'on', true), set_config('enable_sort', 'off', true);
   execute format('select count(*) from (select from %s %s order by %s offset 0) x',
    r.held, r.part, r.keys) into ordered;
   if ordered <> total then said := format('it finds %s of %s rows', ordered, total); end if;
  exception
  when lock_not_available or insufficient_privilege then said := 'locked';
  when query_canceled then said := 'late';
  when others then
   if sqlstate !~ '^(XX|58)' then raise; end if;
   said := case when said = '' then 'SQLSTATE ' || sqlstate else '' end; -- else the table itself
  end;
  if said <> '' then
   found := found || jsonb_build_array(jsonb_build_array(r.held, r.name, said));
  end if;
 end loop;
 perform set_config('relogin.found', found::text, false);
end $do$;
select jsonb_build_object('part', 'db ordered', 'rows', current_setting('relogin.found')::jsonb);
"""
_EITHER = """\
select exists (select from pg_extension where extname = 'amcheck') as checked \\gset
\\if :checked
\\else
"""


def statements() -> str:
    """Give the statements, as the last of the session: they change its isolation."""
    return f"{_EITHER}{all_guarded({'ordered': _ORDERED})}\\endif\n"
