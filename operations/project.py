"""Ensure that a Docker Compose project is made, and then up, on a host that has none of it yet."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import onboarding, shell
from relogin.facts.compose_script import compose_function
from relogin.facts.service_state import ServiceState
from relogin.fault import Change
from relogin.operations import compose_build, volumes
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.bare import Bare
    from relogin.facts.compose_state import Project
    from relogin.facts.observation import Observation

_MAKING = 900  # seconds: images are built, or fetched
_STARTING = 300
# Compose makes volumes before containers: one that is missing beside a container was lost, and is
# not what a killed run left to be made. What is there stays: --no-recreate.
_MADE = """\
{build}
compose up --no-start --no-build --no-recreate {services} >/dev/null 2>&1 || {{
  compose up --no-start --no-build --no-recreate {services} 2>&1 | tail -n 8; exit 1
}}"""
# Until it says that it is healthy nobody may ask it. One that never says so, or that ends without
# its schema, is no failure of this step: what is wrong then is found, and mended, by the catalogue.
_UP = """\
{compose}
said=$(compose up -d --no-build --no-recreate {services} 2>&1) || {{
  printf '%s\\n' "$said" | tail -n 8; exit 1
}}
n=0
while compose ps --format '{{{{.Health}}}}' 2>/dev/null | grep -q starting; do
  n=$((n + 1)); [ $n -lt 120 ] || break; sleep 0.5
done"""


@operation()
def made(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the project's images, volumes and containers are there; starts none of them.

    Those that are there stay as they are.

    + backend: the backend, as described
    """
    yield from onboarding.step_by_look(backend, making)


@operation()
def up(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that each of the project's containers has been started once.

    + backend: the backend, as described
    """
    yield from onboarding.step_by_look(backend, starting)


def making(backend: Backend, seen: Observation, bare: Bare) -> Iterator[Change]:
    """Give the change that makes what is missing of the project.

    Raises:
        ValueError: it has lost its volumes: it would come up without its data.
    """
    project = project_of(seen)
    lacking = without_container(project) if project is not None else []
    if project is None or not lacking:
        return
    _refuse_without_its_data(backend, seen, project)
    part = backend.service
    assert isinstance(part, Compose)  # noqa: S101 # it has a project
    declared = _services(project)
    built = [name for name in lacking if declared[name].get("build")]
    build = (
        compose_build.built(part, *built, limit=_MAKING)
        if built
        else compose_function(part, limit=_MAKING)
    )
    script = _MADE.format(build=build, services=shell.words(lacking))
    what = f"docker compose build {' '.join(built)}; " if built else ""
    why = f"{what}docker compose up --no-start {' '.join(lacking)}"
    yield Change(script, why, deadline=_MAKING * 2 + 30)


def _refuse_without_its_data(backend: Backend, seen: Observation, project: Project) -> None:
    """Make no volume beside what lives, or has lived, on another: that is a person's to find."""
    found = [*volumes.PROJECT_RENAMED.found(backend, seen)]
    if project.containers:
        found += volumes.MISSING.found(backend, seen)
    for one in found:
        raise ValueError(f"{one.what}, {one.seen}: {one.remedy}")


def starting(backend: Backend, seen: Observation, bare: Bare) -> Iterator[Change]:
    """Give the change that starts what was made and has never run."""
    project, part = project_of(seen), backend.service
    if project is None or not isinstance(part, Compose):
        return
    still = sorted(one.service for one in project.containers if one.state == "created")
    if still:
        compose = compose_function(part, limit=_STARTING - 30)
        script = _UP.format(compose=compose, services=shell.words(still))
        yield Change(script, f"docker compose up -d {' '.join(still)}", deadline=_STARTING)


def project_of(seen: Observation) -> Project | None:
    """Give the project as it is; None where its engine or its files do not answer."""
    project = seen.service.project if isinstance(seen.service, ServiceState) else None
    return None if project is None or project.engine_error or project.config_error else project


def without_container(project: Project) -> list[str]:
    """Give the services of the project's files that have no container, in their order."""
    return [name for name in _services(project) if project.container(name) is None]


def _services(project: Project) -> dict[str, dict[str, object]]:
    return dict((project.config or {}).get("services") or {})
