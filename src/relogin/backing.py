"""The record of what a run did with a backend's backups: took one, or restored one."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING

from relogin import run

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.backend import Backend


class Outcome(enum.Enum):
    """What it came to."""

    NONE = "not known"
    REFUSED = "refused before anything was changed"
    PLANNED = "planned"
    TAKEN = "a backup was taken, and reads back"
    FAILED = "no backup was taken"
    RESTORED = "the backup is restored, and people can log in"
    LIVE = "the backup is live already, and people can log in; nothing was changed"
    REHEARSED = "rehearsed: the backup could be restored; nothing that runs was changed"
    BACK = "not restored: the former database is back, and people can log in"
    UNDONE = "the restore is taken back, and people can log in"
    NEITHER = "neither the restored nor the former database is proven: people may be locked out"
    UNKNOWN = "its outcome is not known"


GOOD = {
    Outcome.TAKEN,
    Outcome.PLANNED,
    Outcome.RESTORED,
    Outcome.LIVE,
    Outcome.REHEARSED,
    Outcome.UNDONE,
}


@dataclasses.dataclass(repr=False)
class Backing:
    """What is known of one backend on one host: what it came to, what was seen, what would be.

    `failed` is what was wrong with a database that was switched to.
    """

    entry: run.Entry
    outcome: Outcome = Outcome.NONE
    failed: str = ""
    seen: list[str] = dataclasses.field(default_factory=list)
    plan: tuple[str, ...] = ()

    def stop(self, outcome: Outcome, why: str) -> None:
        """Note why nothing more is done."""
        self.outcome, self.entry.halted = outcome, why


def of(state: State, host: Host, backend: Backend) -> Backing:
    """Give the record that belongs to one backend on one host."""
    backings = run.of(state).backings
    key = host.name, backend.name
    if key not in backings:
        backings[key] = Backing(run.Entry(host.name, backend))
    return backings[key]
