"""The record of taking a run back: per host and backend, what it kept and how that stands."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from relogin import run
from relogin.facts import kept
from relogin.facts.kept import Kept, Stands, Value
from relogin.finding import Unreadable

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.backend import Backend

REFUSED = (Stands.OTHERWISE, Stands.CUT, Stands.UNSEEN)


@dataclasses.dataclass(repr=False)
class Undoing:
    """What is known of one backend on one host while a run is taken back.

    `wanted` is the run that was asked for ("": the last one). `entry` records what is done, `back`
    the values that were brought back, `tried` their numbers and those that could not be; `whole`
    says that none was left. `again` are the words by which the command finds them, if it needs any.
    """

    entry: run.Entry
    wanted: str = ""
    again: tuple[str, ...] = ()
    kept: Kept | None = None
    tried: set[str] = dataclasses.field(default_factory=set)
    back: list[Value] = dataclasses.field(default_factory=list)
    whole: bool = False

    def look(self, host: Host) -> bool:
        """Look at the store and today's values; tell whether that could be done."""
        seen = kept.look(host, self.entry.backend, self.wanted)
        self.entry.looked = True
        if isinstance(seen, Unreadable):
            self.entry.halted = self.entry.halted or seen.reason
            return False
        self.kept = seen
        return True

    @property
    def run(self) -> str:
        return self.kept.meant if self.kept else ""

    def standing(self, *which: Stands) -> list[Value]:
        """Give the values that stand so, the last one first."""
        found = self.kept.standing() if self.kept else ()
        return [value for value, stands in found if stands in which]

    def refused(self) -> list[tuple[Value, Stands]]:
        """Give the values that are not what the run left, or that nobody can see."""
        found = self.kept.standing() if self.kept else ()
        return [(value, stands) for value, stands in found if stands in REFUSED]

    def next(self) -> Value | None:
        """Give the value that comes back next; each is tried once."""
        return next(
            (one for one in self.standing(Stands.AS_LEFT) if one.number not in self.tried), None
        )

    def unknown(self, state: State) -> str:
        """Say that nobody here has such a run, and which there are; '' where one was found."""
        if not self.wanted or self.run:
            return ""
        others = run.of(state).undoings.values()
        if any(other.run == self.wanted for other in others):
            return ""
        there = self.kept.runs if self.kept else ()
        known = f"there is {', '.join(reversed(there))}" if there else "none has kept anything"
        return (
            f"{self.entry.backend.name}: there is no run {self.wanted} in its undo store; {known}"
        )


def of(state: State, host: Host, backend: Backend) -> Undoing:
    """Give the record that belongs to one backend on one host."""
    undoings = run.of(state).undoings
    key = host.name, backend.name
    if key not in undoings:
        wanted, schedule = str(host.data.get("run") or ""), host.data.get("schedule")
        again = (f"--data schedule={schedule}",) if schedule else ()
        undoings[key] = Undoing(run.Entry(host.name, backend), wanted, again)
    return undoings[key]
