"""What the baseline has and the database has not: tables, columns, rules, rows, extensions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from relogin import sql
from relogin.baseline import TableBaseline
from relogin.facts.database_state import DatabaseState, Table
from relogin.fault import Detect, Fault
from relogin.finding import Finding, Severity
from relogin.operations.database_seen import PSQL, Judged, where_looked

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

Pair = tuple[Table, TableBaseline]


def _judge_tables(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    there = {table.name for table in state.tables}
    users = users_table(backend)
    for name in state.baseline.tables if state.baseline else ():
        if name in there or name == users:  # accounts.table-missing has that one
            continue
        last = name.rpartition(".")[2]
        alike = [other for other in sorted(there) if other.rpartition(".")[2] == last]
        yield Finding(
            f"table {name} is missing",
            subject=name,
            seen=f"there is {', '.join(alike)}" if alike else "no such row in pg_class",
            expected="the baseline has it",
            remedy="restore it from a backup; if a migration has dropped it, learn the baseline"
            " anew",
        )


def users_table(backend: Backend) -> str:
    """Give the users table's name as the server writes it, or nothing where none is declared."""
    if backend.accounts is None or backend.database is None:
        return ""
    return ".".join(_plain(part) for part in (backend.database.schema, backend.accounts.table))


def _plain(name: str) -> str:
    """Write a name as the server does: quoted only if it has to be."""
    letters = name.replace("_", "a")
    plain = letters.isascii() and letters.isalnum() and name == name.lower() and name[0] > "9"
    return name if plain else sql.name(name)


def _compared(state: DatabaseState) -> Iterator[Pair]:
    """Give the tables that are there, each with what the baseline has of it."""
    for table in state.tables:
        if state.baseline and table.name in state.baseline.tables:
            yield table, state.baseline.tables[table.name]


def _each(judge: Callable[[DatabaseState, Table, TableBaseline], Iterator[Finding]]) -> Detect:
    """Judge each table that is there and in the baseline."""

    def detect(backend: Backend, seen: Observation, state: DatabaseState) -> Judged:
        return [found for pair in _compared(state) for found in judge(state, *pair)]

    return where_looked(detect)


def _judge_columns(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    known = vars(backend.accounts.columns).values() if backend.accounts else ()
    for table, before in _compared(state):
        of_users = table.name == users_table(backend)
        for name, kind in before.columns.items():
            if of_users and name in known and name not in table.columns:
                continue  # accounts.column-missing has it
            if (now := table.columns.get(name)) != kind:
                yield _column(table, name, kind, now)


def _column(table: Table, name: str, kind: str, now: str | None) -> Finding:
    """A column of another type still has its rows."""
    lost = now is None
    return Finding(
        f"column {name} of {table.name} is {'missing' if lost else 'another than it was'}",
        subject=f"{table.name}:{name}",
        seen="" if now is None else now,
        expected=kind,
        remedy="restore it from a backup; if a migration has changed it, learn the baseline anew",
        severity=Severity.CRITICAL if lost else Severity.WARNING,
    )


def _missing(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give the rules that are not there any more: one of another name does the same."""
    there = {_without_casts(definition) for definition in now.values()}
    for name, definition in before.items():
        if definition not in now.values() and _without_casts(definition) not in there:
            yield name, definition


_CAST = re.compile(
    r"::(character varying|bit varying|double precision"
    r"|time(stamp)?(\(\d\))? with(out)? time zone|[\w.\"]+)(\([\d,]+\))?(\[\])*"
)
_ALONE = re.compile(r"\(('(?:[^']|'')*'|-?[\d.]+|\w+|ARRAY\[[^][()]*\])\)")


def _without_casts(definition: str) -> str:
    """Give a rule without its casts and what they were put in brackets for.

    A rule that was dumped and restored has them at other places: `IN` on a varchar is one.
    """
    bare = _CAST.sub("", definition)
    while (less := _ALONE.sub(r"\1", bare)) != bare:
        bare = less
    return bare


def _judge_keys(state: DatabaseState, table: Table, before: TableBaseline) -> Iterator[Finding]:
    for finding, definition in _constraints(state, table, before):
        if definition.startswith("PRIMARY KEY"):
            yield finding


def _judge_constraints(
    state: DatabaseState, table: Table, before: TableBaseline
) -> Iterator[Finding]:
    for finding, definition in _constraints(state, table, before):
        if not definition.startswith("PRIMARY KEY"):
            yield finding


def _constraints(
    state: DatabaseState, table: Table, before: TableBaseline
) -> Iterator[tuple[Finding, str]]:
    now = {one.name: one.definition for one in state.constraints_of(table.name)}
    for name, definition in _missing(before.constraints, now):
        kind = "primary key" if definition.startswith("PRIMARY KEY") else "constraint"
        made = f"ALTER TABLE {table.name} ADD CONSTRAINT {sql.name(name)} {definition};"
        finding = Finding(
            f"{kind} {name} of {table.name} is missing",
            subject=f"{table.name}:{name}",
            seen=now.get(name, "no such row in pg_constraint"),
            expected=definition,
            remedy=f"see that no row breaks it, then: {made}",
        )
        yield finding, definition


def _judge_indexes(state: DatabaseState, table: Table, before: TableBaseline) -> Iterator[Finding]:
    now = {one.name: one.definition for one in state.indexes_of(table.name)}
    for name, definition in _missing(before.indexes, now):
        unique = definition.startswith("CREATE UNIQUE")
        made = definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
        yield Finding(
            f"index {name} of {table.name} is missing",
            subject=name,
            seen=now.get(name, "no such row in pg_index"),
            expected=definition,
            remedy=f"{made};",
            severity=Severity.CRITICAL if unique else Severity.WARNING,
        )


def _judge_sequences(
    state: DatabaseState, table: Table, before: TableBaseline
) -> Iterator[Finding]:
    now = {one.column for one in state.sequences if one.table == table.name}
    for name, column in before.sequences.items():
        if column not in now and column in table.columns:
            yield Finding(
                f"sequence {name}, which numbers {column} of {table.name}, is missing",
                subject=name,
                seen="no sequence belongs to that column",
                remedy=f"CREATE SEQUENCE {name} OWNED BY {table.name}.{sql.name(column)}; then make"
                " it that column's default again, from the highest number that is there",
            )


def _judge_rows(state: DatabaseState, table: Table, before: TableBaseline) -> Iterator[Finding]:
    now = state.counts.get(table.name)
    if before.rows is not None and now is not None and now * 2 < before.rows:
        yield Finding(
            f"table {table.name} has lost {'all' if now == 0 else 'most of'} its rows",
            subject=table.name,
            seen=f"{now} rows",
            expected=f"{before.rows} rows",
            remedy="if nobody has deleted them, restore them from a backup; else learn the baseline"
            " anew",
            severity=Severity.CRITICAL if now == 0 else Severity.WARNING,
        )


def _judge_extensions(
    backend: Backend, seen: Observation, state: DatabaseState
) -> Iterator[Finding]:
    for name in state.baseline.extensions if state.baseline else ():
        if name not in state.extensions:
            yield Finding(
                f"extension {name} is missing",
                subject=name,
                seen="no such row in pg_extension",
                expected="the baseline has it",
                remedy=f"CREATE EXTENSION {sql.name(name)}; columns of its types are gone with it,"
                " and come back from a backup only",
            )


def _fault(name: str, detect: Detect, about: str, look: str, *, critical: bool = True) -> Fault:
    return Fault(
        f"database.{name}",
        detect,
        severity=Severity.CRITICAL if critical else Severity.WARNING,
        about=f"{about} that the baseline has",
        remedy="what would bring it back is said; if it went on purpose, learn the baseline anew",
        check=(f"{PSQL} -c '{look}'",),
    )


FAULTS = (
    _fault(
        "extension-missing",
        where_looked(_judge_extensions),
        "the database lacks an extension",
        "\\dx",
    ),
    _fault("table-missing", where_looked(_judge_tables), "the database lacks a table", "\\dt *.*"),
    _fault(
        "column-missing",
        where_looked(_judge_columns),
        "a table lacks a column, or its type",
        "\\d TABLE",
    ),
    _fault("primary-key-missing", _each(_judge_keys), "a table lacks the primary key", "\\d TABLE"),
    _fault(
        "constraint-missing",
        _each(_judge_constraints),
        "a table lacks a constraint",
        "\\d TABLE",
        critical=False,
    ),
    _fault("index-missing", _each(_judge_indexes), "a table lacks an index", "\\d TABLE"),
    _fault("sequence-missing", _each(_judge_sequences), "a column lacks the sequence", "\\ds *.*"),
    _fault(
        "rows-missing",
        _each(_judge_rows),
        "a counted table has less than half of the rows",
        "SELECT count(*) FROM TABLE",
    ),
)
