"""Whether somebody has disabled relogin for a backend on a host: who, why, and until when."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import shell
from relogin.backend import Backend
from relogin.facts import alone
from relogin.finding import Unreadable, legible
from relogin.undo.store import place
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.remote import Answer

# Three lines: until (Unix time by the host's clock, 0: until it is enabled again), by whom, why.
_LOOK = """\
if [ -e "$kept" ]; then
  IFS= read -r until <"$kept"
  [ "$until" != 0 ] && [ "$until" -le "$(date +%s)" ] || cat "$kept"
fi
"""
_DISABLE = """\
set -e; umask 077
[ {until} = 0 ] || [ {until} -gt "$(date +%s)" ] || {{
  echo "here it is $(date '+%Y-%m-%d %H:%M %Z'), and that is over: one clock is wrong"
  exit 1
}}
mkdir -p "${{kept%/*}}"
printf '%s\\n' {lines} >"$kept.new"
mv -f "$kept.new" "$kept"
"""


@dataclass(frozen=True)
class Hold:
    """Somebody's word that nothing is to be changed; `until` is Unix time, 0 for no end."""

    until: int
    by: str
    reason: str

    @property
    def said(self) -> str:
        """Give it in one line."""
        shown = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.until))
        end = f"until {shown}" if self.until else "until it is enabled again"
        return f"disabled by {self.by} {end}: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        return {"until": self.until, "by": self.by, "reason": self.reason}


def script(backend: Backend) -> str:
    """Give the part of the look that says so: nothing where it is not disabled, or not any more."""
    return f"{place(backend, 'disabled')}{_LOOK}"


def parse(answer: Answer) -> Hold | Unreadable | None:
    """Take the part's answer apart; None where nobody has disabled it."""
    if answer.status == 0 and not answer.text.strip():
        return None
    try:
        until, by, reason = answer.lines[:3]
        return Hold(int(until), legible(by), legible(reason))
    except ValueError:
        return Unreadable("the file that would say so cannot be understood")


def disabled(backend: Backend, hold: Hold) -> str:
    """Give the script that disables relogin for a backend on a host."""
    lines = shell.words([str(hold.until), legible(hold.by), legible(hold.reason)])
    return f"{place(backend, 'disabled')}{_DISABLE.format(until=hold.until, lines=lines)}"


def enabled(backend: Backend) -> str:
    """Give the script that enables it again."""
    return f'{place(backend, "disabled")}rm -f "$kept"\n'


class Disabled(FactBase[Any]):
    """Give who has disabled relogin for a backend, why, and until when; None where nobody has.

    + backend: the backend's name
    """

    def command(self, backend: str) -> StringCommand:
        return alone.command({"hold": script(Backend(backend))})

    def process(self, output: Iterable[str]) -> Any:
        return alone.parsed(output, "hold", parse)
