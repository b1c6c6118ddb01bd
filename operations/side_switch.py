"""The switch of two databases: both are renamed in one transaction, or neither is.

A superuser holds the list of databases meanwhile, so that new connections wait for the lookup of
the name and then get the new database. Nobody else may (LOCK of a catalogue): there the renames
themselves hold both databases (PostgreSQL docs, ALTER DATABASE), and a second session ends the
sessions in them. Who was about to connect then gets 3D000 once, and the new database at the next
try.
"""

from __future__ import annotations

from relogin import sql

# The view of sessions is frozen within a transaction. Measured: 16 to 57 ms. A client that is about
# to connect holds a lock of the database and is no session yet. Who is in the middle of a request
# has some 80 ms to end it: in the first rounds only those sessions are ended that do nothing.
_BUSY = "coalesce(state, '') in ('active', 'idle in transaction')"
_ROUNDS = 20
_ALONE = f"""\
lock table pg_catalog.pg_database in access exclusive mode;
select set_config('relogin.pair', array[:live:, :next:]::text, true) \\g /dev/null
do $$ declare n int; begin
  for i in 1..500 loop
    with o as (select oid from pg_database
     where datname = any (current_setting('relogin.pair')::text[])),
     busy as (select pid from pg_stat_activity where datid in (select oid from o) and {_BUSY}),
     p as (select pid from pg_stat_activity where datid in (select oid from o)
      union select pid from pg_locks where database in (select oid from o)
      union select pid from pg_locks where locktype = 'object'
       and classid = 'pg_database'::regclass and objid in (select oid from o))
    select count(case when i <= {_ROUNDS} and pid in (select pid from busy) then true
      else pg_terminate_backend(pid) end) into n from p where pid <> pg_backend_pid();
    exit when n = 0;
    perform pg_sleep(0.003); perform pg_stat_clear_snapshot();
  end loop; end $$;
"""
_SWITCH = """\
set lock_timeout = '2s'; set statement_timeout = '8s';
set idle_in_transaction_session_timeout = '5s';
begin;
:alone:alter database :live_name: rename to :former_name:;
alter database :next_name: rename to :live_name:;
comment on database :former_name: is :was:;
comment on database :live_name: is :now:;
select 'switched in ' || round(extract(epoch from clock_timestamp() - now()) * 1000) || ' ms';
commit;
"""
# The door is shut once a rename holds its database, which it does for 5 seconds at most while a
# session is left in it; only then are sessions ended, and only until it is over.
_ENDED = f"""\
set statement_timeout = '20s';
select set_config('relogin.pair', array_agg(oid)::text, false) from pg_database
 where datname in (:live:, :next:) \\g /dev/null
do $$ declare pair oid[] := current_setting('relogin.pair')::oid[]; held int := 0; p int; begin
  for i in 1..2000 loop
    if exists (select from pg_locks where locktype = 'object' and granted
      and classid = 'pg_database'::regclass and objid = any (pair)
      and mode = 'AccessExclusiveLock') then
      held := held + 1;
      for p in select pid from pg_stat_activity where datid = any (pair)
       and pid <> pg_backend_pid() and not (held <= {_ROUNDS} and {_BUSY}) loop
        begin
          perform pg_terminate_backend(p);
        exception when insufficient_privilege then null;
        end;
      end loop;
    elsif held > 0 then
      return;
    end if;
    perform pg_sleep(0.004); perform pg_stat_clear_snapshot();
  end loop; end $$;
"""


def switched(
    live: str, following: str, former: str, *, was: str, now: str, superuser: bool = True
) -> str:
    """Give the transaction that puts one database in the place of the live one: both or neither.

    Nobody is in either then; `was` and `now` become the comments of the former and the new one. Of
    who is no superuser, what `ended` gives has to run beside it.
    """
    pair = {"live": sql.literal(live), "next": sql.literal(following)}
    return sql.WRITE + sql.fill(
        _SWITCH,
        alone=sql.fill(_ALONE, **pair) if superuser else "",
        live_name=sql.name(live),
        next_name=sql.name(following),
        former_name=sql.name(former),
        was=sql.literal(was),
        now=sql.literal(now),
    )


def ended(live: str, following: str) -> str:
    """Give the statements that end the sessions in both databases while these are renamed."""
    return sql.READ + sql.fill(_ENDED, live=sql.literal(live), next=sql.literal(following))
