"""Who listens on which port: the process, its user, the unit that it belongs to, since when."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relogin.facts import file
from relogin.finding import Unreadable
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.remote import Answer

# `since_boot` is what start times are reckoned from: /proc/PID/stat has them in ticks after boot.
# Other users' processes are shown to root alone (ss(8), -p). One socket may have several.
SCRIPT = """\
since_boot() { stat -Lc %z /proc/self; cut -d ' ' -f 1 /proc/uptime; }
process_of() {
  printf '%s|%s|%s' "$(stat -Lc %U "/proc/$1")" \\
    "$(sed -n 's/^0:://p; s/^[0-9]*:name=systemd://p' "/proc/$1/cgroup" | tr '\\n' ' ')" \\
    "$(sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20)"
}
ports() {
  [ "$uid" = 0 ] || return 4
  since_boot
  within 8 ss -Hltnp | while read -r _ _ _ address _ users; do
    name=${users#*'(("'}; name=${name%%'"'*}
    case $users in *pid=*) ;; *) printf '%s||||||\\n' "$address" ;; esac
    while :; do
      case $users in *pid=*) users=${users#*pid=} ;; *) break ;; esac
      p=${users%%,*}
      printf '%s|%s|%s|%s\\n' "$address" "$p" "$name" "$(process_of "$p")"
    done
  done
  return 0
}"""
TICKS = 100  # sysconf(_SC_CLK_TCK) is 100 on every Linux that Debian, Ubuntu or Alpine ship
# uvicorn: "[Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address
# already in use"; gunicorn: "Connection in use: ('127.0.0.1', 8000)".
_WANTED = re.compile(
    r"(?:bind on address|Connection in use:) \('(?P<address>[^']*)', (?P<port>\d+)"
)
# Of any address, or of one that a log has lost as a value of the service's environment.
_ANY = {"*", "0.0.0.0", "::", "", "***"}  # noqa: S104 # compared with, not bound to


@dataclass(frozen=True)
class Listener:
    """A process that listens; `started` is in epoch seconds of the host's clock.

    `pid` is None, and all else empty, of a process that the kernel does not show (containers).
    """

    address: str
    port: int
    pid: int | None
    program: str
    user: str
    unit: str
    started: float | None


def parse(answer: Answer | None) -> tuple[Listener, ...] | Unreadable:
    """Take apart what `ports` wrote."""
    if answer is None or answer.status != 0:
        return Unreadable("who listens on a port is shown to root alone")
    boot = booted(answer.lines)
    split = (line.split("|") for line in answer.lines[2:])
    return tuple(_listener(fields, boot) for fields in split if len(fields) >= 6)


def booted(lines: list[str]) -> float:
    """Give when the host was started, from the two lines of `since_boot`."""
    return file.epoch(lines[0]) - float(lines[1])


def process(fields: list[str], boot: float) -> tuple[int | None, str, str, str, float | None]:
    """Give the pid, program, user, unit and start time out of a row `…|pid|program|process_of`."""
    _, pid, program, user, group, ticks, *_ = fields
    groups = [path.rstrip("/").rpartition("/")[2] for path in group.split()]
    started = boot + int(ticks) / TICKS if ticks.isdigit() else None
    unit = next((name for name in groups if name), "")
    return int(pid) if pid else None, program, user, unit, started


def _listener(fields: list[str], boot: float) -> Listener:
    host, _, port = fields[0].rpartition(":")
    return Listener(host.strip("[]"), int(port), *process(fields, boot))


def holders(log: tuple[str, ...], listening: tuple[Listener, ...]) -> list[Listener]:
    """Give the processes on a port that this log says was already in use."""
    wanted = {
        (said["address"], int(said["port"])) for line in log for said in _WANTED.finditer(line)
    }
    return [
        one
        for one in listening
        if any(one.port == port and _meet(one.address, address) for address, port in wanted)
    ]


def _meet(one: str, other: str) -> bool:
    return one == other or one in _ANY or other in _ANY
