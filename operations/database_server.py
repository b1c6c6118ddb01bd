"""What threatens the whole database: its oldest rows, slots, sessions, connections, dead rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import sql
from relogin.facts.database_state import Ages, DatabaseState, Session, Strain
from relogin.facts.postgres_state import Server
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations.database_seen import PSQL, where_looked
from relogin.operations.postgres_limits import CONNECTIONS, held_by

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

# At 2^31 minus three million the server takes no writes any more (PostgreSQL docs, 24.1.5); at 1.6
# thousand million VACUUM drops everything else for it (vacuum_failsafe_age).
_CRITICAL = 1_600_000_000
_WARNING = 1_000_000_000


def _judge_age(backend: Backend, seen: Observation, state: DatabaseState) -> Finding | None:
    """Warn where freezing has not kept up with its own setting by far."""
    ages = state.ages
    if ages is None or _worst(ages) < _WARNING:
        return None
    holders = "; ".join(ages.holders[:5])
    return Finding(
        f"rows of database {state.name} are so old that the server will soon take no writes",
        subject=state.name,
        seen=f"its oldest is {ages.transactions} transactions and {ages.multixacts} multixacts old,"
        " of 2147483647" + (f"; held back by {holders}" if holders else ""),
        expected=f"autovacuum freezes them at {ages.autovacuum}",
        remedy=(
            "end what holds it back, then " if holders else "see why autovacuum does not, then "
        )
        + "run VACUUM (FREEZE) in this database, the oldest tables first",
        severity=Severity.CRITICAL if _worst(ages) >= _CRITICAL else Severity.WARNING,
    )


def _worst(ages: Ages) -> int:
    return max(ages.transactions, ages.multixacts)


def _strain(state: DatabaseState) -> Strain:
    return state.strain or Strain()


_KEPT = 256 * 2**20  # bytes: a slot whose reader restarts keeps less
_KEPT_BY_A_READER = 5 * 2**30  # one that is connected catches up, or never will


def _judge_slots(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    for slot in _strain(state).slots:
        bound = _KEPT_BY_A_READER if slot.active else _KEPT
        if slot.kept > bound or slot.status in {"unreserved", "lost"}:
            drop = f"SELECT pg_drop_replication_slot({sql.literal(slot.name)});"
            yield Finding(
                f"replication slot {slot.name}, "
                + ("whose reader is behind" if slot.active else "which nobody uses")
                + ", fills the disk",
                subject=slot.name,
                seen=f"it keeps {slot.kept // 2**20} MiB of WAL ({slot.status or 'reserved'})",
                remedy="see what its reader waits for: SELECT * FROM pg_stat_replication;"
                if slot.active
                else f"have its reader connect again; if there is none any more: {drop}",
            )


_NEAR = 0.8  # of the connections that there may be: the next burst of requests takes the rest


def _judge_near_limit(
    backend: Backend, seen: Observation, state: DatabaseState
) -> Iterator[Finding]:
    """Warn while there are some left: where none is, that is a fault of the layer `postgres`."""
    server = seen.postgres
    if not isinstance(server, Server) or (server.role is not None and server.role.superuser):
        return
    for what, setting, used, limit in _limits(server):
        if _NEAR * limit <= used < limit:
            yield Finding(
                f"{what} has nearly as many connections as it may have",
                subject=what,
                seen=f"{used} of {limit} ({setting}); {held_by(server)}",
                expected=f"fewer than {_NEAR:.0%}",
                remedy="give what holds most of them a smaller pool, or put a pooler before the"
                f" server; a larger {setting} takes more memory",
            )


def _limits(server: Server) -> Iterator[tuple[str, str, int, int]]:
    """Give what has a limit: its name, where that is set, how many there are, and may be."""
    yield "the server", "max_connections, without those reserved", server.used, server.room
    if server.role is not None:
        role = server.role
        yield f"role {role.name}", "its CONNECTION LIMIT", role.used, role.limit
    if server.database is not None:
        name, of = server.database.name, server.database
        yield f"database {name}", "its CONNECTION LIMIT", of.used, of.limit


def _judge_idle(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    for one in _strain(state).idle:
        yield Finding(
            "a session does nothing in an open transaction",
            subject=str(one.pid),
            seen=f"{_named(one)}, for {one.seconds} s: it keeps locks, and dead rows",
            remedy=f"find out whose it is, or end it: SELECT pg_terminate_backend({one.pid});",
        )
    for name, since in _strain(state).prepared.items():
        yield Finding(
            "a prepared transaction waits for its end, as a crash leaves it",
            subject=name,
            seen=f"pg_prepared_xacts has it since {since}: it keeps locks, and dead rows",
            remedy="ask who coordinates it (a queue, an application server) whether it is to be"
            f" done: COMMIT PREPARED {sql.literal(name)}; or ROLLBACK PREPARED"
            f" {sql.literal(name)};",
        )


def _judge_waiting(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    for one in _strain(state).waiting:
        behind = ", ".join(map(str, one.behind)) or "unknown"
        yield Finding(
            "a session waits for a lock",
            subject=str(one.pid),
            seen=f"{_named(one)}, for {one.seconds} s, behind process {behind}",
            remedy="see what that one does: SELECT pid, usename, state, left(query, 60) FROM"
            f" pg_stat_activity WHERE pid = ANY (pg_blocking_pids({one.pid}));",
        )


def _named(one: Session) -> str:
    return f"process {one.pid} of {one.user} ({one.program})"


def _judge_dead(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    for table, (dead, live) in _strain(state).dead.items():
        yield Finding(
            f"table {table} is mostly dead rows",
            subject=table,
            seen=f"{dead} dead, {live} alive: every scan reads all of them",
            remedy=f"VACUUM (ANALYZE) {table}; and see why autovacuum does not (idle transactions,"
            " slots, autovacuum_enabled)",
        )


_ACTIVITY = (
    f"{PSQL} -c 'SELECT pid, usename, state, state_change, pg_blocking_pids(pid) FROM"
    " pg_stat_activity'",
)
SLOT_HOLDS_WAL = Fault(
    "database.slot-holds-wal",
    where_looked(_judge_slots),
    severity=Severity.WARNING,
    about="a replication slot that nobody uses keeps WAL, which fills the disk",
    remedy="have its reader connect again, or give it up",
    check=(f"{PSQL} -c 'SELECT slot_name, active, restart_lsn FROM pg_replication_slots'",),
)
CONNECTIONS_NEAR_LIMIT = Fault(
    "database.connections-near-limit",
    where_looked(_judge_near_limit),
    severity=Severity.WARNING,
    about="four fifths of the connections that the server, the role or the database may have are"
    " taken",
    remedy="give what holds them a smaller pool",
    check=CONNECTIONS,
)
IDLE_IN_TRANSACTION = Fault(
    "database.idle-in-transaction",
    where_looked(_judge_idle),
    severity=Severity.WARNING,
    about="a session does nothing in an open transaction for more than five minutes",
    remedy="find out whose it is, or end it",
    check=_ACTIVITY,
)
LOCKS_WAITED_FOR = Fault(
    "database.lock-waited-for",
    where_looked(_judge_waiting),
    severity=Severity.WARNING,
    about="a session waits for a lock for more than half a minute",
    remedy="see who holds it",
    check=_ACTIVITY,
)
DEAD_ROWS = Fault(
    "database.dead-rows",
    where_looked(_judge_dead),
    severity=Severity.WARNING,
    about="most rows of a table are dead, more than fifty thousand",
    remedy="VACUUM it, and see why autovacuum does not",
    check=(f"{PSQL} -c 'SELECT relname, n_dead_tup, n_live_tup FROM pg_stat_user_tables'",),
)
WRAPAROUND_NEAR = Fault(
    "database.wraparound-near",
    where_looked(_judge_age),
    about="the oldest rows are so old that the server will soon take no writes",
    remedy="end what holds VACUUM back, and run it with FREEZE",
    check=(
        f"{PSQL} -c 'SELECT datname, age(datfrozenxid), mxid_age(datminmxid) FROM pg_database'",
    ),
)
