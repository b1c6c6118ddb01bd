"""Faults of processes: others on the service's port or beside it, and those that are killed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts import listeners
from relogin.facts.machine import Machine
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations import by_hand
from relogin.operations.service_control import moment
from relogin.operations.service_down import is_looping, startable
from relogin.parts.runtime import Supervisor

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.copies import Copy
    from relogin.facts.listeners import Listener
    from relogin.facts.observation import Observation
    from relogin.facts.service import ServiceState

_LATELY = 600  # seconds


def _port_held(backend: Backend, seen: Observation) -> Iterator[Finding]:
    service = startable(seen)
    if service is None or not isinstance(service.log, tuple):
        return
    listening = service.listening if isinstance(service.listening, tuple) else ()
    under_systemd = not isinstance(backend.service, Supervisor)
    own = {one.port for one in listening if _is_own(service, one, under_systemd=under_systemd)}
    held: dict[int, Listener] = {}
    for one in listeners.holders(service.log, listening):
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
            remedy=_next_step(one, under_systemd=under_systemd),
        )


def _is_own(service: ServiceState, one: Listener, *, under_systemd: bool) -> bool:
    """Tell a socket of the service: supervisord's programs are all in the unit of supervisord."""
    return one.unit == service.name if under_systemd else one.pid == service.main_pid is not None


def _holder(one: Listener | Copy) -> str:
    if one.pid is None:
        return "which process it is, the kernel does not show"
    unit = one.unit or "no unit"
    return f"pid {one.pid} of user {one.user}, in {unit}, since {moment(one.started)}"


def _next_step(holder: Listener | Copy, *, under_systemd: bool) -> str:
    if under_systemd and holder.unit.endswith(".service"):
        return f"stop it (systemctl stop {holder.unit}), or give one of the two another port"
    end = f"(kill {holder.pid})" if holder.pid else "(ss -ltnp)"
    return f"find out whose it is, and end it {end}; then run again"


def _two_copies(backend: Backend, seen: Observation) -> Iterator[Finding]:
    """Find a second copy that is not meant."""
    service = startable(seen)
    copies = service.copies if service is not None and service.active else ()
    for copy in copies if isinstance(copies, tuple) else ():
        if service is None or copy.apart:
            continue
        beside = "on the same port" if copy.same_port else "on another port"
        yield Finding(
            f"a second copy of {service.name} runs {beside}",
            subject=str(copy.pid),
            seen=_holder(copy),
            expected=f"{service.name} alone",
            remedy=_next_step(copy, under_systemd=not isinstance(backend.service, Supervisor)),
            severity=Severity.CRITICAL if copy.same_port else Severity.WARNING,
        )


def _killed_for_memory(backend: Backend, seen: Observation) -> Finding | None:
    """Find kills for memory: said so by systemd, the kernel or gunicorn, or under a limit.

    With control groups of version 1 systemd only sees SIGKILL (systemd.service(5), OOMPolicy=).
    """
    service = startable(seen)
    if service is None:
        return None
    looping, told = is_looping(seen, service), _lately(seen, service.out_of_memory)
    limited = service.memory_limit is not None and len(_lately(seen, service.kills)) >= 2
    if not told and service.result != "oom-kill" and not limited:
        return None
    times = len(told) if told else len(_lately(seen, service.kills)) or 1
    limit = f", its MemoryMax is {(service.memory_limit or 0) >> 20} MB"
    again = times >= 2 or looping
    return Finding(
        f"{service.name} is killed where memory runs out",
        subject=service.name,
        seen=f"{times} times lately" + limit * (service.memory_limit is not None),
        remedy="give it more memory or fewer workers, or find what fills it (journalctl -k)",
        severity=Severity.CRITICAL if again else Severity.WARNING,
    )


def _lately(seen: Observation, times: tuple[float, ...]) -> list[float]:
    now = seen.machine.now if isinstance(seen.machine, Machine) else 0.0
    return [at for at in times if abs(now - at) < _LATELY]


def _workers_hang(backend: Backend, seen: Observation) -> Finding | None:
    service = startable(seen)
    killed = _lately(seen, service.timeouts) if service is not None else []
    if service is None or len(killed) < 2:
        return None
    return Finding(
        f"workers of {service.name} hang, and are killed for it",
        subject=service.name,
        seen=f"{len(killed)} WORKER TIMEOUT, the last at {moment(killed[-1])}",
        remedy="see what they wait for: the database, a full pool of connections, a slow upstream"
        f" ({by_hand.log(backend.service)})",
    )


PORT_HELD = Fault(
    "service.port-held",
    _port_held,
    about="another process holds the service's port",
    remedy="end that process, or give one of the two another port",
    check=("ss -ltnp 'sport = :PORT'", "journalctl -u UNIT -n 50"),
)
TWO_COPIES = Fault(
    "service.two-copies",
    _two_copies,
    about="a second copy of the service runs beside it",
    remedy="end the one that nobody's process manager knows",
    check=("ps -eo pid,ppid,user,lstart,args", "ss -ltnp 'sport = :PORT'", "systemctl status UNIT"),
)
KILLED_FOR_MEMORY = Fault(
    "service.killed-for-memory",
    _killed_for_memory,
    about="the service is killed where memory runs out",
    remedy="give it more memory or fewer workers, or find what fills it",
    check=(
        "systemctl show UNIT -p Result,NRestarts,MemoryMax,MemoryCurrent",
        "journalctl -k | grep -i 'killed process'",
        "free -m",
    ),
)
WORKERS_HANG = Fault(
    "service.workers-hang",
    _workers_hang,
    about="workers do not answer, and are killed for it",
    remedy="see what they wait for",
    check=("journalctl -u UNIT | grep 'WORKER TIMEOUT'",),
)
