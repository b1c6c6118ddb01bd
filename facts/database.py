"""The whole database, as its own catalogue and a bounded look at its rows show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import sql
from relogin.facts import (
    alone,
    database_declared,
    database_deep,
    database_slow,
    database_sql,
    postgres_answer,
)
from relogin.facts.database_state import (
    Ages,
    Breaking,
    Constraint,
    DatabaseState,
    Sequence,
    Table,
    TableIndex,
)
from relogin.facts.postgres import admin_command
from relogin.facts.postgres_state import Behind
from relogin.finding import Unreadable
from relogin.parts.database import Peer

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.backend import Backend
    from relogin.remote import Answer

Rows = Mapping[str, Mapping[str, Any]]
_CATALOGUE = ("tables", "indexes", "constraints", "sequences", "server")


def parse(answer: Answer, backend: Backend | None = None) -> DatabaseState | Unreadable:
    """Take apart what the statements of relogin.facts.database_sql have answered.

    Without a backend they were those of the catalogue alone.
    """
    rows = {
        name.removeprefix("db "): row
        for name, row in postgres_answer.rows(answer).items()
        if name.startswith("db ")
    }
    lacking = [part for part in _CATALOGUE if part not in rows]
    if lacking:
        return Unreadable(f"its catalogue was not read: {_why(answer, lacking)}")
    server = rows["server"]
    unasked = _unasked(answer, rows, backend) if backend is not None else ()
    return DatabaseState(
        name=rows["tables"]["database"],
        tables=_ordered(Table, rows["tables"]),
        indexes=_ordered(TableIndex, rows["indexes"]),
        constraints=_ordered(Constraint, rows["constraints"]),
        sequences=_ordered(Sequence, rows["sequences"]),
        extensions=tuple(server["extensions"] or ()),
        collation=_collation(server["collation"]),
        ages=_ages(*server["ages"]),
        behind=tuple(
            Behind(row["sequence"], row["table"], row["column"])
            for name, row in rows.items()
            if name.startswith("behind ")
        ),
        breaking=tuple(_breaking(rows)),
        counts={row["table"]: row["count"] for name, row in rows.items() if name[:6] == "count "},
        partly=tuple(rule for rule, share in _shares(rows).items() if share < 100),
        unasked=tuple(unasked),
        **database_deep.parse(rows),
        **_declared(answer, rows, backend),
        **database_slow.parse(rows, backend),
    )


def _declared(answer: Answer, rows: Rows, backend: Backend | None) -> dict[str, Any]:
    if backend is None or backend.database is None:
        return {}
    return database_declared.parse(rows, _failed(answer), backend.database.health)


def _failed(answer: Answer) -> dict[str, str]:
    """Give the SQLSTATE of each part that says by its own name that it failed."""
    words = (line[4:].rpartition(" ") for line in answer.lines if line.startswith("#db "))
    return {part: state for part, _, state in words}


def _ordered(of: type[Any], rows: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted((of(*row) for row in rows["rows"]), key=lambda one: one.name))


def _ages(transactions: int, multixacts: int, autovacuum: int, holders: list[str]) -> Ages:
    return Ages(transactions, multixacts, autovacuum, tuple(holders))


def _collation(row: list[str | None] | None) -> tuple[str, str] | None:
    return None if row is None else (row[0] or "none", row[1] or "none")


def _breaking(rows: Rows) -> Iterator[Breaking]:
    for name, row in rows.items():
        if name.startswith("breaking ") and row["count"]:
            keys = tuple(map(str, row["keys"] or ()))
            yield Breaking(row["constraint"], row["table"], row["count"], keys, row["sampled"])


def _unasked(answer: Answer, rows: Rows, backend: Backend) -> Iterator[str]:
    """Give what was not answered, and of which tables only a sample was looked at."""
    yield from (row["what"] for name, row in rows.items() if name.startswith("unasked "))
    for at, table in enumerate(database_sql.counted_tables(backend)):
        if f"count {at}" not in rows:
            yield f"the rows of {table} were not counted ({_why(answer, [f'count {at}'])})"
    for part, words in (database_deep.NAMES | database_slow.NAMES).items():
        if any(line.startswith(f"#db {part} ") for line in answer.lines):
            yield f"{words} ({_why(answer, [part])})"
    yield from database_deep.unread(rows)
    yield from database_deep.sampled(rows)
    if untested := database_deep.untested(rows):
        yield f"duplicates under {', '.join(untested)}: it takes too long, or may not be"
    shares = _shares(rows)
    assert backend.database is not None  # noqa: S101 # only asked with one
    yield from database_declared.unasked(rows, _failed(answer), backend.database.health)
    if late := [f"{name} of {table}" for (name, table), share in shares.items() if share == 0]:
        yield f"rows were not held against {', '.join(late)}: it takes too long, or may not be"
    for (name, table), share in shares.items():
        if 0 < share < 100:
            yield f"{share} % of {table}, a sample, was held against {name}"


def _shares(rows: Rows) -> dict[tuple[str, str], float]:
    """Give the percentage of its table that each constraint was held against."""
    told = [row for name, row in rows.items() if name.startswith("breaking ")]
    held = {(row["constraint"], row["table"]): float(row["sampled"]) for row in told}
    rules = [row for row in rows["constraints"]["rows"] if row[2] == "f" or not row[3]]
    return {(name, table): held.get((name, table), 0.0) for name, table, *_ in rules}


def _why(answer: Answer, parts: Iterable[str]) -> str:
    """Give the SQLSTATE by which parts failed."""
    marks = {f"#db {part} ": part for part in parts}
    states = [line[len(mark) :] for line in answer.lines for mark in marks if line.startswith(mark)]
    errors = [line.split()[-1] for line in answer.lines if line.startswith("ERROR:")]
    if not states and not errors:
        return "psql gave no answer"
    state = (states or errors)[-1]
    return f"SQLSTATE {state}" + _SAID.get(state, "")


_SAID = {"55P03": ", somebody has locked a table of it", "57014": ", it took too long"}


class Catalogue(FactBase[Any]):
    """Give what a database has: its tables, broken indexes, unchecked constraints, extensions.

    + database: the database
    + port: the server's port
    + os_user: the operating-system user that psql runs as
    """

    def command(self, database: str, port: int = 5432, os_user: str = "postgres") -> StringCommand:
        psql = admin_command(Peer(os_user=os_user), port=port, database=database)
        return alone.command(
            {"database": sql.psql(sql.READ + database_sql.CATALOGUE, command=psql)}
        )

    def process(self, output: Iterable[str]) -> Any:
        return alone.parsed(output, "database", parse)
