"""Rows and the rules that they are held against: orphans, unchecked rules, sequences behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import sql
from relogin.facts.database_state import Breaking, Constraint, DatabaseState
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.administrator import NO_WRITES
from relogin.operations.database_seen import PSQL, changed, of_users, state_of, where_looked
from relogin.operations.postgres_index import moved_forward, numbers_taken

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _subject(rule: Constraint | Breaking, name: str) -> str:
    return f"{rule.table}:{name}"


def _of(state: DatabaseState, rule: Constraint) -> Breaking | None:
    return next(
        (it for it in state.breaking if (it.constraint, it.table) == (rule.name, rule.table)), None
    )


def told(rows: Breaking) -> str:
    """Say how many rows there are, and up to five of their values."""
    shown = ", ".join(rows.keys) + (", …" if rows.count > len(rows.keys) else "")
    of = f" in a sample of {rows.sampled} %" if rows.sampled < 100 else ""
    return f"{rows.count} row{'' if rows.count == 1 else 's'}{of}: {shown}"


def _judge_orphans(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    for rule in state.constraints:
        rows = _of(state, rule)
        if rule.kind == "f" and rows is not None:
            yield Finding(
                f"rows of {rule.table} point at what is not there ({rule.name})",
                subject=_subject(rule, rule.name),
                seen=told(rows),
                expected=rule.definition,
                remedy=f"look at them: {_looked_at(rule)} then restore what they point at, point"
                " them elsewhere, or delete them: that is your choice",
            )


def _looked_at(rule: Constraint) -> str:
    """Give the SQL that shows a foreign key's orphans, from the server's own words for it."""
    mine, _, rest = rule.definition.removeprefix("FOREIGN KEY ").partition(" REFERENCES ")
    table, _, columns = rest.partition("(")
    ours = mine.strip("()").replace(", ", ", t.")
    theirs = columns.partition(")")[0].replace(", ", ", r.")
    return (
        f"SELECT * FROM {rule.table} t WHERE (t.{ours}) IS NOT NULL AND NOT EXISTS"
        f" (SELECT FROM {table} r WHERE (r.{theirs}) = (t.{ours})) LIMIT 20;"
    )


def _judge_not_valid(
    backend: Backend, seen: Observation, state: DatabaseState
) -> Iterator[Finding]:
    """Leave a foreign key with orphans to their own fault: first they have to be settled."""
    for rule in state.constraints:
        rows = _of(state, rule)
        if rule.validated or (rule.kind == "f" and rows is not None):
            continue
        held = (rule.name, rule.table) in state.partly
        validate = f"ALTER TABLE {rule.table} VALIDATE CONSTRAINT {sql.name(rule.name)};"
        yield Finding(
            f"constraint {rule.name} of {rule.table} was never checked",
            subject=_subject(rule, rule.name),
            seen=f"it is NOT VALID: {rule.definition}"
            + (f"; it is broken by {told(rows)}" if rows else ""),
            remedy=f"correct the rows that break it, then: {validate}"
            if rows
            else f"not all rows were looked at: {validate}"
            if held
            else "no row breaks it: it is validated",
            by_person=rows is not None or held,
        )


def _fix_not_valid(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Reads and writes go on meanwhile; where a row breaks it after all, nothing changes."""
    rule = next(
        one for one in state_of(seen).constraints if _subject(one, one.name) == finding.subject
    )
    statement = f"alter table {rule.table} validate constraint {sql.name(rule.name)};\n"
    why = f"ALTER TABLE {rule.table} VALIDATE CONSTRAINT {rule.name}"
    yield changed(backend, seen, statement, why, stays=f"constraint {rule.name}, validated")


def _judge_sequence(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    known = {behind.sequence for behind in of_users(seen).behind}
    for behind in state.behind:
        if behind.sequence not in known:
            what = "is refused as a duplicate, or gets a number twice"
            yield numbers_taken(behind, what)


def _fix_sequence(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    behind = next(one for one in state_of(seen).behind if one.sequence == finding.subject)
    yield moved_forward(backend, seen, behind)


ORPHANS = Fault(
    "database.orphans",
    where_looked(_judge_orphans),
    severity=Severity.WARNING,
    about="rows break a foreign key, whether the catalogue calls it valid or not",
    remedy="the SQL to look at them is said; what becomes of them is your choice",
    check=(
        f'{PSQL} -c "SELECT conname, conrelid::regclass, convalidated FROM pg_constraint'
        " WHERE contype = 'f'\"",
    ),
)
NOT_VALID = Fault(
    "database.constraint-not-valid",
    where_looked(_judge_not_valid),
    _fix_not_valid,
    severity=Severity.WARNING,
    unless=NO_WRITES,
    about="a constraint was never checked against the rows that were there (NOT VALID)",
    remedy="by `check_database.py --data repair=true` it is validated, where no row breaks it",
    check=(
        f"{PSQL} -c 'SELECT conname, conrelid::regclass FROM pg_constraint WHERE NOT convalidated'",
    ),
)
SEQUENCE_BEHIND = Fault(
    "database.sequence-behind",
    where_looked(_judge_sequence),
    _fix_sequence,
    severity=Severity.WARNING,
    unless=NO_WRITES,
    about="the sequence of another table than the users table gives numbers that are taken",
    remedy="by `check_database.py --data repair=true` it is set to the highest number there is",
    check=(f"{PSQL} -c 'SELECT schemaname, sequencename, last_value FROM pg_sequences'",),
)
