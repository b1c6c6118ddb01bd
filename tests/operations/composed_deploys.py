"""Every script by which a deploy changes a Docker Compose project, but for those of the mends."""

import dataclasses
from collections.abc import Iterator

from relogin import Backend, Backup, Source, Unreadable
from relogin.facts import bare as bare_facts
from relogin.facts import observation
from relogin.facts.bare import Bare
from relogin.facts.observation import Observation
from relogin.facts.postgres_state import Target
from relogin.facts.release_new import NewRevision
from relogin.facts.release_state import ReleaseState, Tree, UnderWay
from relogin.facts.service_state import ServiceState
from relogin.facts.side_database import Kept
from relogin.operations import (
    backup_take,
    project,
    release_steps,
    restore_copy,
    restore_look,
    restore_reinit,
    restore_steps,
    rotation_steps,
    side_sql,
)
from relogin.parts.runtime import Compose
from relogin.rotating import Rotated, meant
from relogin.undo import back
from tests.operations import sick

EXAMPLES = ("receptionist", "agentcaller")
OF = Target("of", "of", 5432)
OLD, NEW = "a" * 40, "b" * 40
KEPT = Kept("/var/lib/relogin/of/backups/20261120T101010Z", head={"salt": "1"})
COPY = "uvicorn app.main:app --host 0.0.0.0 --port {port}"


def known(example: str) -> tuple[Backend, Observation]:
    """Give a shipped example, with a source and all that a backup can have, and a healthy look."""
    shipped = sick.described(example)
    backup = Backup(
        create="python manage.py create_backup",
        reinit="alembic reinit",
        restore="alembic restore {file}",
        copy=COPY,
    )
    source = Source(shipped.directory)
    backend = dataclasses.replace(shipped, source=source, backup=backup)
    return backend, sick.seen(shipped, sick.recorded(sick.HEALTHY, example))


def of_release(backend: Backend, seen: Observation) -> Iterator[str]:
    assert backend.source is not None
    tree = Tree(present=True, head=OLD, wanted=NEW, branch="main")
    new = NewRevision(recorded=("1a",))
    for first in (False, True):
        source = dataclasses.replace(backend.source, migrate_first=first)
        yield release_steps.fetch(source, ReleaseState(tree)).script
        yield release_steps.clear(source).script
        yield release_steps.begin(backend, seen, ReleaseState(tree), new, (), "r").script
        prepared = release_steps.prepare(backend, seen, source, OF, NEW)
        yield from (change.script for change in prepared)
        yield release_steps.noted(backend, new).script
        for migrate in (False, True):
            yield release_steps.switch(backend, seen, source, NEW, migrate=migrate).script
        for recorded in ("", "1a"):
            under_way = UnderWay("r", OLD, NEW, "forward", recorded=recorded)
            state = ReleaseState(tree, under_way=under_way)
            yield release_steps.back(backend, seen, source, state, failed="x", said="y").script
        yield release_steps.finish(backend, source, OLD, NEW, []).script
        yield release_steps.close(backend, source, [], running=OLD).script


def of_rotation(backend: Backend, seen: Observation) -> Iterator[str]:
    for key in dict.fromkeys(key for file in backend.env_files for key in file.keys):
        what = meant(backend, key)
        if isinstance(what, Rotated):
            yield rotation_steps.begin(backend, what, number=1, former="f", token=None).script
            yield rotation_steps.applied(backend, seen, what, "n" * 48, former="f" * 48).script
            yield rotation_steps.back(backend, seen, what, "f" * 48).script
            yield rotation_steps.ended(backend, what, number=1, retiring={"f": 0.0}).script
            yield rotation_steps.ended(backend, what, number=1, counts=False).script


def of_undo(backend: Backend, seen: Observation) -> Iterator[str]:
    yield back.look(backend)
    yield back.taken_back(backend, "r", "1")


def of_backup(backend: Backend, seen: Observation) -> Iterator[str]:
    yield backup_take.script(backend, seen, OF)


def of_restore(backend: Backend, seen: Observation) -> Iterator[str]:
    yield from restore_look.scripts(backend, OF, "").values()
    own = restore_reinit.parts(backend, "of_side", seen)
    assert not isinstance(own, Unreadable), own
    for filled in (None, own):
        yield restore_steps.beside(backend, OF, KEPT, "of_side", seen, filled).script
    for superuser in (False, True):
        yield restore_steps.switch(
            backend, OF, "of_side", "of_before", notes=("", ""), why="", superuser=superuser
        ).script
    ended = restore_steps.ended("of_before", OF, side_sql.note(""))
    for statements in (ended, restore_steps.opened("of_before")):
        yield restore_steps.administered(backend, OF, statements, "").script
    yield restore_copy._started(backend, "of_side", seen, 8099).script
    yield restore_copy._ended(backend, 8099).script


def of_check(backend: Backend, seen: Observation) -> Iterator[str]:
    yield from observation.scripts(backend, deep=True).values()


def of_onboarding(backend: Backend, seen: Observation) -> Iterator[str]:
    yield bare_facts.script(backend)
    nothing = Bare(0, "root", "amd64")
    state, part = seen.service, backend.service
    assert isinstance(state, ServiceState) and state.project is not None  # noqa: PT018
    assert isinstance(part, Compose)
    none = dataclasses.replace(state.project, containers=(), volumes=())
    created = [dataclasses.replace(one, state="created") for one in state.project.containers]
    made = dataclasses.replace(none, containers=tuple(created))
    for step, there in ((project.making, none), (project.starting, made)):
        look = dataclasses.replace(seen, service=dataclasses.replace(state, project=there))
        changes = list(step(backend, look, nothing))
        assert changes
        yield from (change.script for change in changes)


DEPLOYS = {
    "release": of_release,
    "rotate": of_rotation,
    "undo": of_undo,
    "backup": of_backup,
    "restore_backup": of_restore,
    "check_database": of_check,
    "onboard": of_onboarding,
}


def scripts(deploy: str) -> list[str]:
    """Give all that this deploy can do to one of the examples."""
    return [one for example in EXAMPLES for one in DEPLOYS[deploy](*known(example))]
