"""The verdict of a rotation: what it means, what was done, and the proof of both values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from relogin import undo
from relogin.finding import legible
from relogin.redaction import redact
from relogin.report.lines import changes, section, take_back
from relogin.rotating import GOOD, Outcome

if TYPE_CHECKING:
    from relogin.rotating import Rotating


def block(record: Rotating, proof: list[str]) -> Iterator[str]:
    """Give the lines for one backend on one host; `proof` are those of its last proof."""
    entry = record.entry
    title = click.style(f"{entry.host} · {entry.backend.name}", bold=True)
    yield f"{title}: {_headline(record)}"
    yield from section("What it means", [legible(line) for line in record.plan])
    if record.failed:
        yield from section("What failed", [legible(line) for line in record.failed.splitlines()])
    elif entry.halted:
        yield from section("Stopped", [legible(entry.halted)])
    kept = [take_back(undo.run_id())] if entry.kept else []
    yield from section("What was done", [*changes(entry.changes), *kept])
    yield from section("What the backend said", [legible(line) for line in entry.said])
    yield from section("Proof", [*proof, *_checks(record)])


def _headline(record: Rotating) -> str:
    entry = record.entry
    key = record.what.key if record.what else "the secret"
    said = {
        Outcome.ROTATED: f"{key} is rotated, and people can log in ({entry.seconds:.0f} s)",
        Outcome.RETIRED: f"the former {key} is not accepted any more, and people can log in",
        Outcome.ALREADY: f"{key} is rotated already, and people can log in; nothing was changed",
        Outcome.PLANNED: f"{key} would be rotated",
        Outcome.UNCONFIRMED: f"{key} is not rotated: that needs to be confirmed",
        Outcome.BACK: f"{key} is not rotated: the former value is back, and people can log in",
        Outcome.NEITHER: f"neither value of {key} is proven: people may not be able to log in",
        Outcome.UNKNOWN: f"it is not known which value of {key} is in force; run again",
    }.get(record.outcome, f"{key} is not rotated; nothing was changed")
    colour = "green" if record.outcome in GOOD else "red"
    plain = record.outcome in {Outcome.PLANNED, Outcome.UNCONFIRMED}
    text = redact(legible(said))
    return text if plain else click.style(text, fg=colour, bold=True)


def _checks(record: Rotating) -> Iterator[str]:
    for check in record.checks:
        mark = {True: "✓", False: "✗", None: "?"}[check.ok]
        yield f"{mark} {legible(check.said)}"
