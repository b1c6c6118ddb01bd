"""Faults of supervisord itself, and of its file that it has not taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.facts.service import ServiceState
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations.service_control import NEEDED, update
from relogin.parts.runtime import Supervisor

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _program(backend: Backend, seen: Observation) -> tuple[Supervisor, ServiceState] | None:
    if isinstance(backend.service, Supervisor) and isinstance(seen.service, ServiceState):
        return backend.service, seen.service
    return None


def _supervisord_down(backend: Backend, seen: Observation) -> Finding | None:
    program = _program(backend, seen)
    if program is None or program[1].load != "down":
        return None
    part, service = program
    return Finding(
        "supervisord does not run",
        subject=part.config,
        seen=service.reason,
        expected=f"it runs {part.program}",
        remedy=f"start it: systemctl start supervisor, or supervisord -c {part.config} as its user",
    )


def _not_applied(backend: Backend, seen: Observation) -> Finding | None:
    """Find what supervisord has not taken over; a section that is gone would stop the program."""
    program = _program(backend, seen)
    if program is None or program[1].configuration not in _WHAT:
        return None
    part, service = program
    gone = service.configuration == "disappeared"
    return Finding(
        _WHAT[service.configuration].format(name=part.program),
        subject=part.program,
        seen=f"supervisorctl reread: {service.configuration}",
        remedy=f"put its section back into {part.config}: it does not survive the next start"
        if gone
        else "supervisorctl update takes it over, for this program alone",
        by_person=gone,
        severity=Severity.WARNING if gone else Severity.CRITICAL,
    )


_WHAT = {
    "changed": "supervisord does not run {name} by today's file",
    "available": "supervisord has not read that there is a program {name}",
    "disappeared": "the section of {name} is gone from supervisord's file",
}
SUPERVISORD_DOWN = Fault(
    "service.supervisord-down",
    _supervisord_down,
    about="supervisord does not run",
    remedy="start it as the host does",
    check=("supervisorctl -c CONFIG status", "systemctl status supervisor"),
)
CONFIGURATION_NOT_APPLIED = Fault(
    "service.configuration-not-applied",
    _not_applied,
    update,
    unless=NEEDED,
    about="supervisord has not taken over the program's section as it is today",
    remedy="supervisorctl update takes it over, for this program alone",
    check=("supervisorctl -c CONFIG reread", "supervisorctl -c CONFIG avail"),
)
