"""Earlier runs as a person reads them: each that did or saw something, and the rest in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from relogin.report.headline import Tone
from relogin.values import dataclass

Document = dict[str, Any]

_GOOD = {"proven", "healthy"}


@dataclass(frozen=True)
class Event:
    """An earlier run, or several in a row with nothing to tell; `runs` names the last of them.

    `at` and `until` are the first and the last of them in Unix time.
    """

    at: float
    until: float
    tone: Tone
    said: str
    run: str
    count: int = 1
    changes: tuple[str, ...] = ()
    first: str = ""


def timeline(results: Iterable[Document]) -> Iterator[Event]:
    """Give the events of results as the history has them, in their order: the last one first."""
    for quiet, group in groupby(results, key=_quiet):
        rows = list(group)
        if quiet and len(rows) > 1:
            said = f"{len(rows)} runs: people could log in, and nothing was wrong"
            began, until = rows[-1]["began"], rows[0]["began"]
            yield Event(began, until, Tone.GOOD, said, rows[0]["run"], len(rows))
        else:
            yield from map(_event, rows)


def _quiet(row: Document) -> bool:
    return row["outcome"] in _GOOD and bool(row["ended"]) and not (row["changes"] or row["first"])


def _event(row: Document) -> Event:
    tone = Tone.WARN if row["outcome"] == "findings" else Tone.BAD
    if row["outcome"] in _GOOD:
        tone = Tone.GOOD
    elif row["outcome"] in {"planned", "done"} or row["purpose"] == "undo":
        tone = Tone.PLAIN
    word = row["outcome"].replace("-", " ") if row["ended"] else "cut short"
    said = "" if row["purpose"] == "undo" and row["ended"] else f": {word}"
    return Event(
        at=row["began"],
        until=row["began"],
        tone=tone if row["ended"] else Tone.BAD,
        said=f"{row['purpose']} by {row['operator']}{said}",
        run=row["run"],
        changes=tuple(row["changes"]),
        first=row["first"] or row["halted"] or "",
    )
