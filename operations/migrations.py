"""Ensure that the database's schema is the one that the code was written for."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import undo
from relogin.facts.migrations import Migrations
from relogin.facts.postgres_state import Server
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.mend import mend
from relogin.operations.own_command import as_owner

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Contents
    from relogin.parts.database import Alembic, Django

_SHOWN = 5
Judge = Callable[["Backend", Migrations, "Contents"], "Finding | None"]


def where_seen(judge: Judge) -> Callable[[Backend, Observation], Finding | None]:
    """Ask only where both the code's revisions and the database's are known."""

    def detect(backend: Backend, seen: Observation) -> Finding | None:
        server = seen.postgres
        if not isinstance(seen.migrations, Migrations) or not isinstance(server, Server):
            return None
        return None if server.contents is None else judge(backend, seen.migrations, server.contents)

    return detect


def declared(backend: Backend) -> Alembic | Django:
    """Give what the profile says of migrations."""
    assert backend.migrations is not None  # noqa: S101 # without them there is no finding
    return backend.migrations


def is_pending(seen: Observation) -> bool:
    """Tell whether the database lacks revisions: what misses there may be made by them."""
    return isinstance(seen.migrations, Migrations) and bool(seen.migrations.pending)


def _broken(migrations: Migrations) -> str:
    """Say why Alembic itself cannot make sense of the revision files."""
    ids = migrations.ids
    twice = dict.fromkeys(name for name in ids if ids.count(name) > 1)
    gone = dict.fromkeys(
        name
        for one in migrations.revisions
        for name in (*one.down, *one.depends)
        if name not in ids
    )
    return "; ".join(
        (
            *(f"{path} names no revision" for path in migrations.nameless),
            *(f"revision {name} is in two files" for name in twice),
            *(f"no file has revision {name}, on which another one builds" for name in gone),
        )
    )


def _overlapping(migrations: Migrations) -> list[str]:
    """Give recorded revisions that another recorded one builds on."""
    recorded = () if migrations.each else migrations.recorded or ()
    below = {
        down
        for revision in migrations.revisions
        if revision.id in recorded
        for down in migrations.behind(revision.down)
    }
    return [name for name in recorded if name in below]


def _is_sound(migrations: Migrations) -> bool:
    return not (_broken(migrations) or migrations.unknown or _overlapping(migrations))


def _judge_broken(backend: Backend, migrations: Migrations, inside: Contents) -> Finding | None:
    reason = _broken(migrations)
    if not reason:
        return None
    return Finding(
        "the code's revision files do not fit together",
        seen=reason,
        remedy="correct them in the code; until then no migration can be run",
    )


def _judge_unknown(backend: Backend, migrations: Migrations, inside: Contents) -> Finding | None:
    names = migrations.unknown
    if not names or _broken(migrations):
        return None
    return Finding(
        f"the database is at revision {', '.join(names)}, which the code does not have",
        seen=f"the code's heads: {_named(_heads_of(migrations, names)) or 'none'}",
        remedy="deploy the code that the database was migrated for, or the lost revision file;"
        " the code is older than its database",
    )


def _judge_overlapping(
    backend: Backend, migrations: Migrations, inside: Contents
) -> Finding | None:
    names = _overlapping(migrations)
    if not names or _broken(migrations):
        return None
    table = declared(backend).version_table
    return Finding(
        f"table {table} holds a revision beside one that is built on it",
        subject=table,
        seen=f"{', '.join(names)}, beside {', '.join(set(migrations.recorded or ()) - set(names))}",
        remedy=f"delete the older row from {table}: Alembic refuses to upgrade until then",
    )


def _judge_several(backend: Backend, migrations: Migrations, inside: Contents) -> Finding | None:
    heads, asked = migrations.rivals, shlex.split(declared(backend).command)
    if not heads or "heads" in asked or not migrations.pending or not _is_sound(migrations):
        return None
    return Finding(
        "the code has several heads of migrations",
        seen=", ".join(heads),
        remedy=f"merge them in the code ({declared(backend).to_merge})"
        + ("" if migrations.each else "; `upgrade heads` runs them all"),
    )


def _judge_not_stamped(
    backend: Backend, migrations: Migrations, inside: Contents
) -> Finding | None:
    """Find tables that are there without a record of how: another run would make them again."""
    tables = _made(backend, inside)
    if migrations.recorded or not tables or not migrations.pending or _broken(migrations):
        return None
    return Finding(
        "nothing is recorded of the migrations that made the database's tables",
        seen=f"table {declared(backend).version_table} is "
        + ("missing" if migrations.recorded is None else "empty")
        + f"; there is {', '.join(tables[:5])}",
        remedy="find out which revision the tables are at, and record it"
        f" ({declared(backend).to_stamp})",
    )


def _made(backend: Backend, inside: Contents) -> list[str]:
    return [name for name in inside.names if name != declared(backend).version_table]


def _judge_never_run(backend: Backend, migrations: Migrations, inside: Contents) -> Finding | None:
    if migrations.recorded or _made(backend, inside) or not _is_plain(backend, migrations):
        return None
    return Finding(
        "no migration has been run on the database",
        seen="it has no table",
        expected=f"revision {_named(migrations.heads)}",
        remedy=f"the declared command is run: {declared(backend).command}",
    )


def _judge_behind(backend: Backend, migrations: Migrations, inside: Contents) -> Finding | None:
    if not migrations.recorded or not _is_plain(backend, migrations):
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
        seen=f"{_named(pending)} not run"
        if migrations.each
        else f"it is at revision {', '.join(migrations.recorded)}, {len(pending)} behind",
        expected=f"revision {_named(_heads_of(migrations, pending))}",
        remedy=remedy,
        by_person=bool(dropping),
    )


def _heads_of(migrations: Migrations, names: Iterable[str]) -> list[str]:
    """Give the heads of the applications that these revisions are of; without such, all heads."""
    apps = {name.partition(".")[0] for name in names}
    return [
        head for head in migrations.heads if not migrations.each or head.partition(".")[0] in apps
    ]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _is_plain(backend: Backend, migrations: Migrations) -> bool:
    """Tell whether the declared command would bring the database to the code's one head."""
    several = bool(migrations.rivals) and "heads" not in shlex.split(declared(backend).command)
    return bool(migrations.pending) and not several and _is_sound(migrations)


def _upgrade(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Run the declared command; one that waits for a lock would make every reader wait as well."""
    directory, command = declared(backend).directory, declared(backend).command
    run = as_owner(backend, seen, directory, shlex.split(command), PGOPTIONS="-c lock_timeout=5s")
    script = undo.stays(backend, run, f"what {command} made of the database's schema")
    yield Change(script, f"run {command}", deadline=300)


# Through another schema than the backend's, behind a lock, or on a full disk it makes things worse.
_NOT_WHILE = ("venv", "env_file", "postgres")
_CHECK = (
    "cd DIRECTORY && runuser -u USER -- VENV/bin/alembic heads",
    "runuser -u postgres -- psql -d DATABASE -c 'TABLE alembic_version'",
    "docker compose exec -T SERVICE alembic heads",
)
BROKEN_TREE = Fault(
    "migrations.broken-tree",
    where_seen(_judge_broken),
    about="the revision files of the code do not fit together",
    remedy="correct them in the code",
    check=_CHECK,
)
UNKNOWN_REVISION = Fault(
    "migrations.unknown-revision",
    where_seen(_judge_unknown),
    about="the database is at a revision that the code does not have",
    remedy="deploy the code that the database was migrated for",
    check=_CHECK,
)
OVERLAPPING_ROWS = Fault(
    "migrations.overlapping-rows",
    where_seen(_judge_overlapping),
    about="the database records a revision beside one that is built on it",
    remedy="delete the older row",
    check=_CHECK,
)
SEVERAL_HEADS = Fault(
    "migrations.several-heads",
    where_seen(_judge_several),
    about="the code has several heads of migrations, and the database lacks one",
    remedy="merge them in the code",
    check=_CHECK,
)
NOT_STAMPED = Fault(
    "migrations.not-stamped",
    where_seen(_judge_not_stamped),
    about="tables are there, and nothing is recorded of the migrations that made them",
    remedy="find out which revision they are at, and record it",
    check=_CHECK,
)
NEVER_RUN = Fault(
    "migrations.never-run",
    where_seen(_judge_never_run),
    _upgrade,
    unless=_NOT_WHILE,
    about="no migration has been run on the database",
    remedy="the declared command is run",
    check=_CHECK,
)
BEHIND = Fault(
    "migrations.behind",
    where_seen(_judge_behind),
    _upgrade,
    unless=_NOT_WHILE,
    about="the database's schema is older than the code",
    remedy="the declared command is run; where it deletes something, that is yours to do",
    check=_CHECK,
)
FAULTS = (
    BROKEN_TREE,
    UNKNOWN_REVISION,
    OVERLAPPING_ROWS,
    SEVERAL_HEADS,
    NOT_STAMPED,
    NEVER_RUN,
    BEHIND,
)


@operation()
def at_head(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the database has all migrations of the code.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
