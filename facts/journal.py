"""What the journal says of a unit: its last start, how its processes ended, what they raised."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from relogin.facts import auth_log, service_state
from relogin.finding import Unreadable
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.remote import Answer

Secrets = Mapping[str, str] | None
# Of older lines only those that tell of a start, or of a worker that died: a traceback is long.
TELLING = (
    r"systemd\[1\]: Start|: Process [A-Za-z]*Process-[0-9]+:|exited with code [1-9]"
    rf"|{auth_log.TELLING}"
    r"|status=9.KILL|OOM killer|Worker \(pid:[0-9]+\) was sent|WORKER TIMEOUT"
)
_LINE = re.compile(r"(?P<time>\S+) \S+ (?P<process>[^:]+): ?(?P<message>.*)")
# Without its environment file a unit is not even started, and systemd says so first.
_START = re.compile(r"Started |Starting |\S+: Failed to load environment files")
# multiprocessing says it of a child that an exception ends (uvicorn's), gunicorn of its workers.
_CRASHED = re.compile(r"Process \w*Process-\d+:|.*Worker \(pid:\d+\) exited with code [1-9]")
# systemd says it where control groups are of version 2, gunicorn of a worker; the kernel where
# anybody asks it.
_OUT_OF_MEMORY = re.compile(
    r".*killed by the OOM killer|.*was sent SIGKILL! Perhaps out of memory|oom-kill:.*task_memcg="
)
_KILLED = re.compile(r".*Main process exited, code=killed, status=9/KILL")
_TIMEOUT = re.compile(r".*WORKER TIMEOUT \(pid:\d+\)")
_REASON = re.compile(r"\S+\.\w+: (Failed (?!with result|to run).*|Changing to .* failed: .*)")


@dataclass(frozen=True)
class Line:
    """A line of the journal."""

    time: str
    process: str
    message: str

    def __str__(self) -> str:
        return f"{self.time} {self.process}: {self.message}"

    @property
    def starts(self) -> bool:
        """Tell whether systemd says here that the unit is started."""
        by_systemd = self.process.startswith("systemd[")
        return by_systemd and _START.match(self.message) is not None

    @property
    def epoch(self) -> float:
        return datetime.fromisoformat(self.time).timestamp()


def log(answer: Answer | None, secrets: Secrets) -> list[Line] | Unreadable:
    """Take apart what journalctl wrote, without secrets."""
    if answer is not None and answer.status == 5:
        return Unreadable("journalctl took longer than 8 s")
    if answer is None or answer.status != 0:
        return Unreadable("the journal can be read by root and the group systemd-journal alone")
    return parse(answer.text.decode("utf-8", "replace"), secrets)


def parse(text: str, secrets: Secrets) -> list[Line]:
    """Give the lines of a text in journalctl's format `short-iso`."""
    found = (_LINE.fullmatch(line) for line in service_state.clean(text, secrets).split("\n"))
    return [Line(line["time"], line["process"], line["message"]) for line in found if line]


def of_last_start(lines: list[Line]) -> tuple[Line, ...]:
    """Give the lines since the unit's last start."""
    starts = [number for number, line in enumerate(lines) if line.starts]
    return tuple(lines[starts[-1] :] if starts else lines)


def exceptions(lines: Sequence[Line] | Unreadable) -> tuple[str, ...]:
    """Give the last lines of the tracebacks, oldest first."""
    if isinstance(lines, Unreadable):
        return ()
    return tuple(service_state.exceptions((line.process, line.message) for line in lines))


def crashes(lines: Sequence[Line]) -> tuple[float, ...]:
    """Give when workers crashed whose parent runs on."""
    return tuple(line.epoch for line in lines if _CRASHED.match(line.message))


def timeouts(lines: Sequence[Line]) -> tuple[float, ...]:
    """Give when workers were killed by their own parent, since they did not answer."""
    return tuple(line.epoch for line in lines if _TIMEOUT.match(line.message))


def kills(lines: Sequence[Line] | Unreadable) -> tuple[float, ...]:
    """Give when the unit's main process ended by SIGKILL."""
    if isinstance(lines, Unreadable):
        return ()
    return tuple(line.epoch for line in lines if _KILLED.match(line.message))


def out_of_memory(lines: Sequence[Line] | Unreadable) -> tuple[float, ...]:
    """Give when a process was killed for memory."""
    if isinstance(lines, Unreadable):
        return ()
    return tuple(line.epoch for line in lines if _OUT_OF_MEMORY.match(line.message))


def reason(lines: Sequence[Line]) -> str:
    """Give why systemd could not start it, in its words."""
    found = [said[1] for line in lines if (said := _REASON.fullmatch(line.message))]
    return found[-1] if found else ""
