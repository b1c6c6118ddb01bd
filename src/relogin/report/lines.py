"""What the blocks of a verdict are made of."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TYPE_CHECKING

import click

from relogin.finding import legible

if TYPE_CHECKING:
    from relogin.run import Done, Entry


def section(title: str, lines: list[str]) -> Iterator[str]:
    """Give a section's lines, none if it has none."""
    if lines:
        yield f"  {title}"
        for line in lines:
            yield f"    {line}"


def changes(done: Iterable[Done]) -> Iterator[str]:
    """Say what was done, how long it took, and how what failed ended."""
    for change in done:
        mark = click.style("✓", fg="green") if change.ok else click.style("✗", fg="red")
        took = click.style(f"{change.seconds:.1f} s", dim=True)
        yield f"{mark} {legible(change.why)}  {took}"
        if not change.ok and change.output:
            yield from (f"    {legible(line)}" for line in change.output.splitlines())


def withheld(entry: Entry) -> Iterator[str]:
    """Say that somebody has disabled the backend, or who else is changing it, if that is so."""
    if entry.disabled:
        title = "Left to another run" if entry.holder else "Disabled"
        yield from section(title, [legible(entry.disabled)])


def counted(findings: Sized) -> str:
    """Say how many findings there are."""
    return f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"


def take_back(run: str, *more: str) -> str:
    """Say how what a run has overwritten is brought back, by more options where it needs them."""
    command = " ".join(["pyinfra", _inventory(), "deploys/undo.py", *more, f"--data run={run}"])
    return f"what was overwritten is kept: {command} brings it back"


def _inventory() -> str:
    """Give the inventory of the command line, as a shell takes it; "…" where there is none."""
    context = click.get_current_context(silent=True)  # relogin's; pyinfra's has ended by now
    if context is None and (its := sys.modules.get("pyinfra_cli.cli")) is not None:
        context = its.cli.make_context("pyinfra", sys.argv[1:], resilient_parsing=True)
    given = context.params.get("inventory") if context is not None else None
    return legible(shlex.quote(str(given))) if given else "…"
