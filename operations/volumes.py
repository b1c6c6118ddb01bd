"""Say which volumes are not there: nothing is made, moved or removed here, ever."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin.facts.accounts import Table
from relogin.facts.compose_script import working_directory
from relogin.facts.compose_state import Project, Volume
from relogin.facts.service_state import ServiceState
from relogin.fault import Fault
from relogin.finding import Finding
from relogin.mend import mend
from relogin.operations import by_hand
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _missing(part: Compose, project: Project, seen: Observation) -> Iterator[Finding]:
    known = {one.name for one in project.volumes}
    for name, own in _names(part, project):
        if own not in known and not _left_by_another(part, project, name, own):
            yield Finding(
                f"volume {own} does not exist",
                subject=name,
                seen=f"there is {', '.join(sorted(known)) or 'no volume'}",
                remedy="do not start the database on a new one: look for the data first (backups,"
                f" docker volume ls, other hosts), then restore it into a volume named {own}",
            )


def _renamed(part: Compose, project: Project, seen: Observation) -> Iterator[Finding]:
    """Find a project that came up under another name, on new and empty volumes."""
    known = {one.name for one in project.volumes}
    for name, own in _names(part, project):
        if own in known and _has_the_accounts(seen):
            continue
        for other in _left_by_another(part, project, name, own):
            empty = "is empty" if own in known else "does not exist"
            yield Finding(
                f"volume {own} {empty}, but project {other.project} had one",
                subject=other.name,
                seen=f"{other.name} is there; the project's name is {project.name} by now",
                remedy="end what runs on the new one, and start the project under its old name:"
                f" {_way_back(part, project.name, other.project)}; then set that name in the file."
                " Never add -v, and never copy or remove a volume, before people are in again",
            )


def _way_back(part: Compose, now: str, before: str) -> str:
    """Give the commands, with the files that are declared: Compose looks in its own folder else."""
    down = by_hand.compose(part, "down", name=now)
    return by_hand.in_folder(part, down, by_hand.compose(part, "up", "-d", name=before))


def _names(part: Compose, project: Project) -> Iterator[tuple[str, str]]:
    """Give the declared volumes: the name in the files, and what it is called on this host."""
    if project.config is None:
        return
    declared = project.config.get("volumes") or {}
    for name in part.volumes:
        yield name, (declared.get(name) or {}).get("name") or f"{project.name}_{name}"


def _left_by_another(part: Compose, project: Project, name: str, own: str) -> list[Volume]:
    """Give the volumes of that name whose project runs nowhere, or from our own folder."""
    elsewhere = {other for other, folder in project.folders if folder != working_directory(part)}
    return [
        one
        for one in project.volumes
        if one.declared == name and one.name != own and one.project not in elsewhere
    ]


def _has_the_accounts(seen: Observation) -> bool:
    return isinstance(seen.accounts, Table) and bool(seen.accounts.rows)


def _where_it_answers(
    judge: Callable[[Compose, Project, Observation], Iterator[Finding]],
) -> Callable[[Backend, Observation], Iterator[Finding]]:
    def detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
        project = seen.service.project if isinstance(seen.service, ServiceState) else None
        if project is not None and isinstance(backend.service, Compose):
            yield from judge(backend.service, project, seen)

    return detect


PROJECT_RENAMED = Fault(
    "volumes.project-name-changed",
    _where_it_answers(_renamed),
    about="the project came up under another name, without its data",
    remedy="start it under its old name again; nothing is copied or removed",
    check=("docker volume ls", "docker compose ls --all"),
)
MISSING = Fault(
    "volumes.missing",
    _where_it_answers(_missing),
    about="a declared volume does not exist",
    remedy="find the data before anything is started on a new volume",
    check=("docker volume ls", "docker compose config --volumes"),
)
FAULTS = (PROJECT_RENAMED, MISSING)


@operation()
def there(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Say which declared volumes of a Docker Compose project are not there.

    + backend: the backend, as its inventory describes it
    """
    yield from mend(backend, FAULTS)
