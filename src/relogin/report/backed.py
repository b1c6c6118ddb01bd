"""The verdict of a run that took a backup or restored one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from relogin.backing import GOOD, Outcome
from relogin.finding import legible
from relogin.redaction import redact
from relogin.report.lines import changes, section, withheld

if TYPE_CHECKING:
    from relogin.backing import Backing


def block(record: Backing, proof: list[str]) -> Iterator[str]:
    """Give the lines for one backend on one host; `proof` are those of its last proof."""
    entry = record.entry
    title = click.style(f"{entry.host} · {entry.backend.name}", bold=True)
    yield f"{title}: {_headline(record)}"
    if entry.halted:
        yield from section("Stopped", [legible(redact(entry.halted))])
    yield from withheld(entry)
    yield from section("What was seen", [legible(redact(line)) for line in record.seen])
    if record.outcome is Outcome.PLANNED:
        yield from section("What would be done", list(record.plan))
    yield from section("What was done", list(changes(entry.changes)))
    yield from section("What the backend said", [legible(line) for line in entry.said])
    yield from section("Proof", proof)


def badness(record: Backing) -> tuple[int, str, str]:
    """Give what sorts the worst last."""
    return 0 if record.outcome in GOOD else 1, record.entry.host, record.entry.backend.name


def _headline(record: Backing) -> str:
    if record.outcome is Outcome.PLANNED:
        return "this is what would be done; nothing was changed"
    if record.outcome not in GOOD:
        return click.style(record.outcome.value, fg="red", bold=True)
    return click.style(record.outcome.value, fg="green", bold=True) + _seconds(record)


def _seconds(record: Backing) -> str:
    return f" ({record.entry.seconds:.0f} s)"
