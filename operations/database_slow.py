"""What makes the database slow, and what a crash has taken from the one who asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import sql
from relogin.facts.database_state import DatabaseState, TableIndex
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations.database_baseline import users_table
from relogin.operations.database_seen import PSQL, where_looked

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_MANY = 1000  # pages, 8 MiB: to read fewer for each login is soon done


def _judge_login(backend: Backend, seen: Observation, state: DatabaseState) -> Finding | None:
    """Ask the plan and the indexes: a query of the backend's own may fold the login's case."""
    name = users_table(backend)
    table = next((one for one in state.tables if one.name == name), None)
    if not state.scans_for_login or table is None or table.pages < _MANY:
        return None
    assert backend.accounts is not None  # noqa: S101 # there is no plan otherwise
    column = backend.accounts.columns.login
    of_it = [one for one in state.indexes if one.table == name and _begins(one, column)]
    if any(index.sound for index in of_it):
        return None
    broken = "; ".join(f"{index.name} is not valid" for index in of_it)
    return Finding(
        f"each login reads the whole of {name}: no index finds a row by its {column}",
        subject=name,
        seen=f"its plan has a Seq Scan over {table.pages * 8 // 1024} MiB"
        + (f"; {broken}" if broken else ""),
        remedy=f"REINDEX INDEX CONCURRENTLY {of_it[0].name};"
        if of_it
        else f"CREATE UNIQUE INDEX CONCURRENTLY ON {name} ({sql.name(column)});",
    )


def _begins(index: TableIndex, column: str) -> bool:
    """Tell whether its first key is the column, or an expression of it."""
    keys = index.definition.partition(" (")[2]
    first = keys.partition(", ")[0].partition(" WHERE ")[0].partition(" INCLUDE ")[0]
    return any(column in found for found in re.findall(r'"([^"]*)"|([\w$]+)', first))


def _judge_slow(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    assert backend.database is not None  # noqa: S101 # only looked at with one
    bound = backend.database.health.slow
    for one in state.slow[:5]:
        yield Finding(
            f"a statement takes {one.mean} ms in the mean: {_cut(one.text)}",
            subject=one.id,
            seen=f"{one.calls} calls in pg_stat_statements",
            expected=f"less than {bound} ms, as Health(slow=…) says",
            remedy="see its plan: EXPLAIN (GENERIC_PLAN) from 16 on, or EXPLAIN with values in"
            " place of $1; then an index, or ANALYZE",
        )


def _cut(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:99]}…"


def _judge_room(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    for one in state.roomy:
        yield Finding(
            f"{'index' if one.of else 'table'} {one.name} takes more than three times the room"
            " that its rows need",
            subject=one.name,
            seen=f"{one.pages * 8 // 1024} MiB; its rows need about {one.needed * 8 // 1024}, as"
            " the planner's statistics say",
            remedy=f"REINDEX INDEX CONCURRENTLY {one.name};"
            if one.of
            else f"VACUUM gives room back at its end only; pg_repack does beside the traffic,"
            f" VACUUM (FULL) {one.name} while nobody can read it",
        )


def _judge_emptied(backend: Backend, seen: Observation, state: DatabaseState) -> Finding | None:
    if state.emptied is None:
        return None
    return Finding(
        "what the server counts was emptied, as a crash does; no row is lost by that",
        subject=state.name,
        seen=f"it counts anew since {state.emptied}: dead rows, checksum failures and slow"
        " statements of before are not known",
        remedy="run ANALYZE in it, so that autovacuum has something to go by, and check again"
        " after a day",
    )


SLOW_STATEMENT = Fault(
    "database.slow-statement",
    where_looked(_judge_slow),
    severity=Severity.WARNING,
    about="a statement takes long in the mean, as pg_stat_statements says where it is installed",
    remedy="see its plan; an index, or ANALYZE",
    check=(
        f"{PSQL} -c 'SELECT calls, mean_exec_time, query FROM pg_stat_statements"
        " ORDER BY total_exec_time DESC LIMIT 5'",
    ),
)
LOGIN_SCANS = Fault(
    "database.login-scans",
    where_looked(_judge_login),
    severity=Severity.WARNING,
    about="each login reads the whole of a large users table: the index on its column is missing",
    remedy="the statement that makes it beside the traffic is said",
    check=(f"{PSQL} -c '\\d TABLE'",),
)
BLOATED = Fault(
    "database.bloated",
    where_looked(_judge_room),
    severity=Severity.WARNING,
    about="a table or index above 100 MiB takes more than three times the room that its rows need",
    remedy="REINDEX CONCURRENTLY of an index; pg_repack or VACUUM (FULL) of a table",
    check=(f"{PSQL} -c '\\dt+ TABLE' -c '\\di+'",),
)
STATISTICS_EMPTIED = Fault(
    "database.statistics-emptied",
    where_looked(_judge_emptied),
    severity=Severity.NOTE,
    about="what the server counts was emptied within a day, as a crash does: no row is lost by it",
    remedy="run ANALYZE, and check again after a day",
    check=(f"{PSQL} -c 'SELECT stats_reset FROM pg_stat_bgwriter'",),
)
