"""A container that its own health check calls healthy, while nobody can log in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.facts.service_state import ServiceState
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations.login_reading import BELOW
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _detect(backend: Backend, seen: Observation) -> Finding | None:
    state, proof = seen.service, seen.login
    if not isinstance(state, ServiceState) or not isinstance(backend.service, Compose):
        return None
    own = state.project.container(backend.service.service) if state.project else None
    if own is None or own.state != "running" or own.health != "healthy":
        return None
    if proof is None or proof.check("login") is not False:
        return None
    return Finding(
        f"{state.name} is healthy by its own check, and nobody can log in",
        subject=backend.service.service,
        seen=own.health_said or "its health check succeeds",
        remedy="let the check ask for what a login needs, such as a row of the database:"
        " whoever watches it is told that all is well",
    )


HEALTHY_BUT_DEAD = Fault(
    "login.healthy-but-dead",
    _detect,
    severity=Severity.WARNING,
    symptom_of=BELOW,
    about="the container's health check succeeds while nobody can log in",
    remedy="what keeps people out is mended; let the check ask for what a login needs",
    check=("docker inspect --format '{{json .State.Health}}' CONTAINER",),
)
