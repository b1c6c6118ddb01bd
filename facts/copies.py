"""A second copy of the same program: started by hand, or left over, and nobody's service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.facts import listeners
from relogin.finding import Unreadable
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.remote import Answer

# Any user may read command lines (proc(5)), so this needs neither root nor ss. Two are copies if
# they run the same tool on the same application (uvicorn main:app) out of the same bin folder, or,
# where that is said by a relative path, in the same working directory. What descends from the
# service's main process `$pid`, or is in the control group of `$unit`, is the service itself.
# `$command` is what it would run where it does not. A copy's own workers, which gunicorn forks with
# the same command line, end with it.
SCRIPT = """\
named() {
  set -f; set -- $1; set +f
  tool=; application=; ports=; before=; bin=${1%/*}
  case ${1##*/} in python*) shift ;; esac
  [ "$1" != -m ] || shift
  tool=${1##*/}
  for word in "$@"; do
    case $before in --port | -p) ports="$ports $word" ;; esac
    case $word in
      --port=[0-9]*) ports="$ports ${word#*=}" ;;
      *:[0-9]*) ports="$ports ${word##*:}" ;;
      -*) ;;
      *:[A-Za-z_]* | *.wsgi | *.asgi) application=${application:-$word} ;;
    esac
    before=$word
  done
}
is_the_service() {
  at=$1; up=0
  while [ "${pid:-0}" -gt 0 ] && [ "${at:-0}" -gt 1 ] && [ $up -lt 6 ]; do
    [ "$at" != "$pid" ] || return 0
    stat=; read -r stat <"/proc/$at/stat"; stat=${stat##*) }; stat=${stat#* }
    at=${stat%% *}; up=$((up + 1))
  done
  [ -n "$unit" ] && grep -q "/$unit\\$" "/proc/$1/cgroup"
}
is_forked() {
  stat=; read -r stat <"/proc/$1/stat"; stat=${stat##*) }; stat=${stat#* }
  [ "$(tr '\\000' ' ' <"/proc/${stat%% *}/cmdline")" = "$2" ]
}
copies() { look_for_copies 2>/dev/null; }
look_for_copies() {
  [ -n "$command" ] || command=$(tr '\\000' ' ' <"/proc/$pid/cmdline") || return 0
  named "$command"
  [ -n "$application" ] || return 0
  mine="$tool $application"; mine_bin=$bin; others=; mine_ports=$ports
  for f in $(grep -lsF -e "$application" /proc/[0-9]*/cmdline); do
    p=${f#/proc/}; p=${p%/*}; [ "$p" != "$pid" ] || continue
    line=$(tr '\\000' ' ' <"$f") || continue
    named "$line"
    [ "$tool $application" = "$mine" ] || continue
    case $bin in
      "$mine_bin") ;;
      /*) continue ;;
      *) [ "/proc/$p/cwd" -ef "$folder" ] || continue ;;
    esac
    is_the_service "$p" || is_forked "$p" "$line" || others="$others
|$p|${tool##*/}|$(process_of "$p")|$ports"
  done
  [ -n "$others" ] || return 0
  since_boot; printf '%s%s\\n' "$mine_ports" "$others"
}"""


@dataclass(frozen=True)
class Copy:
    """A process that runs what the service runs, and is not of it; fields as a Listener has them.

    `same_port` tells whether its command line names the ports that the service's names.
    """

    pid: int | None
    program: str
    user: str
    unit: str
    started: float | None
    same_port: bool

    @property
    def apart(self) -> bool:
        """Tell whether it may well be meant: a service of its own, on another port."""
        return not self.same_port and self.unit.endswith(".service")


def parse(answer: Answer | None) -> tuple[Copy, ...] | Unreadable:
    """Take apart what `copies` wrote."""
    if answer is None or answer.status != 0:
        return Unreadable("the command lines of processes could not be read")
    if len(answer.lines) < 4:
        return ()
    ports = answer.lines[2].split()
    rows = [line.rpartition("|") for line in answer.lines[3:] if line.count("|") == 6]
    booted = listeners.booted(answer.lines)
    return tuple(
        Copy(*listeners.process(row.split("|"), booted), said.split() == ports)
        for row, _, said in rows
    )
