"""One changing run for each backend of a host, whichever deploy it is: a lease, kept on the host.

A run takes it before its first change, looks at the host again, renews it with each change, and
gives it up at its end. Whoever finds it held changes nothing. That of a run that died ends by
itself, a minute after its last change, or at once for a run on the machine where it died.

A lease is a file of six lines: until when (Unix time, by the host's clock), the run, on which
machine and as which process it runs, whose it is, the topmost folder that was made for it, which
goes with it, and since when: one that begins in the future has ended, for the clock was set back.
Its name is a number, the highest one counts: a new one is only ever made beside the former
(O_EXCL), so of two runs one comes first.
"""

from __future__ import annotations

import hmac
import os
import socket
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from relogin import remote, shell, undo
from relogin.facts import hold
from relogin.finding import Unreadable, legible
from relogin.report.document import operator
from relogin.undo.store import place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.run import Entry

HELD_FOR = 60  # seconds after the end of a change
_HELD = 75  # what `lease take` ends with, and says, where somebody else has it
_DEADLINE = 30
# What is under /run is gone after a reboot, as is every run (hier(7)). A shell of its own: nothing
# of it, its umask above all, may be left to the change.
_PLACE = """\
lease() (
if [ "$(id -u)" = 0 ] && [ -z "${{XDG_STATE_HOME:-}}" ]; then kept=/run/relogin-lease/{name}
else
{place}fi
mine={mine} gone={gone} at={at} by={by}
"""
_LEASE = """\
of_last() {
  until=0; run=; made=; since=0; last=0
  for one in "$kept"/*; do
    n=${one##*/}
    case $n in *[!0-9]*) ;; *) [ "$n" -le "$last" ] || last=$n ;; esac
  done
  [ "$last" = 0 ] || {
    IFS= read -r until; IFS= read -r run; IFS= read -r whose_at; IFS= read -r whose
    IFS= read -r made; IFS= read -r since
  } <"$kept/$last"
  case $until in '' | *[!0-9]*) until=0 ;; esac
  case $since in '' | *[!0-9]*) since=0 ;; esac
} 2>/dev/null
lines() {
  now=$(date +%s)
  printf '%s\\n' "$((now + $1))" "$mine" "$at" "$by" "$made" "$now"
}
take() {
  umask 077
  up=$kept; first=
  while [ -n "$up" ] && [ ! -e "$up" ]; do first=$up; up=${up%/*}; done
  mkdir -p "$kept" || return 1
  for _ in 1 2 3 4 5; do
    of_last
    now=$(date +%s); left=$((until - now))
    [ "$since" -le $((now + 5)) ] || left=0 # the clock was set back: its end may be years away
    if [ "$run" = "$mine" ] && [ "$left" -gt 2 ]; then
      lines "$1" >"$kept/new" && mv -f "$kept/new" "$kept/$last"
      return
    fi
    if [ "$run" != "$mine" ] && [ "$run" != "$gone" ] && [ "$left" -gt 0 ]; then break; fi
    next=$((last + 1)); made=${first:-$made}
    lines "$1" >"$kept/new.$mine" || return 1
    ln "$kept/new.$mine" "$kept/$next" 2>/dev/null
    rm -f "$kept/new.$mine"
    of_last
    [ "$run" = "$mine" ] || continue
    for one in "$kept"/*; do [ "$one" = "$kept/$last" ] || rm -f "$one"; done
  done
  printf '#held %s\\n' "$until" "$run" "$whose_at" "$whose"
  return 75 # sysexits.h, EX_TEMPFAIL
}
give_up() {
  of_last
  [ "$run" = "$mine" ] || return 0
  rm -f "$kept/$last"
  up=$kept
  while rmdir "$up" && [ "$up" != "${made:-$kept}" ]; do up=${up%/*}; done
} 2>/dev/null
"$@"
)
"""
_GUARDED = """\
lease take {during} || exit $?
(
{script}
)
status=$?
lease take {after} >/dev/null
exit $status
"""
# Read again with the lease: who takes a run back has not looked at the rest.
_UNLESS_DISABLED = """\
said=$(
{look})
[ -z "$said" ] || {{ printf '%s\\n' "$said" | sed 's/^/!/'; exit 75; }}
"""


def take(host: Host, record: Entry) -> str:
    """Take the lease, or renew it; give who else has it, in one line, and nothing if it is ours.

    It is not to be had where somebody has disabled relogin. Where the outcome is unknown the record
    is halted.
    """
    why = _asked(host, record, "")
    if why and (run := _of_the_dead(record)):
        why = _asked(host, record, run)
    return why


def guarded(backend: Backend, script: str, deadline: float) -> str:
    """Give the script of a change that runs only under our lease, and renews it."""
    during, after = int(deadline) + HELD_FOR, HELD_FOR
    return _head(backend) + _GUARDED.format(during=during, after=after, script=script)


def give_up(host: Host, record: Entry) -> None:
    """Let others have it at once."""
    if record.leased and record.halted is None:
        record.leased = False
        remote.change(host, f"{_head(record.backend)}lease give_up\n:\n", deadline=_DEADLINE)


def held_by(answer: remote.Answer) -> tuple[str, str, str] | None:
    """Give who has the lease if a script ended for that: in one line, the run, and where it is."""
    said = [line.removeprefix("#held ") for line in answer.lines if line.startswith("#held ")]
    if answer.status != _HELD or len(said) != 4 or not said[0].isdigit():
        return None
    return _told(*said)


def among(held: Sequence[str], backend: Backend) -> tuple[str, str, str] | None:
    """Give who changes a backend, as `held_by` does, else another one there; None for nobody.

    `held` is the host's time and then, of each lease, its file and what it says (relogin.shell).
    """
    found: dict[str, tuple[int, list[str]]] = {}
    now, *rest = held or ("",)
    for said in "\n".join(rest).split("#lease ")[1:]:
        file, *lines = said.splitlines()
        folder, _, number = file.rpartition("/")
        last = found.get(folder, (0, []))[0]
        if number.isdecimal() and int(number) > last:
            found[folder] = int(number), [line[1:] for line in lines]
    holders = {
        PurePosixPath(folder.removesuffix("/lease")).name: lines
        for folder, (_, lines) in found.items()
        if len(lines) == 4 and all(one.isdecimal() for one in (now, lines[0]))
        if int(lines[0]) > int(now)
    }
    if (mine := holders.get(backend.name)) is not None:
        return _told(*mine)
    return next((_told(*lines, what=name) for name, lines in holders.items()), None)


def _told(until: str, run: str, at: str, whose: str, *, what: str = "it") -> tuple[str, str, str]:
    end = time.strftime("%H:%M:%S", time.localtime(int(until)))
    run, at, whose, what = map(legible, (run, at, whose, what))
    return f"{whose} is changing {what} now (run {run}, until {end} at the latest)", run, at


def _asked(host: Host, record: Entry, gone: str) -> str:
    disabled = hold.script(record.backend)
    script = _UNLESS_DISABLED.format(look=disabled) + _head(record.backend, gone)
    answer = remote.change(host, f"{script}lease take {HELD_FOR}\n", deadline=_DEADLINE)
    if isinstance(answer, Unreadable):
        record.halted = answer.reason
        record.holder = among(answer.held, record.backend)
        return record.holder[0] if record.holder else answer.reason
    if said := [line[1:] for line in answer.lines if line.startswith("!")]:
        found = hold.parse(remote.Answer("\n".join(said).encode(), 0))
        return found.said if isinstance(found, hold.Hold) else "disabled, by nobody who can be read"
    record.holder = held_by(answer)
    if record.holder is not None:
        return record.holder[0]
    if answer.status:
        return f"no lease can be kept there: {' '.join(map(legible, answer.lines[-1:]))}"
    record.leased = True
    return ""


def _head(backend: Backend, gone: str = "") -> str:
    words = {
        "name": shell.quote(backend.name),
        "place": place(backend, "lease"),
        "mine": undo.run_id(),
        "gone": shell.quote(gone or undo.run_id()),
        "at": shell.quote(f"{_machine()} {os.getpid()}"),
        "by": shell.quote(legible(operator())),
    }
    return _PLACE.format(**words) + _LEASE


def _machine() -> str:
    """Give what tells this machine from others: its id, hashed as machine-id(5) wants it."""
    try:
        known = Path("/etc/machine-id").read_bytes()
    except OSError:
        known = socket.gethostname().encode()
    return hmac.new(b"relogin lease", known, "sha256").hexdigest()[:16]


def _of_the_dead(record: Entry) -> str:
    """Give the holder's run if it was a process of this machine that is no more."""
    if record.holder is None:
        return ""
    _, run, at = record.holder
    machine, _, process = at.partition(" ")
    if machine != _machine() or not process.isdigit():
        return ""
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return run
    except OSError:
        pass
    return ""
