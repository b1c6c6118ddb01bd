"""The verdict of a release: which revision runs, what was checked, what was done, and the proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from relogin.finding import legible
from relogin.redaction import redact
from relogin.releasing import Outcome
from relogin.report.lines import changes, section

if TYPE_CHECKING:
    from relogin.releasing import Releasing

_GOOD = {Outcome.RELEASED, Outcome.ALREADY}


def block(record: Releasing, proof: list[str]) -> Iterator[str]:
    """Give the lines for one backend on one host; `proof` are those of its last proof."""
    entry = record.entry
    title = click.style(f"{entry.host} · {entry.backend.name}", bold=True)
    yield f"{title}: {_headline(record)}"
    if record.failed:
        yield from section("What failed", [legible(line) for line in record.failed.splitlines()])
    elif entry.halted:
        yield from section("Stopped", [legible(entry.halted)])
    yield from section("What was checked", list(_checks(record)))
    if record.outcome is Outcome.PLANNED:
        yield from section("What would be done", list(record.plan))
    yield from section("What was done", list(changes(entry.changes)))
    yield from section("What the backend said", [legible(line) for line in entry.said])
    yield from section("Proof", proof)
    if entry.changes:
        log = f"/var/lib/relogin/{entry.backend.name}/release/deploy.log"
        yield from section("What to know", [f"every step is in {log} on the host, for root"])


def badness(record: Releasing) -> tuple[int, str, str]:
    """Give what sorts the worst last."""
    good = record.outcome in {*_GOOD, Outcome.PLANNED}
    return 0 if good else 1, record.entry.host, record.entry.backend.name


def _headline(record: Releasing) -> str:
    state, entry = record.state, record.entry
    new = state.tree.wanted[:12] if state else record.revision
    old = state.old[:12] if state else "what ran before"
    said = {
        Outcome.RELEASED: f"{new} is released, and people can log in ({entry.seconds:.0f} s)",
        Outcome.ALREADY: f"{new} runs already, and people can log in; nothing was changed",
        Outcome.PLANNED: f"{new} would be released in the place of {old}",
        Outcome.BACK: f"{new} is not released: {old} is back, and people can log in",
        Outcome.NEITHER: f"neither {new} nor {old} is proven: people may not be able to log in",
        Outcome.UNKNOWN: "it is not known which revision runs; run again, it goes on from there",
    }.get(record.outcome, f"{record.revision} is not released; nothing that runs was changed")
    colour = "green" if record.outcome in _GOOD else "red"
    plain = record.outcome is Outcome.PLANNED
    return said if plain else click.style(redact(legible(said)), fg=colour, bold=True)


def _checks(record: Releasing) -> Iterator[str]:
    for check in record.checks:
        mark = click.style("✓", fg="green") if check.ok else click.style("✗", fg="red")
        yield f"{mark} {check.name}: {legible(check.said)}"
