"""The revisions of a database's schema: those of the code, and those that are recorded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from relogin.values import dataclass


@dataclass(frozen=True)
class Revision:
    """A revision of the code; `drops` tells that its upgrade deletes tables, columns or rows.

    `makes` are the tables that it creates, as far as that was read (Django).
    """

    id: str
    down: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    drops: bool = False
    makes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Migrations:
    """The revisions of the code and what the database has recorded of them.

    `recorded` is None where there is no version table. `nameless` are files that name no revision,
    for which Alembic refuses them all. `each` tells that every revision that was run is recorded
    (Django), not only the newest of each branch (Alembic); then a revision is named `app.name`, and
    `ahead` are recorded ones that are newer than the code.
    """

    revisions: tuple[Revision, ...]
    nameless: tuple[str, ...] = ()
    recorded: tuple[str, ...] | None = None
    each: bool = False
    ahead: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(revision.id for revision in self.revisions)

    @property
    def heads(self) -> tuple[str, ...]:
        """Give the revisions on which no other one builds."""
        below = {down for revision in self.revisions for down in revision.down}
        return tuple(name for name in self.ids if name not in below)

    @property
    def rivals(self) -> tuple[str, ...]:
        """Give the heads of which there should be one only: in all, or in each application."""
        lines = [name.partition(".")[0] if self.each else "" for name in self.heads]
        return tuple(
            name for name, line in zip(self.heads, lines, strict=True) if lines.count(line) > 1
        )

    @property
    def unknown(self) -> tuple[str, ...]:
        """Give recorded revisions that the code does not have."""
        known = self.ids
        absent = (name for name in self.recorded or () if name not in known)
        return self.ahead if self.each else tuple(absent)

    def behind(self, names: Iterable[str]) -> set[str]:
        """Give these revisions and all that have to be there before them."""
        by_id = {revision.id: revision for revision in self.revisions}
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name not in found and name in by_id:
                found.add(name)
                left += [*by_id[name].down, *by_id[name].depends]
        return found

    @property
    def pending(self) -> tuple[Revision, ...]:
        """Give the revisions that the database does not have yet."""
        there = set(self.recorded or ()) if self.each else self.behind(self.recorded or ())
        return tuple(revision for revision in self.revisions if revision.id not in there)

    def to_json(self) -> dict[str, Any]:
        recorded = None if self.recorded is None else list(self.recorded)
        pending = [revision.id for revision in self.pending]
        return {"heads": list(self.heads), "recorded": recorded, "pending": pending}


def names(text: str) -> tuple[str, ...]:
    """Give the names between commas, as the scripts that read revision files write them."""
    return tuple(filter(None, text.split(",")))
