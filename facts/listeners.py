"""Who listens on which port: the process, its user, the unit that it belongs to, since when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relogin.facts import file
from relogin.finding import Unreadable

if TYPE_CHECKING:
    from relogin.remote import Answer

# Other users' processes are shown to root alone (ss(8), -p). One socket may have several.
SCRIPT = """\
ports() {
  [ "$uid" = 0 ] || return 4
  stat -Lc %z /proc/self; cut -d ' ' -f 1 /proc/uptime
  within 8 ss -Hltnp | while read -r _ _ _ address _ users; do
    name=${users#*'(("'}; name=${name%%'"'*}
    case $users in *pid=*) ;; *) printf '%s||||||\\n' "$address" ;; esac
    while :; do
      case $users in *pid=*) users=${users#*pid=} ;; *) break ;; esac
      p=${users%%,*}
      printf '%s|%s|%s|%s|%s|%s\\n' "$address" "$p" "$name" "$(stat -Lc %U "/proc/$p")" \\
        "$(sed -n 's/^0:://p; s/^1:name=systemd://p' "/proc/$p/cgroup" | tr '\\n' ' ')" \\
        "$(sed 's/.*) //' "/proc/$p/stat" | cut -d ' ' -f 20)"
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
_ANY = {"*", "0.0.0.0", "::", ""}  # noqa: S104 # compared with, not bound to


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
    now, uptime, *lines = answer.lines
    booted = file.epoch(now) - float(uptime)
    split = (line.split("|") for line in lines)
    return tuple(_listener(fields, booted) for fields in split if len(fields) >= 6)


def _listener(fields: list[str], booted: float) -> Listener:
    address, pid, program, user, group, ticks, *_ = fields
    host, _, port = address.rpartition(":")
    groups = [path.rstrip("/").rpartition("/")[2] for path in group.split()]
    started = booted + int(ticks) / TICKS if ticks.isdigit() else None
    unit = next((name for name in groups if name), "")
    known = int(pid) if pid else None
    return Listener(host.strip("[]"), int(port), known, program, user, unit, started)


def holders(log: tuple[str, ...], listening: tuple[Listener, ...], unit: str) -> list[Listener]:
    """Give the processes outside the unit on a port that its log says was already in use."""
    wanted = {
        (said["address"], int(said["port"])) for line in log for said in _WANTED.finditer(line)
    }
    return [
        one
        for one in listening
        if one.unit != unit
        and any(one.port == port and _meet(one.address, address) for address, port in wanted)
    ]


def _meet(one: str, other: str) -> bool:
    return one == other or one in _ANY or other in _ANY
