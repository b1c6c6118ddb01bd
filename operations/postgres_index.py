"""What keeps rows from being found or made: locks, indexes, collations, sequences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import sql
from relogin.facts.accounts import Table
from relogin.facts.postgres_state import Behind, Contents, Index, Server
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.administrator import (
    NO_WRITES,
    altered,
    contents_of,
    server_of,
    where_entered,
    where_up,
)

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_DEFAULT = 'pg_catalog."default"'


def _judge_locks(backend: Backend, server: Server, contents: Contents) -> Iterator[Finding]:
    for lock in contents.locks:
        yield Finding(
            "a session keeps everybody from reading the users table",
            subject=str(lock.pid),
            seen=f"process {lock.pid} of {lock.user} ({lock.application or 'unnamed'}),"
            f" {lock.state or 'state unknown'}, in a transaction since {lock.seconds} s",
            remedy="let it end, or find out whose it is and end it:"
            f" SELECT pg_terminate_backend({lock.pid});",
        )


def _judge_collation(backend: Backend, server: Server, contents: Contents) -> Finding | None:
    """Name the indexes whose order is another than the server's library has now."""
    moved = [index for index in contents.indexes if index.collation is not None]
    if not moved:
        return None
    return Finding(
        "the sort order under the indexes of the users table has changed",
        subject=moved[0].table,
        seen=f"{', '.join(index.name for index in moved)}: built under another version of"
        f" {', '.join(dict.fromkeys(index.collation or '' for index in moved))}; a lookup may miss"
        " rows that are there",
        remedy=f"in database {server.target.database}, in this order: {_in_order(moved, server)}",
    )


def _in_order(moved: list[Index], server: Server) -> str:
    """Give the commands: to refresh the version first would only silence the warning."""
    rebuilt = [f"REINDEX INDEX CONCURRENTLY {index.name};" for index in moved]
    collations = dict.fromkeys(index.collation or "" for index in moved)
    refreshed = [
        f"ALTER DATABASE {sql.name(server.target.database)} REFRESH COLLATION VERSION;"
        if name == _DEFAULT
        else f"ALTER COLLATION {name} REFRESH VERSION;"
        for name in collations
    ]
    return " ".join((*rebuilt, "(a duplicate that it names has to be settled first)", *refreshed))


def _judge_index(backend: Backend, seen: Observation, server: Server) -> Iterator[Finding]:
    contents = server.contents
    for index in contents.indexes if contents else ():
        if not index.sound:
            yield Finding(
                f"index {index.name} is not valid",
                subject=index.name,
                seen="pg_index.indisvalid or indisready is false: it may let a second account of"
                " the same name in",
                remedy=f"REINDEX INDEX CONCURRENTLY {index.name}; or drop it, if its name ends in"
                " _ccnew or _ccold",
                severity=Severity.CRITICAL if index.unique else Severity.WARNING,
            )
    yield from _not_found(backend, seen)


def _not_found(backend: Backend, seen: Observation) -> Iterator[Finding]:
    table = seen.accounts
    if backend.accounts is None or not isinstance(table, Table) or table.indexed is None:
        return
    there = sum(len(table.rows_of(one.login)) for one in backend.accounts.present)
    if table.indexed < there:
        name = backend.accounts.table
        yield Finding(
            f"an index of table {name} does not find rows that are there",
            subject=name,
            seen=f"it finds {table.indexed} of {there} declared accounts",
            remedy=f"REINDEX TABLE CONCURRENTLY {sql.name(name)}; a duplicate that it names has to"
            " be settled first",
        )


def _judge_sequence(backend: Backend, server: Server, contents: Contents) -> Iterator[Finding]:
    for behind in contents.behind:
        yield numbers_taken(behind, "is refused as a duplicate")


def numbers_taken(behind: Behind, what: str) -> Finding:
    """Give the finding of a sequence that is behind; `what` then happens to a new row."""
    return Finding(
        f"sequence {behind.sequence} gives numbers that are taken",
        subject=behind.sequence,
        seen=f"its next value is not above max({behind.column}) of {behind.table}: a new row"
        f" {what}",
        remedy="it is set to the highest number that is there",
    )


def _fix_sequence(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    behind = next(one for one in contents_of(seen).behind if one.sequence == finding.subject)
    yield moved_forward(backend, seen, behind)


def moved_forward(backend: Backend, seen: Observation, behind: Behind) -> Change:
    """Set it forward, never back: only while it is what it was, under a lock that keeps it so.

    An INSERT takes the table's lock before it asks the sequence for a number.
    """
    names = {"sequence": behind.sequence, "table": behind.table, "column": sql.name(behind.column)}
    return altered(
        backend,
        seen,
        f"sequence {behind.sequence}: set to the highest {behind.column} of {behind.table}",
        what=f"sequence {behind.sequence}",
        read=sql.fill("select format('%s, %L', last_value, is_called) from :sequence:", **names),
        write=sql.fill(_SET, literal=sql.literal(behind.sequence), **names),
        to=sql.fill("(select format('%s, %L', max(:column:), true) from :table:)", **names),
        database=server_of(seen).target.database,
    )


# The names are those that the server itself has quoted.
_SET = """\
lock table :table: in share row exclusive mode;
select setval(:literal:, :to) from :sequence: s where (s.last_value, s.is_called) = (:from);"""

USERS_TABLE_LOCKED = Fault(
    "postgres.users-table-locked",
    where_entered(_judge_locks),
    about="a session keeps everybody from reading the users table",
    remedy="let it end, or end it",
    check=(
        "runuser -u postgres -- psql -d DATABASE -c 'SELECT pid, usename, state, wait_event_type,"
        " pg_blocking_pids(pid), xact_start, left(query, 60) FROM pg_stat_activity'",
    ),
)
COLLATION_CHANGED = Fault(
    "postgres.collation-changed",
    where_entered(_judge_collation),
    about="the sort order under an index of the users table has changed",
    remedy="build its indexes anew, then refresh the collation's version, in this order",
    check=(
        "runuser -u postgres -- psql -d DATABASE -c 'SELECT datcollversion,"
        " pg_database_collation_actual_version(oid) FROM pg_database'",
    ),
)
INDEX_INVALID = Fault(
    "postgres.index-invalid",
    where_up(_judge_index),
    about="an index of the users table is not valid, or does not find what is there",
    remedy="build it anew",
    check=("runuser -u postgres -- psql -d DATABASE -c '\\d TABLE'",),
)
SEQUENCE_BEHIND = Fault(
    "postgres.sequence-behind",
    where_entered(_judge_sequence),
    _fix_sequence,
    severity=Severity.WARNING,
    unless=(*NO_WRITES, "postgres.users-table-locked"),
    about="the sequence that numbers new users gives numbers that are taken",
    remedy="it is set to the highest number that is there",
    check=(
        "runuser -u postgres -- psql -d DATABASE -c 'SELECT max(id) FROM TABLE'"
        " -c 'SELECT * FROM pg_sequences'",
    ),
)
