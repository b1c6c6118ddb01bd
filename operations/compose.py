"""Faults of a service of a Docker Compose project: what runs is not what the files say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts.service_state import ServiceState
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations import by_hand
from relogin.operations.auth_evidence import told_of_the_secret
from relogin.operations.compose_service import where_it_answers
from relogin.operations.service_control import NEEDED, start

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.compose_state import Project
    from relogin.facts.observation import Observation
    from relogin.parts.runtime import Compose


def _engine_down(backend: Backend, seen: Observation) -> Finding | None:
    project = seen.service.project if isinstance(seen.service, ServiceState) else None
    if project is None or not project.engine_error:
        return None
    return Finding(
        "Docker does not answer",
        seen=project.engine_error,
        remedy="see why: systemctl status docker; journalctl -u docker -n 50; df -h",
    )


def _files_refused(part: Compose, project: Project, state: ServiceState) -> Finding | None:
    if not project.config_error:
        return None
    running = state.active
    quiet = by_hand.in_folder(part, by_hand.compose(part, "config", "-q"))
    return Finding(
        "Docker Compose refuses the project's files",
        subject=part.directory,
        seen=project.config_error,
        remedy=f"correct what it names, until this is quiet: {quiet}; containers that run are let"
        " be",
        severity=Severity.WARNING if running else Severity.CRITICAL,
    )


def _container_missing(part: Compose, project: Project, state: ServiceState) -> Finding | None:
    if state.exists or project.config_error:
        return None
    declared = (project.config or {}).get("services", {})
    known = part.service in declared
    return Finding(
        f"service {part.service} has no container"
        if known
        else f"the project's files have no service {part.service}",
        subject=part.service,
        seen=f"project {project.name} has {', '.join(_services(project)) or 'no containers'}",
        remedy="it is made, alone"
        if known
        else f"correct Compose(service=…): there is {', '.join(declared) or 'none'}",
        by_person=not known,
    )


def _services(project: Project) -> list[str]:
    return [one.service for one in project.containers]


def _environment_older(part: Compose, project: Project, state: ServiceState) -> Finding | None:
    """Compare what the container was made with to what one made now would have: both resolved."""
    differing = project.differing(part.service, state.environ)
    if not differing:
        return None
    dropped = project.dropped(part.service, state.environ)
    others = [key for key in differing if key not in dropped]
    said = [f"other values for {', '.join(others)}"] if others else []
    said += [f"it still has {', '.join(dropped)}, which they give no more"] if dropped else []
    return Finding(
        f"{state.name} runs on older values than its env files have",
        subject=part.service,
        seen="; ".join(said),
        expected="the values that a container made now would get",
        remedy="its container is made anew (docker compose restart would not read them)",
    )


def _image_older(part: Compose, project: Project, state: ServiceState) -> Finding | None:
    own = project.container(part.service)
    if own is None or not project.image or own.image == project.image:
        return None
    return Finding(
        f"{state.name} runs on an older image than {own.tag} is now",
        subject=part.service,
        seen=f"made from {_short(own.image)}, {own.tag} is {_short(project.image)}",
        remedy="its container is made anew, from that image",
        severity=Severity.WARNING,
    )


def _short(image: str) -> str:
    return image.removeprefix("sha256:")[:12]


def _unhealthy(part: Compose, project: Project, state: ServiceState) -> Iterator[Finding]:
    """Find it of the backend's own service, and of those that it needs: people may get in then."""
    for name in (part.service, *part.needs):
        found = project.container(name)
        if found is not None and found.state == "running" and found.health == "unhealthy":
            yield Finding(
                f"{project.name}/{name} says that it is not healthy",
                subject=name,
                seen=found.health_said or "its health check fails",
                expected="healthy",
                remedy=f"read its log ({by_hand.log_of(part, name)}): what it needs may"
                " be broken; else its check asks for the wrong thing",
                severity=Severity.CRITICAL if name == part.service else Severity.WARNING,
            )


ENGINE_DOWN = Fault(
    "service.engine-down",
    _engine_down,
    about="Docker itself does not answer",
    remedy="see why the engine does not run, and start it",
    check=("systemctl status docker", "docker version"),
)
FILES_REFUSED = Fault(
    "service.compose-files-refused",
    where_it_answers(_files_refused),
    about="Docker Compose refuses the project's files",
    remedy="correct what Compose names",
    check=("docker compose config --quiet",),
)
CONTAINER_MISSING = Fault(
    "service.container-missing",
    where_it_answers(_container_missing),
    start,
    unless=("env_file", "jwt", "volumes", "postgres"),
    about="the backend's service has no container",
    remedy="it is made, alone",
    check=("docker compose ps --all", "docker compose config --services"),
)
ENVIRONMENT_OLDER = Fault(
    "service.environment-older",
    told_of_the_secret(where_it_answers(_environment_older)),
    start,
    unless=(*NEEDED, "volumes"),
    about="the container was made with other values than its env files have",
    remedy="it is made anew, alone",
    check=("docker compose up -d --dry-run --no-deps SERVICE",),
)
IMAGE_OLDER = Fault(
    "service.image-older",
    where_it_answers(_image_older),
    start,
    unless=(*NEEDED, "volumes"),
    severity=Severity.WARNING,
    about="the container was made from an older image",
    remedy="it is made anew, alone",
    check=("docker compose images", "docker inspect --format '{{.Image}}' CONTAINER"),
)
UNHEALTHY = Fault(
    "service.unhealthy",
    where_it_answers(_unhealthy),
    symptom_of=(*NEEDED, "volumes", "migrations", "service.environment-older"),
    about="the container's health check fails",
    remedy="what causes it is mended; else read its log",
    check=("docker inspect --format '{{json .State.Health}}' CONTAINER",),
)
