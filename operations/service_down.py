"""Faults of a service that does not run, or does not stay up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts import listeners
from relogin.facts.machine import Machine
from relogin.facts.service import ServiceState
from relogin.fault import Fault
from relogin.finding import Finding
from relogin.operations.service_age import NEEDED
from relogin.operations.service_control import moment, restart_failed, start
from relogin.secret import redact_foreign

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.listeners import Listener
    from relogin.facts.observation import Observation

_FAILED = {"failed", "fatal", "backoff", "exited"}
_STOPPED = {"inactive", "stopped"}
_CAUSES = (*NEEDED, "migrations", "service.needs-daemon-reload")
_YOUNG = 60  # seconds


def _startable(seen: Observation) -> ServiceState | None:
    service = seen.service
    return service if isinstance(service, ServiceState) and service.load == "loaded" else None


def _stopped(backend: Backend, seen: Observation) -> Finding | None:
    service = _startable(seen)
    if service is None or service.state not in _STOPPED:
        return None
    return Finding(
        f"{service.name} is stopped",
        subject=service.name,
        seen=" ".join(filter(None, (service.state, service.sub, service.result))),
        expected="running",
        remedy="it is started",
    )


def _has_failed(service: ServiceState) -> bool:
    return service.state in _FAILED or service.sub == "auto-restart"


def _hit_start_limit(service: ServiceState) -> bool:
    """Tell by the log, too: after a crash loop `Result` is the crash's."""
    limited = service.start_limit or service.result == "start-limit-hit"
    return service.state == "failed" and limited


def _start_limit_hit(backend: Backend, seen: Observation) -> Finding | None:
    service = _startable(seen)
    if service is None or not _hit_start_limit(service):
        return None
    return Finding(
        f"{service.name} has failed so often that systemd starts it no more",
        subject=service.name,
        seen=_why(service),
        expected="running",
        remedy="it is started once what it needs is sound, and its start limit reset",
    )


def _failed(backend: Backend, seen: Observation) -> Finding | None:
    service = _startable(seen)
    if service is None or not _has_failed(service):
        return None
    if _hit_start_limit(service) or _is_looping(seen, service):
        return None
    return Finding(
        f"{service.name} has failed",
        subject=service.name,
        seen=_why(service),
        expected="running",
        remedy="it is restarted once what it needs is sound",
    )


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


def _is_looping(seen: Observation, service: ServiceState) -> bool:
    """Tell a crash loop in one look: `active` says nothing, each life of it may take seconds.

    NRestarts counts since the last start by hand: 37 of a process that is 9 days old are history.
    """
    if (service.restarts or 0) >= 2 and service.sub == "auto-restart":
        return True
    now = seen.machine.now if isinstance(seen.machine, Machine) else None
    if now is None or not service.active or service.started is None:
        return False
    again = (service.restarts or 0) >= 2 and 0 <= now - service.started < _YOUNG
    return again or _workers_are_looping(service, now)


def _workers_are_looping(service: ServiceState, now: float) -> bool:
    return len(service.crashes) >= 2 and now - service.crashes[-1] < _YOUNG


def _crash_looping(backend: Backend, seen: Observation) -> Finding | None:
    """Find a crash loop; where this run has mended nothing, its cause is nothing that we see."""
    service = _startable(seen)
    if service is None or not _is_looping(seen, service):
        return None
    how = f"restarted {service.restarts} times by systemd"
    if not service.restarts:
        how = f"{len(service.crashes)} crashes of its workers, while {service.name} stays active"
    exception = _last_exception(service)
    cause_unknown = not seen.done
    return Finding(
        f"{service.name} crashes again and again",
        subject=service.name,
        seen=f"{how}; {exception}",
        expected="one start that lasts",
        remedy=f"nothing that it needs is known to be broken; {exception}"
        if cause_unknown
        else "it is restarted, now that its cause is mended",
        by_person=cause_unknown,
    )


def _port_held(backend: Backend, seen: Observation) -> Iterator[Finding]:
    service = _startable(seen)
    if service is None or not isinstance(service.log, tuple):
        return
    listening = service.listening if isinstance(service.listening, tuple) else ()
    own = {one.port for one in listening if one.unit == service.name}
    held: dict[int, Listener] = {}
    for one in listeners.holders(service.log, listening, service.name):
        unseen = one.pid is None and service.active  # then it may be the service itself
        if one.port not in own and not unseen:
            held.setdefault(one.port, one)
    for port, one in held.items():
        program = one.program or "another process"
        yield Finding(
            f"port {port}, which {service.name} wants, is held by {program}",
            subject=str(port),
            seen=_holder(one),
            expected=f"{service.name} listens there",
            remedy=_next_step(one),
        )


def _holder(one: Listener) -> str:
    if one.pid is None:
        return "which process it is, the kernel does not show"
    unit = one.unit or "no unit"
    return f"pid {one.pid} of user {one.user}, in {unit}, since {moment(one.started)}"


def _next_step(holder: Listener) -> str:
    if holder.unit.endswith(".service"):
        return f"stop it (systemctl stop {holder.unit}), or give one of the two another port"
    end = f"(kill {holder.pid})" if holder.pid else "(ss -ltnp)"
    return f"find out whose it is, and end it {end}; then run again"


PORT_HELD = Fault(
    "service.port-held",
    _port_held,
    about="another process holds the service's port",
    remedy="end that process, or give one of the two another port",
    check=("ss -ltnp 'sport = :PORT'", "journalctl -u UNIT -n 50"),
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
    _failed,
    restart_failed,
    symptom_of=_CAUSES,
    about="the service has failed",
    remedy="once its cause is mended it is restarted",
    check=(
        "systemctl status UNIT",
        "journalctl -u UNIT -n 80",
        "supervisorctl -c CONFIG tail PROGRAM",
    ),
)
CRASH_LOOPING = Fault(
    "service.crash-looping",
    _crash_looping,
    restart_failed,
    symptom_of=_CAUSES,
    about="the service crashes again and again",
    remedy="once its cause is mended it is restarted; else read its last exception",
    check=(
        "systemctl show UNIT -p NRestarts,ExecMainStartTimestamp",
        "journalctl -u UNIT -n 80",
        "supervisorctl -c CONFIG tail PROGRAM",
    ),
)
