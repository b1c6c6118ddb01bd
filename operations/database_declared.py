"""What is declared of the rows and does not hold: relations, times that are over, answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from relogin.facts.database_state import Breaking, DatabaseState
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations.database_rows import told
from relogin.operations.database_seen import PSQL, where_looked

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _judge_relations(
    backend: Backend, seen: Observation, state: DatabaseState
) -> Iterator[Finding]:
    """Leave to its own fault what a foreign key says as well."""
    for rows in state.pointless:
        if _of_a_key(state, rows):
            continue
        column, _, to = rows.constraint.partition(" -> ")
        other, _, key = to.rpartition(".")
        yield Finding(
            f"rows of {rows.table} point at what is not there ({rows.constraint})",
            subject=f"{rows.table}:{rows.constraint}",
            seen=told(rows),
            expected=f"each {column} is a {key} of {other}",
            remedy=f"look at them: SELECT * FROM {rows.table} t WHERE t.{column} IS NOT NULL AND"
            f" NOT EXISTS (SELECT FROM {other} r WHERE r.{key}::text = t.{column}::text) LIMIT 20;"
            " then restore what they point at, point them elsewhere, or delete them: that is your"
            " choice",
        )


def _of_a_key(state: DatabaseState, rows: Breaking) -> bool:
    column = rows.constraint.partition(" -> ")[0]
    broken = {(one.constraint, one.table) for one in state.breaking}
    return any(
        (rule.name, rule.table) in broken
        and rule.definition.startswith((f"FOREIGN KEY ({column})", f'FOREIGN KEY ("{column}")'))
        for rule in state.constraints_of(rows.table)
    )


def _judge_over(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    for one in state.over:
        if one.count > one.at_most:
            part = f", by a sample of {one.sampled} %" if one.sampled < 100 else ""
            yield Finding(
                f"rows of {one.table} that are over are not cleared away",
                subject=f"{one.table}:{one.column}",
                seen=f"{'about ' if part else ''}{one.count} rows whose {one.column} is more than"
                f" {one.days} day{'' if one.days == 1 else 's'} ago{part}",
                expected=f"{one.at_most} at most",
                remedy="see why what clears them (a cron job, clearsessions, a task queue) does"
                " not run; look at them: SELECT date_trunc('month', "
                f"{one.column}), count(*) FROM {one.table} GROUP BY 1 ORDER BY 1; (of a number:"
                " to_timestamp(…)); whether they go is your choice",
            )


def _judge_answers(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    for one in state.answered:
        if one.failed or not _agrees(one.expected, one.rows):
            yield Finding(
                f"query {one.name} has another answer than is declared",
                subject=one.name,
                seen=f"SQLSTATE {one.failed}" + _SAID.get(one.failed, "")
                if one.failed
                else _listed(one.rows),
                expected=_listed(one.expected),
                remedy="restore the rows that it reads, or correct them in the backend; if they"
                f" changed on purpose, declare the new answer: {' '.join(one.sql.split())}",
            )


_SAID = {
    "42P01": ", there is no such table",
    "42703": ", there is no such column",
    "42501": ", the backend's role may not",
}


def _agrees(expected: Sequence[Sequence[Any]], rows: Sequence[Sequence[Any]]) -> bool:
    return len(expected) == len(rows) and all(
        len(one) == len(other) and all(map(_same, one, other))
        for one, other in zip(expected, rows, strict=True)
    )


def _same(expected: Any, found: Any) -> bool:
    """Compare numbers as numbers; a text also with what JSON writes another way."""
    if isinstance(expected, str):
        return expected == (found if isinstance(found, str) else _text(found))
    return isinstance(expected, bool) == isinstance(found, bool) and bool(expected == found)


def _listed(rows: Sequence[Sequence[Any]]) -> str:
    shown = "; ".join(", ".join(map(_text, row)) for row in rows[:5])
    return (shown or "no row") + (f"; … ({len(rows)} rows)" if len(rows) > 5 else "")


def _text(cell: Any) -> str:
    if cell is None or isinstance(cell, bool):
        return {None: "NULL", True: "true", False: "false"}[cell]
    return str(cell)


POINTS_NOWHERE = Fault(
    "database.points-nowhere",
    where_looked(_judge_relations),
    severity=Severity.WARNING,
    about="rows break a declared relation that no foreign key keeps",
    remedy="the SQL to look at them is said; what becomes of them is your choice",
    check=(f"{PSQL} -c '\\d TABLE'",),
)
EXPIRED_ROWS = Fault(
    "database.expired-rows",
    where_looked(_judge_over),
    severity=Severity.WARNING,
    about="more rows than declared are there whose time is over, such as sessions",
    remedy="see why what clears them does not run; whether they go is your choice",
    check=(f"{PSQL} -c 'SELECT count(*) FROM TABLE WHERE expires_at < now()'",),
)
ANSWER_DIFFERS = Fault(
    "database.answer-differs",
    where_looked(_judge_answers),
    severity=Severity.WARNING,
    about="a declared query, as the backend's role asks it, has another answer",
    remedy="restore or correct the rows that it reads, or declare the new answer",
    check=(f"{PSQL} -c 'SELECT count(*) FROM TABLE'",),
)
