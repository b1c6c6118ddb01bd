"""Damage under the rules: pages that cannot be read, indexes that lie, values there twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts.database_state import DatabaseState
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.administrator import NO_WRITES
from relogin.operations.database_index import rebuilt
from relogin.operations.database_seen import PSQL, where_looked

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _judge_tables(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    for one in state.corrupt:
        if not one.index:
            yield Finding(
                f"table {one.table} is damaged on disk",
                subject=one.table,
                seen=f"not all of its pages can be read, or make sense: {one.said}",
                remedy="stop what writes to it, copy the data directory as it is, and restore the"
                " table from a backup; look for the cause in the kernel's log and the disk",
            )


def _judge_indexes(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    """Leave an index over duplicates to them: it cannot be built anew while they are there."""
    twice = {one.index for one in state.twice}
    for one in state.corrupt:
        if one.index and one.index not in twice:
            yield Finding(
                f"index {one.index} is damaged, or does not find rows that are there",
                subject=one.index,
                seen=one.said,
                remedy="it is built anew from its table",
            )


def _fix_index(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    yield rebuilt(backend, seen, finding.subject)


def _judge_twice(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    for one in state.twice:
        shown = ", ".join(one.keys) + (", …" if one.count > len(one.keys) else "")
        index = state.index(one.index)
        rule = index.definition.partition(" USING btree ")[2] if index else ""
        yield Finding(
            f"values of {one.table} are there twice, which {one.index} forbids",
            subject=one.index,
            seen=f"{one.count} value{'' if one.count == 1 else 's'}"
            + (f" among one of {one.nth}" if one.nth > 1 else "")
            + f": {shown}",
            remedy="look at them without indexes: SET enable_indexscan = off; SET"
            " enable_indexonlyscan = off; SET enable_bitmapscan = off; SELECT ctid, * FROM"
            f" {one.table} WHERE {rule} IN (…); which of them stays is your choice;"
            f" then: REINDEX INDEX CONCURRENTLY {one.index};",
        )


def _judge_checksums(backend: Backend, seen: Observation, state: DatabaseState) -> Finding | None:
    if state.strain is None or not state.strain.checksum_failures:
        return None
    return Finding(
        "pages of the database were read whose checksums are wrong",
        subject=state.name,
        seen=f"{state.strain.checksum_failures} since the server's statistics were emptied",
        remedy="the server's log names file and block; restore what is damaged from a backup, and"
        " see to the disk. The count goes by SELECT pg_stat_reset();",
    )


CHECKSUM_FAILURES = Fault(
    "database.checksum-failures",
    where_looked(_judge_checksums),
    severity=Severity.WARNING,
    about="pages were read whose checksums are wrong",
    remedy="the server's log says which; restore them from a backup",
    check=(f"{PSQL} -c 'SELECT datname, checksum_failures FROM pg_stat_database'",),
)
TABLE_CORRUPT = Fault(
    "database.table-corrupt",
    where_looked(_judge_tables),
    about="pages of a table cannot be read, or make no sense",
    remedy="restore it from a backup, once the files are copied as they are",
    check=(f"{PSQL} -c 'SELECT count(*) FROM TABLE'",),
)
DUPLICATES = Fault(
    "database.duplicates",
    where_looked(_judge_twice),
    about="values are there twice that a unique index forbids, which it hides",
    remedy="the SQL to look at them is said; which one stays is your choice",
    check=(f"{PSQL} -c 'SET enable_indexscan = off' -c '\\d TABLE'",),
)
INDEX_CORRUPT = Fault(
    "database.index-corrupt",
    where_looked(_judge_indexes),
    _fix_index,
    unless=(*NO_WRITES, "database.table-corrupt", "database.duplicates"),
    about="an index is damaged, as amcheck says where it is installed, or finds too few rows",
    remedy="by `check_database.py --data repair=true` it is built anew, concurrently",
    check=(f"{PSQL} -c \"SELECT bt_index_check('INDEX', true)\"",),
)
