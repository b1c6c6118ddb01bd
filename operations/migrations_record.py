"""What the database has recorded of its migrations, where that does not fit the code's files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from relogin.facts.migrations import Migrations
from relogin.facts.postgres_state import Server
from relogin.fault import Fault
from relogin.finding import Finding

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


def broken(migrations: Migrations) -> str:
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


def _skipped(migrations: Migrations) -> dict[str, list[str]]:
    """Give the recorded revisions that build on ones that are not recorded, with those.

    Django refuses to migrate then (InconsistentMigrationHistory).
    """
    there = set(migrations.recorded or ()) if migrations.each else set()
    needs = {
        one.id: [name for name in (*one.down, *one.depends) if name not in there]
        for one in migrations.revisions
        if one.id in there
    }
    return {name: missing for name, missing in needs.items() if missing}


def _made_already(migrations: Migrations, inside: Contents) -> dict[str, list[str]]:
    """Give the revisions that are not recorded though tables that they make are there, with these.

    Where nothing is recorded at all, that is another fault.
    """
    pending = migrations.pending if migrations.recorded else ()
    made = {one.id: [name for name in one.makes if name in inside.names] for one in pending}
    return {name: tables for name, tables in made.items() if tables}


def is_sound(migrations: Migrations, inside: Contents) -> bool:
    """Tell whether what is recorded fits the code and the tables: then a migration goes through."""
    return not (
        broken(migrations)
        or migrations.unknown
        or _overlapping(migrations)
        or _skipped(migrations)
        or _made_already(migrations, inside)
    )


def _judge_unknown(backend: Backend, migrations: Migrations, inside: Contents) -> Finding | None:
    names = migrations.unknown
    if not names or broken(migrations):
        return None
    return Finding(
        f"the database is at revision {', '.join(names)}, which the code does not have",
        seen=f"the code's heads: {named(heads_of(migrations, names)) or 'none'}",
        remedy=f"deploy the code that the database was migrated for, or the lost file of revision"
        f" {', '.join(names)}; the code is older than its database",
    )


def _judge_overlapping(
    backend: Backend, migrations: Migrations, inside: Contents
) -> Finding | None:
    names = _overlapping(migrations)
    if not names or broken(migrations):
        return None
    table = declared(backend).version_table
    return Finding(
        f"table {table} holds a revision beside one that is built on it",
        subject=table,
        seen=f"{', '.join(names)}, beside {', '.join(set(migrations.recorded or ()) - set(names))}",
        remedy=f"delete the older row from {table}: Alembic refuses to upgrade until then",
    )


def _judge_inconsistent(
    backend: Backend, migrations: Migrations, inside: Contents
) -> Finding | None:
    skipped = _skipped(migrations)
    if not skipped or broken(migrations):
        return None
    missing = list(dict.fromkeys(name for names in skipped.values() for name in names))
    table = declared(backend).version_table
    return Finding(
        f"table {table} lacks migrations on which recorded ones build",
        subject=table,
        seen=f"{named(missing)} not recorded; {named(list(skipped))} recorded",
        remedy="find out whether they were run (manage.py sqlmigrate APP NAME shows what they make)"
        f", and put their rows back into {table}: Django refuses to migrate until then",
    )


def _judge_not_recorded(
    backend: Backend, migrations: Migrations, inside: Contents
) -> Finding | None:
    made = _made_already(migrations, inside)
    if not made or broken(migrations) or _skipped(migrations):
        return None
    tables = list(dict.fromkeys(name for names in made.values() for name in names))
    return Finding(
        f"{named(list(made))} not recorded, though what it makes is there",
        subject=declared(backend).version_table,
        seen=f"there is {named(tables)}",
        remedy="find out which migration the tables are at, and record it"
        f" ({declared(backend).to_stamp}): to migrate would make them again",
    )


def _judge_not_stamped(
    backend: Backend, migrations: Migrations, inside: Contents
) -> Finding | None:
    """Find tables that are there without a record of how: another run would make them again."""
    tables = made(backend, inside)
    if migrations.recorded or not tables or not migrations.pending or broken(migrations):
        return None
    return Finding(
        "nothing is recorded of the migrations that made the database's tables",
        seen=f"table {declared(backend).version_table} is "
        + ("missing" if migrations.recorded is None else "empty")
        + f"; there is {', '.join(tables[:5])}",
        remedy="find out which revision the tables are at, and record it"
        f" ({declared(backend).to_stamp}, in {declared(backend).directory})",
    )


def made(backend: Backend, inside: Contents) -> list[str]:
    """Give the tables that are there, but for the record itself."""
    return [name for name in inside.names if name != declared(backend).version_table]


def heads_of(migrations: Migrations, names: Iterable[str]) -> list[str]:
    """Give the heads of the applications that these revisions are of; without such, all heads."""
    apps = {name.partition(".")[0] for name in names}
    return [
        head for head in migrations.heads if not migrations.each or head.partition(".")[0] in apps
    ]


def named(names: Sequence[str]) -> str:
    """Give the first of the names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


CHECK = (
    "cd DIRECTORY && runuser -u USER -- VENV/bin/alembic heads",
    "runuser -u postgres -- psql -d DATABASE -c 'TABLE alembic_version'",
    "docker compose exec -T SERVICE alembic heads",
)
_CHECK_DJANGO = (
    "cd DIRECTORY && runuser -u USER -- VENV/bin/python manage.py showmigrations --plan",
    "runuser -u postgres -- psql -d DATABASE -c 'TABLE django_migrations'",
)
UNKNOWN_REVISION = Fault(
    "migrations.unknown-revision",
    where_seen(_judge_unknown),
    about="the database is at a revision that the code does not have",
    remedy="deploy the code that the database was migrated for",
    check=CHECK,
)
OVERLAPPING_ROWS = Fault(
    "migrations.overlapping-rows",
    where_seen(_judge_overlapping),
    about="the database records a revision beside one that is built on it",
    remedy="delete the older row",
    check=CHECK,
)
INCONSISTENT_HISTORY = Fault(
    "migrations.inconsistent-history",
    where_seen(_judge_inconsistent),
    about="Django's record lacks a migration on which a recorded one builds",
    remedy="find out whether it was run, and put its row back",
    check=_CHECK_DJANGO,
)
NOT_STAMPED = Fault(
    "migrations.not-stamped",
    where_seen(_judge_not_stamped),
    about="tables are there, and nothing is recorded of the migrations that made them",
    remedy="find out which revision they are at, and record it",
    check=CHECK,
)
NOT_RECORDED = Fault(
    "migrations.not-recorded",
    where_seen(_judge_not_recorded),
    about="tables are there that a migration makes, and Django's record lacks it",
    remedy="find out which migration they are at, and record it",
    check=_CHECK_DJANGO,
)
