"""A schedule on a control machine: its units, its secrets by hash, and whether it could run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import remote, shell
from relogin.facts import alone
from relogin.finding import Unreadable, legible
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand
    from pyinfra.api.host import Host

    from relogin.remote import Answer
    from relogin.schedule import Schedule

_DEADLINE = 60
# `say KEY VALUE`: one line each. A file: its sum, its mode and owner, its first line, the sum of
# the rest. What the service is given is named in it, so that no list of ours can be lost.
_STATE = """\
say() { printf '%s\\t%s\\n' "$1" "$2"; }
sum() { sha256sum | cut -c 1-64; }
name={name}
say uid "$uid"
awk '$5 == "/" && / shared:/ { ok = 1 } END { exit !ok }' /proc/self/mountinfo || say private yes
[ ! -d /run/systemd/system ] || say systemd yes
file() {
  if [ -L "$1" ] || { [ -e "$1" ] && [ ! -f "$1" ]; }; then say "file $1" odd
  elif [ -e "$1" ]; then say "file $1" "$(sum <"$1") $(stat -c '%a %U:%G' "$1")"; fi
}
for unit in "$name.service" "$name.timer"; do
  at=/etc/systemd/system/$unit
  file "$at"
  if [ -f "$at" ] && [ ! -L "$at" ]; then
    say "first $at" "$(head -n 1 "$at")"; say "rest $at" "$(tail -n +2 "$at" | sum)"
  fi
  say "reload $unit" "$(systemctl show -P NeedDaemonReload "$unit")"
  say "from $unit" "$(systemctl show -P FragmentPath "$unit")"
done
for one in /etc/relogin/"$name"/*; do file "$one"; done
sed -n 's/^LoadCredential=[^:]*://p' "/etc/systemd/system/$name.service" |
  while IFS= read -r one; do say given "$one"; done
say enabled "$(systemctl is-enabled "$name.timer")"
say active "$(systemctl is-active "$name.timer")"
say result "$(systemctl show -P Result "$name.service")"
say next "$(systemctl show -P NextElapseUSecRealtime "$name.timer")"
say last "$(systemctl show -P LastTriggerUSec "$name.timer")"
"""
_CHECKS = """\
wrong() {
  what=$1; shift
  said=$("$@" 2>&1 >/dev/null) || say "wrong $what" "$(printf %s "$said" | tr '\\n\\t' '  ')"
}
wrong on_calendar systemd-analyze calendar {calendar}
case $(systemd-analyze calendar {calendar} 2>/dev/null) in
  *'Next elapse: never'*) say 'wrong on_calendar' 'it never comes again' ;;
esac
wrong delay systemd-analyze timespan {delay}
wrong longest systemd-analyze timespan {longest}
wrong user id -u {user}
relogin=$(command -v {command}); say command "$relogin"
cd {folder} || say 'wrong directory' 'it cannot be entered'
[ -z {inventory} ] || as_user {user} test -r {inventory} || say 'wrong inventory' unreadable
if [ -n "$relogin" ]; then
  helped=$(as_user {user} "$relogin" drift --help 2>&1) || say 'wrong command' "$relogin fails"
  case $helped in *--healed-ok*) ;; *) say old yes ;; esac
fi
! grep -q '@local' {inventory} </dev/null || say local yes
for one in {writes}; do [ -d "$one" ] || say 'wrong writes' "$one is no folder"; done
"""


@dataclass(frozen=True)
class TimerState:
    """What is there of a schedule: all that was said, by what it is about.

    `given` are the secrets' paths that the present service names, `files` of each path its sum,
    mode and owner, `wrong` of a field of the schedule why it cannot be.
    """

    said: dict[str, str]
    given: tuple[str, ...]

    @property
    def files(self) -> dict[str, str]:
        return self._about("file")

    @property
    def wrong(self) -> dict[str, str]:
        return self._about("wrong")

    def of(self, what: str) -> str:
        """Give what was said of one thing; empty for nothing."""
        return self.said.get(what, "")

    def to_json(self) -> dict[str, Any]:
        names = ("enabled", "active", "result", "next", "last")
        return {name: legible(self.of(name)) for name in names}

    def _about(self, kind: str) -> dict[str, str]:
        start = f"{kind} "
        return {
            key.removeprefix(start): value
            for key, value in self.said.items()
            if key.startswith(start)
        }


def script(name: str, schedule: Schedule | None = None) -> str:
    """Give the script that looks at the schedule of this name, and whether one could run there."""
    state = _STATE.replace("{name}", shell.quote(name))
    return state if schedule is None else state + _checks(schedule)


def _checks(schedule: Schedule) -> str:
    literal = schedule.inventory.startswith("@")
    values = {
        "calendar": shell.quote(schedule.on_calendar),
        "delay": shell.quote(schedule.delay),
        "longest": shell.quote(schedule.longest),
        "user": shell.quote(schedule.user),
        "command": shell.quote(schedule.command or "relogin"),
        "folder": shell.quote(schedule.folder),
        "inventory": shell.quote("" if literal else schedule.inventory),
        "writes": shell.words(schedule.writes),
    }
    text = _CHECKS
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def parse(answer: Answer) -> TimerState | Unreadable:
    """Take the answer apart."""
    pairs = [line.split("\t", 1) for line in answer.lines if "\t" in line]
    said = {key: value.strip() for key, value in pairs if key != "given"}
    if "uid" not in said:
        return Unreadable("the look at the schedule was cut short")
    return TimerState(said, tuple(value for key, value in pairs if key == "given"))


def _known(answer: Answer) -> TimerState | Unreadable | None:
    found = parse(answer)
    there = isinstance(found, Unreadable) or any(one.endswith(".timer") for one in found.files)
    return found if there else None


def look(host: Host, name: str, schedule: Schedule | None = None) -> TimerState | Unreadable:
    """Look by one remote command."""
    answers = remote.ask(host, {"timer": script(name, schedule)}, deadline=_DEADLINE)
    if isinstance(answers, Unreadable):
        return answers
    if "timer" not in answers:
        return Unreadable("the host gave no answer")
    return parse(answers["timer"])


class DriftTimer(FactBase[Any]):
    """Give whether a schedule is on, when it ran and runs next, how it ended; None for no timer.

    + unit: the units' name
    """

    def command(self, unit: str = "relogin-drift") -> StringCommand:
        return alone.command({"timer": script(unit)})

    def process(self, output: Iterable[str]) -> Any:
        return alone.parsed(output, "timer", _known)
