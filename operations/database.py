"""Ensure that the whole database is sound, as far as that takes no row: behind a backup."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand, operation

from relogin import checking
from relogin.change import carry_out
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity, Unreadable
from relogin.mend import chosen, fail_with, mend, observe, tell_why_halted
from relogin.operations import (
    database_baseline,
    database_damage,
    database_declared,
    database_index,
    database_rows,
    database_server,
    database_slow,
    postgres_index,
    release_database,
    release_store,
)
from relogin.operations.administrator import NO_WRITES

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.run import Entry

FAULTS = (
    database_server.WRAPAROUND_NEAR,
    database_damage.CHECKSUM_FAILURES,
    database_damage.TABLE_CORRUPT,
    *database_baseline.FAULTS,
    database_damage.DUPLICATES,
    database_index.INDEX_LEFTOVER,
    database_damage.INDEX_CORRUPT,
    database_index.COLLATION_CHANGED,
    database_index.INDEX_INVALID,
    database_rows.ORPHANS,
    database_rows.NOT_VALID,
    database_rows.SEQUENCE_BEHIND,
    database_declared.POINTS_NOWHERE,
    database_declared.EXPIRED_ROWS,
    database_declared.ANSWER_DIFFERS,
    database_server.SLOT_HOLDS_WAL,
    database_server.CONNECTIONS_NEAR_LIMIT,
    database_server.LOCKS_WAITED_FOR,
    database_server.IDLE_IN_TRANSACTION,
    database_server.DEAD_ROWS,
    database_slow.BLOATED,
    database_slow.LOGIN_SCANS,
    database_slow.SLOW_STATEMENT,
    database_slow.STATISTICS_EMPTIED,
)
# What is said of the users table has its place in the layer `postgres`; here it is mended as well.
REPAIRED = (
    dataclasses.replace(
        postgres_index.COLLATION_CHANGED, fix=database_index.fix_collation, unless=NO_WRITES
    ),
    dataclasses.replace(
        postgres_index.INDEX_INVALID, fix=database_index.fix_invalid, unless=NO_WRITES
    ),
    postgres_index.SEQUENCE_BEHIND,
    *FAULTS,
)


@operation()
def sound(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that indexes, sequences and constraints are sound; no row is deleted or rewritten.

    Before the first change a dump of the database is taken that reads back, or one of the last day
    is there.

    + backend: the backend, as described
    """
    record = checking.begin(current_state, current_host, backend)
    seen = observe(record)
    if seen is None:
        tell_why_halted(record)
        yield fail_with()
        return
    well = checking.judge(record, seen)
    wanted = chosen(backend, REPAIRED)
    if any(_mends(fault, one) for fault in wanted for one in record.judged(fault, seen)):
        backup = _backup(backend, seen)
        if isinstance(backup, Unreadable):
            yield fail_with(f"{backend.name}: nothing is repaired: {backup.reason}")
            return
        yield FunctionCommand(carry_out, (record, backup), {})
        if record.changes and not record.changes[-1].ok:
            why = record.disabled or "nothing is repaired without a backup"
            yield fail_with(f"{backend.name}: {why}")
            return
        yield from mend(backend, REPAIRED)
        yield FunctionCommand(_judged, (record,), {})
    elif not well:
        yield fail_with(f"{backend.name}: nothing of what is left can be repaired by a machine")


def _mends(fault: Fault, finding: Finding) -> bool:
    return fault.fix is not None and not finding.by_person and finding.severity > Severity.NOTE


def _backup(backend: Backend, seen: Observation) -> Change | Unreadable:
    """Give the release's own backup, kept beside those of releases."""
    target = release_database.target(backend, seen)
    if isinstance(target, Unreadable):
        return target
    lines = release_store.store(backend) + release_database.dumped(backend, target)
    return Change(lines, "a backup of the database that reads back", release_database.DEADLINE)


def _judged(state: object, host: object, record: Entry) -> bool:
    """Judge the whole database once more, for the verdict."""
    seen = observe(record)
    return seen is not None and checking.judge(record, seen)
