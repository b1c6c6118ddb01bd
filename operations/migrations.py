"""Ensure that the database's schema is the one that the code was written for."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import undo
from relogin.facts.migrations import Migrations, changed_since
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.mend import mend
from relogin.operations import migrations_record, one_at_a_time
from relogin.operations.migrations_record import (
    CHECK,
    broken,
    declared,
    heads_of,
    is_sound,
    made,
    named,
    where_seen,
)
from relogin.operations.own_command import as_owner

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Contents


def is_pending(seen: Observation) -> bool:
    """Tell whether the database lacks revisions: what misses there may be made by them."""
    return isinstance(seen.migrations, Migrations) and bool(seen.migrations.pending)


def _judge_broken(backend: Backend, migrations: Migrations, inside: Contents) -> Finding | None:
    reason = broken(migrations)
    if not reason:
        return None
    return Finding(
        "the code's revision files do not fit together",
        seen=reason,
        remedy=f"correct them in {declared(backend).directory}; until then no migration can be run",
    )


def _judge_several(backend: Backend, migrations: Migrations, inside: Contents) -> Finding | None:
    heads, asked = migrations.rivals, shlex.split(declared(backend).command)
    if not heads or "heads" in asked or not migrations.pending or not is_sound(migrations, inside):
        return None
    return Finding(
        "the code has several heads of migrations",
        seen=", ".join(heads),
        remedy=f"merge them in {declared(backend).directory} ({declared(backend).to_merge})"
        + ("" if migrations.each else "; `upgrade heads` runs them all"),
    )


def _judge_never_run(backend: Backend, migrations: Migrations, inside: Contents) -> Finding | None:
    if migrations.recorded or made(backend, inside) or not _is_plain(backend, migrations, inside):
        return None
    return Finding(
        "no migration has been run on the database",
        seen="it has no table",
        expected=f"revision {named(migrations.heads)}",
        remedy=f"the declared command is run: {declared(backend).command}",
    )


def _judge_behind(backend: Backend, migrations: Migrations, inside: Contents) -> Finding | None:
    if not migrations.recorded or not _is_plain(backend, migrations, inside):
        return None
    pending = [revision.id for revision in migrations.pending]
    dropping = [revision.id for revision in migrations.pending if revision.drops]
    remedy = f"the declared command is run: {declared(backend).command}"
    if dropping:
        remedy = (
            f"{', '.join(dropping)} deletes tables, columns or rows: take a backup, then run"
            f" {declared(backend).command}"
        )
    return Finding(
        "the database's schema is older than the code",
        seen=f"{named(pending)} not run"
        if migrations.each
        else f"it is at revision {', '.join(migrations.recorded)}, {len(pending)} behind",
        expected=f"revision {named(heads_of(migrations, pending))}",
        remedy=remedy,
        by_person=bool(dropping),
    )


def _is_plain(backend: Backend, migrations: Migrations, inside: Contents) -> bool:
    """Tell whether the declared command would bring the database to the code's one head."""
    several = bool(migrations.rivals) and "heads" not in shlex.split(declared(backend).command)
    return bool(migrations.pending) and not several and is_sound(migrations, inside)


def _upgrade(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Run the declared command; one that waits for a lock would make every reader wait as well."""
    directory, command = declared(backend).directory, declared(backend).command
    run = as_owner(backend, seen, directory, shlex.split(command), PGOPTIONS="-c lock_timeout=5s")
    deadline = 300
    if one_at_a_time.applies(backend) and isinstance(seen.migrations, Migrations):
        already = changed_since(backend, seen.migrations.recorded)
        run = one_at_a_time.alone(backend, seen, f"{run}\n", already=already)
        deadline += one_at_a_time.PATIENCE
    script = undo.stays(backend, run, f"what {command} made of the database's schema")
    yield Change(script, f"run {command}", deadline=deadline)


# Through another schema than the backend's, behind a lock, or on a full disk it makes things worse.
_NOT_WHILE = ("venv", "env_file", "postgres")
BROKEN_TREE = Fault(
    "migrations.broken-tree",
    where_seen(_judge_broken),
    about="the revision files of the code do not fit together",
    remedy="correct them in the code",
    check=CHECK,
)
SEVERAL_HEADS = Fault(
    "migrations.several-heads",
    where_seen(_judge_several),
    about="the code has several heads of migrations, and the database lacks one",
    remedy="merge them in the code",
    check=CHECK,
)
NEVER_RUN = Fault(
    "migrations.never-run",
    where_seen(_judge_never_run),
    _upgrade,
    unless=_NOT_WHILE,
    about="no migration has been run on the database",
    remedy="the declared command is run",
    check=CHECK,
)
BEHIND = Fault(
    "migrations.behind",
    where_seen(_judge_behind),
    _upgrade,
    unless=_NOT_WHILE,
    about="the database's schema is older than the code",
    remedy="the declared command is run; where it deletes something, that is yours to do",
    check=CHECK,
)
FAULTS = (
    BROKEN_TREE,
    migrations_record.UNKNOWN_REVISION,
    migrations_record.OVERLAPPING_ROWS,
    migrations_record.INCONSISTENT_HISTORY,
    SEVERAL_HEADS,
    migrations_record.NOT_STAMPED,
    migrations_record.NOT_RECORDED,
    NEVER_RUN,
    BEHIND,
)


@operation()
def at_head(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the database has all migrations of the code.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
