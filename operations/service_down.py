"""Faults of a service that does not run, or does not stay up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from relogin.facts.machine import Machine
from relogin.facts.service import ServiceState
from relogin.fault import Fault
from relogin.finding import Finding
from relogin.operations import by_hand
from relogin.operations.auth_evidence import blocked_by
from relogin.operations.service_control import NEEDED, restart_failed, start
from relogin.parts.runtime import Compose, Supervisor
from relogin.redaction import redact_foreign

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_STOPPED = {"inactive", "stopped"}
_CAUSES = (*NEEDED, "service.needs-daemon-reload", "service.configuration-not-applied")
_CAUSES_OF_CRASHES = (*_CAUSES, "image", "service.killed-for-memory")
_YOUNG = 60  # seconds


def startable(seen: Observation) -> ServiceState | None:
    """Give a service that its process manager would start."""
    service = seen.service
    return service if isinstance(service, ServiceState) and service.load == "loaded" else None


def _down(service: ServiceState, what: str, why: str, remedy: str) -> Finding:
    return Finding(
        f"{service.name} {what}",
        subject=service.name,
        seen=why,
        expected="running",
        remedy=remedy,
    )


def _stopped(backend: Backend, seen: Observation) -> Finding | None:
    service = startable(seen)
    if service is None or service.state not in _STOPPED or service.condition_failed:
        return None
    words = " ".join(filter(None, (service.state, service.sub, service.result)))
    return _down(service, "is stopped", words, "it is started")


def _hit_start_limit(service: ServiceState) -> bool:
    """Tell by the log, too: after a crash loop `Result` is the crash's."""
    limited = service.start_limit or service.result == "start-limit-hit"
    return service.state == "failed" and limited


def _start_limit_hit(backend: Backend, seen: Observation) -> Finding | None:
    service = startable(seen)
    if service is None or not _hit_start_limit(service):
        return None
    what = "has failed so often that systemd starts it no more"
    remedy = "it is started once what it needs is sound, and its start limit reset"
    return _down(service, what, _why(service), remedy)


def _failed(backend: Backend, seen: Observation) -> Finding | None:
    service = startable(seen)
    if service is None or not (
        service.state in {"failed", "exited"} or service.sub == "auto-restart"
    ):
        return None
    if _hit_start_limit(service) or is_looping(seen, service):
        return None
    return _down(service, "has failed", _why(service), _RESTARTED)


_RESTARTED = "it is restarted once what it needs is sound"


def _given_up(state: str, what: str) -> Callable[[Backend, Observation], Finding | None]:
    """Find a program that supervisord cannot start, by its word for that."""

    def detect(backend: Backend, seen: Observation) -> Finding | None:
        service = startable(seen)
        if service is None or service.state != state:
            return None
        return _down(service, what, _why(service), _RESTARTED)

    return detect


def _why(service: ServiceState) -> str:
    """Say how it ended, and why: in systemd's words, or the last ones of its own."""
    words = {
        "exit-code": f"exited with {service.exit_status}",
        "signal": f"killed by signal {service.exit_status}",
        "resources": "could not be started",
    }
    how = words.get(service.result, service.result or service.state)
    if service.reason:
        return redact_foreign(f"{how}: {service.reason}")
    if service.exceptions:
        return redact_foreign(f"{how}; {_last_exception(service)}")
    return how


def _last_exception(service: ServiceState) -> str:
    last = service.exceptions[-1] if service.exceptions else "none in its log"
    return redact_foreign(f"last exception: {last}")


def is_looping(seen: Observation, service: ServiceState) -> bool:
    """Tell a crash loop in one look: `active` says nothing, each life of it may take seconds.

    NRestarts counts since the last start by hand: 37 of a process that is 9 days old are history.
    The parts of a look run side by side: a start may be later than the host's clock was read.
    """
    again = (service.restarts or 0) >= 2
    if again and (service.sub == "auto-restart" or service.state == "starting"):
        return True
    now = seen.machine.now if isinstance(seen.machine, Machine) else None
    if now is None or not service.active or service.started is None:
        return False
    return (again and abs(now - service.started) < _YOUNG) or _workers_are_looping(service, now)


def stays_up(seen: Observation, service: ServiceState) -> bool:
    """Tell a container that runs from one that only does so at this moment of a crash loop."""
    return service.state == "running" and not is_looping(seen, service)


def _workers_are_looping(service: ServiceState, now: float) -> bool:
    return len(service.crashes) >= 2 and now - service.crashes[-1] < _YOUNG


def _crash_looping(backend: Backend, seen: Observation) -> Finding | None:
    """Find a crash loop; where this run has mended nothing, its cause is nothing that we see."""
    service = startable(seen)
    if service is None or not is_looping(seen, service):
        return None
    manager = _MANAGERS.get(type(backend.service), "systemd")
    how = f"restarted {service.restarts} times by {manager}"
    if not service.restarts:
        how = f"{len(service.crashes)} crashes of its workers, while {service.name} stays active"
    exception = _last_exception(service)
    cause_unknown = not seen.done
    return Finding(
        f"{service.name} crashes again and again",
        subject=service.name,
        seen=f"{how}; {exception}",
        expected="one start that lasts",
        remedy=f"nothing that it needs is known to be broken; {exception}: see"
        f" {by_hand.log(backend.service)}"
        if cause_unknown
        else "it is restarted, now that its cause is mended",
        by_person=cause_unknown,
    )


_MANAGERS = {Supervisor: "supervisord", Compose: "Docker"}
_LOGS_OF_PROGRAM = (
    "supervisorctl -c CONFIG status PROGRAM",
    "supervisorctl -c CONFIG tail PROGRAM",
    "supervisorctl -c CONFIG maintail",
)
_LOG_OF_SERVICE = "docker compose logs --tail 80 SERVICE"
_LOGS = (
    "systemctl status UNIT",
    "journalctl -u UNIT -n 80",
    *_LOGS_OF_PROGRAM[:2],
    _LOG_OF_SERVICE,
)
STOPPED = Fault(
    "service.stopped",
    _stopped,
    start,
    unless=("service.engine-down", "service.compose-files-refused"),
    writes=False,
    about="the service is stopped",
    remedy="it is started",
    check=("systemctl status UNIT", "supervisorctl -c CONFIG status PROGRAM"),
)
START_LIMIT_HIT = Fault(
    "service.start-limit-hit",
    _start_limit_hit,
    restart_failed,
    symptom_of=_CAUSES,
    about="systemd starts the service no more",
    remedy="once its cause is mended the limit is reset, and it is started",
    check=("systemctl status UNIT", "journalctl -u UNIT -n 80"),
)
FAILED = Fault(
    "service.failed",
    blocked_by(_failed, any_key=True),
    restart_failed,
    symptom_of=_CAUSES_OF_CRASHES,
    about="the service has failed",
    remedy="once its cause is mended it is restarted",
    check=_LOGS,
)
FATAL = Fault(
    "service.fatal",
    _given_up("fatal", "could not be started, and supervisord has given up"),
    restart_failed,
    symptom_of=_CAUSES,
    about="supervisord could not start the program, and has given up",
    remedy="once its cause is mended it is started",
    check=_LOGS_OF_PROGRAM,
)
BACKOFF = Fault(
    "service.backoff",
    _given_up("backoff", "ends as soon as it is started, and supervisord tries again"),
    restart_failed,
    symptom_of=_CAUSES,
    about="the program ends as soon as supervisord starts it",
    remedy="once its cause is mended it is started",
    check=_LOGS_OF_PROGRAM,
)
CRASH_LOOPING = Fault(
    "service.crash-looping",
    blocked_by(_crash_looping, any_key=True),
    restart_failed,
    symptom_of=_CAUSES_OF_CRASHES,
    about="the service crashes again and again",
    remedy="once its cause is mended it is restarted; else its last exception says where to look",
    check=("systemctl show UNIT -p NRestarts,ExecMainStartTimestamp", *_LOGS),
)
