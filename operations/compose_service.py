"""The other services of a Docker Compose project, and how one is started as it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts.compose_script import compose_function
from relogin.facts.compose_state import Project
from relogin.facts.service_state import ServiceState
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

Judge = Callable[[Compose, Project, ServiceState], "Finding | Iterator[Finding] | None"]


def where_it_answers(
    judge: Judge,
) -> Callable[[Backend, Observation], Finding | Iterator[Finding] | None]:
    """Ask only of a Compose project whose engine answers."""

    def detect(backend: Backend, seen: Observation) -> Finding | Iterator[Finding] | None:
        project = seen.service.project if isinstance(seen.service, ServiceState) else None
        if project is None or project.engine_error or not isinstance(backend.service, Compose):
            return None
        assert isinstance(seen.service, ServiceState)  # noqa: S101 # it has the project
        return judge(backend.service, project, seen.service)

    return detect


def _needed_down(part: Compose, project: Project, state: ServiceState) -> Iterator[Finding]:
    for name in part.needs:
        one = project.container(name)
        if one is None or one.state != "running":
            yield Finding(
                f"service {name}, which the backend needs, does not run",
                subject=name,
                seen=one.ended if one else "it has no container",
                expected="running",
                remedy="it is started, as it was made" if one else "it is made, alone",
            )


def how_it_is(seen: Observation, service: str | None) -> str:
    """Say how another service's container is, where there is one."""
    project = seen.service.project if isinstance(seen.service, ServiceState) else None
    found = project.container(service) if project is not None and service else None
    return f"{service}: {found.ended}" if found is not None else ""


def _start_needed(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    yield started_as_it_is(backend, finding.subject)


def started_as_it_is(backend: Backend, service: str) -> Change:
    """Give the change that starts a service without making its container anew: it may hold data."""
    assert isinstance(backend.service, Compose)  # noqa: S101 # else there is no finding
    name = shell.quote(service)
    script = f"""\
{compose_function(backend.service, limit=90)}
compose up -d --no-deps --no-recreate --no-build {name} >/dev/null 2>&1 || {{
  compose up -d --no-deps --no-recreate --no-build {name} 2>&1 | tail -n 5; exit 1
}}
id=$(compose ps -q {name}); n=0
until [ "$(docker inspect --format '{_STATE}' "$id")" = ready ]; do
  n=$((n + 1)); [ $n -lt 120 ] || exit 1; sleep 0.5
done"""
    return Change(script, f"docker compose up -d --no-deps --no-recreate {service}", deadline=160)


_STATE = (
    '{{if eq .State.Status "running"}}{{with .State.Health}}{{if eq .Status "healthy"}}ready'
    "{{end}}{{else}}ready{{end}}{{end}}"
)


NEEDED_SERVICE_DOWN = Fault(
    "service.needed-service-down",
    where_it_answers(_needed_down),
    _start_needed,
    unless=("volumes",),
    about="another service that the backend needs does not run",
    remedy="it is started, as it was made",
    check=("docker compose ps --all", "docker compose logs --tail 50 SERVICE"),
)
