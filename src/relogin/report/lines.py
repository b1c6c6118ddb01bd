"""What the blocks of a verdict are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from relogin.finding import legible

if TYPE_CHECKING:
    from relogin.run import Done


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


def take_back(run: str) -> str:
    """Say how what a run has overwritten is brought back."""
    return (
        f"what was overwritten is kept: pyinfra … deploys/undo.py --data run={run} brings it back"
    )
