"""Indexes of the whole database: left over, not valid, or sorted by another library's order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import sql
from relogin.facts.database_state import DatabaseState, TableIndex
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.administrator import NO_WRITES
from relogin.operations.database_seen import PSQL, changed, of_users, state_of, where_looked

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

DEFAULT = 'pg_catalog."default"'


def _unsound(seen: Observation, state: DatabaseState) -> Iterator[TableIndex]:
    """Give those that `postgres.index-invalid` does not have: it judges the users table's."""
    known = {index.name for index in of_users(seen).indexes if not index.sound}
    return (one for one in state.indexes if not one.sound and one.name not in known)


def _judge_leftover(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    for index in _unsound(seen, state):
        if index.leftover:
            yield Finding(
                f"index {index.name} was left by a REINDEX CONCURRENTLY that did not end",
                subject=index.name,
                seen=f"it is a copy of another index of {index.table}, is not valid, and costs"
                " every write",
                remedy="it is dropped",
            )


def _fix_leftover(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    yield dropped(backend, seen, finding.subject)


def dropped(backend: Backend, seen: Observation, index: str) -> Change:
    """Drop an index that is still not valid."""
    statements = sql.fill(_DROP, index=sql.literal(index))
    why = f"DROP INDEX CONCURRENTLY {index}"
    return changed(backend, seen, statements, why, stays=f"index {index}, a copy that it dropped")


_DROP = """\
select format('drop index concurrently %s', indexrelid::regclass) from pg_index
 where indexrelid = to_regclass(:index:) and not (indisvalid and indisready and indislive) \\gexec
"""


def _judge_invalid(backend: Backend, seen: Observation, state: DatabaseState) -> Iterator[Finding]:
    twice = {one.index for one in state.twice}
    for index in _unsound(seen, state):
        if not index.leftover:
            yield Finding(
                f"index {index.name} of {index.table} is not valid",
                subject=index.name,
                seen="pg_index.indisvalid, indisready or indislive is false: no query is answered"
                " by it" + (", and what it forbids may get in" if index.unique else ""),
                remedy=f"build the indexes of its partitions, and attach them: {index.definition}"
                if index.partitioned
                else "settle what it forbids first (database.duplicates)"
                if index.name in twice
                else "it is built anew, while everybody goes on",
                severity=Severity.CRITICAL if index.unique else Severity.WARNING,
                by_person=index.partitioned or index.name in twice,
            )


def fix_invalid(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Build an index anew; one that REINDEX CONCURRENTLY has left is dropped."""
    index = state_of(seen).index(finding.subject)
    if index is None:
        raise ValueError(f"{finding.subject} is no index any more")
    yield (dropped if index.leftover else rebuilt)(backend, seen, index.name)


def rebuilt(backend: Backend, seen: Observation, index: str) -> Change:
    """Build an index anew; the copy that a failed REINDEX leaves is dropped again."""
    statements = sql.fill(_REINDEX, index=index, literal=sql.literal(index))
    why = f"REINDEX INDEX CONCURRENTLY {index}"
    return changed(backend, seen, statements, why, stays=f"index {index}, built anew")


# Its name is as the server itself has quoted it.
_REINDEX = """\
\\set ON_ERROR_STOP off
select coalesce(array_agg(indexrelid), '{}') as before from pg_index where not indisvalid \\gset
reindex index concurrently :index:;
\\if :ERROR
\\set state :SQLSTATE
select format('drop index concurrently %s', i.indexrelid::regclass) from pg_index i
 join pg_class on oid = i.indexrelid
 where not indisvalid and relname ~ '_ccnew[0-9]*$' and i.indexrelid <> all (:'before'::oid[])
  and indrelid = (select indrelid from pg_index
   where indexrelid = cast(:literal: as regclass)) \\gexec
\\qecho '#failed' SQLSTATE :state '(23505: there are duplicates; 55P03: somebody holds the table)'
\\endif
"""


def _judge_collation(backend: Backend, seen: Observation, state: DatabaseState) -> Finding | None:
    users = {index.name for index in of_users(seen).indexes if index.collation is not None}
    moved = [index for index in state.indexes if index.moved and index.name not in users]
    if not moved and (users or state.collation is None):
        return None
    versions = (
        f"; recorded {state.collation[0]}, now {state.collation[1]}" if state.collation else ""
    )
    others = f" and {len(moved) - 5} more" if len(moved) > 5 else ""
    return Finding(
        "the sort order under indexes has changed",
        subject=state.name,
        seen=(", ".join(index.name for index in moved[:5]) or "no index depends on it")
        + f"{others}{versions}: a lookup may miss rows that are there",
        remedy="its indexes are built anew, then the collation's version is refreshed",
    )


def fix_collation(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Build every index under it anew, then refresh: refreshing first would only be silent."""
    state = state_of(seen)
    moved = [index for index in state.indexes if index.moved and not index.partitioned]
    for index in moved:
        yield rebuilt(backend, seen, index.name)
    names = dict.fromkeys(index.moved or "" for index in moved)
    if state.collation is not None:
        names[DEFAULT] = None
    for name in names:
        statement = (
            f"alter database {sql.name(state.name)} refresh collation version;\n"
            if name == DEFAULT
            else f"alter collation {name} refresh version;\n"
        )
        why = f"refresh the version of collation {name}"
        yield changed(backend, seen, statement, why, stays=f"the version of collation {name}")


_CHECK = (
    f"{PSQL} -c 'SELECT indexrelid::regclass FROM pg_index WHERE NOT (indisvalid AND indisready)'",
)
_UNLESS = (*NO_WRITES, "postgres.users-table-locked")
INDEX_LEFTOVER = Fault(
    "database.index-leftover",
    where_looked(_judge_leftover),
    _fix_leftover,
    severity=Severity.WARNING,
    unless=_UNLESS,
    about="an index was left by a REINDEX CONCURRENTLY that did not end",
    remedy="by `check_database.py --data repair=true` it is dropped: it is a copy",
    check=_CHECK,
)
INDEX_INVALID = Fault(
    "database.index-invalid",
    where_looked(_judge_invalid),
    fix_invalid,
    unless=_UNLESS,
    about="an index of another table than the users table is not valid",
    remedy="by `check_database.py --data repair=true` it is built anew, concurrently",
    check=_CHECK,
)
COLLATION_CHANGED = Fault(
    "database.collation-changed",
    where_looked(_judge_collation),
    fix_collation,
    unless=(*_UNLESS, "database.index-invalid"),
    about="the sort order under an index of another table has changed",
    remedy="by `check_database.py --data repair=true` the indexes are built anew, then the"
    " version is refreshed",
    check=(
        f"{PSQL} -c 'SELECT datname, datcollversion, pg_database_collation_actual_version(oid)"
        " FROM pg_database'",
    ),
)
