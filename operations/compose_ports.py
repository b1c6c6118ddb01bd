"""Where a container's ports are published: for everybody, or where nobody asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from relogin.facts.service_state import ServiceState
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations.compose_service import where_it_answers
from relogin.operations.service_control import NEEDED, start
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.compose_state import Container, Port, Project
    from relogin.facts.observation import Observation

_EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 # what the engine says, not where we listen


def _public_port(part: Compose, project: Project, state: ServiceState) -> Iterator[Finding]:
    own = project.container(part.service)
    ports = {one.outside: one for one in _ports(own) if one.address in _EVERYWHERE}
    for port in ports.values():
        yield Finding(
            f"port {port.outside} of {state.name} is open to everybody, past the host's firewall",
            subject=str(port.outside),
            seen=f"published on every address of the host, to {port.inside}",
            remedy=f'publish it on "127.0.0.1:{port.outside}:{port.inside}" in the files',
        )


def _ports(container: Container | None) -> Iterator[Port]:
    yield from container.ports if container is not None else ()


def _port_elsewhere(backend: Backend, seen: Observation) -> Finding | None:
    """Find a port that the login is asked at and no container is published on any more.

    It may be another's, a proxy's: so only one that the container itself listens on, or that the
    files have for it today.
    """
    state, part = seen.service, backend.service
    project = state.project if isinstance(state, ServiceState) else None
    if project is None or backend.login is None or not isinstance(part, Compose):
        return None
    asked = _port_of(backend.login.url)
    own = project.container(part.service)
    if own is None or own.state != "running" or asked in _published(project):
        return None
    by_files = asked in project.published(part.service)
    instead = [one for one in own.ports if one.inside == asked or by_files]
    if not instead:
        return None
    return Finding(
        f"{part.service} is not published on port {asked}, where the login is asked",
        subject=str(asked),
        seen=", ".join(f"{one.address}:{one.outside} leads to {one.inside}" for one in instead),
        expected=f"port {asked}, as {backend.login.url} says",
        remedy="its container is made anew, as the files have it by now"
        if by_files
        else "correct the port in the files, or Login(url=…): one of them is out of date",
        by_person=not by_files,
    )


def _port_of(url: str) -> int:
    pieces = urlsplit(url)
    return pieces.port or (443 if pieces.scheme == "https" else 80)


def _published(project: Project) -> set[int]:
    return {port.outside for one in project.containers for port in one.ports}


PORT_ELSEWHERE = Fault(
    "service.port-elsewhere",
    _port_elsewhere,
    start,
    unless=(*NEEDED, "volumes"),
    about="the container is not published on the port where the login is asked",
    remedy="it is made anew, alone, if the files have that port; else correct one of the two",
    check=("docker compose ps", "docker port CONTAINER", "docker compose config | grep -A3 ports"),
)
PORT_PUBLIC = Fault(
    "service.port-public",
    where_it_answers(_public_port),
    severity=Severity.WARNING,
    about="the backend's port is open to everybody, past the host's firewall",
    remedy="publish it on 127.0.0.1",
    check=("docker compose ps", "docker port CONTAINER"),
)
