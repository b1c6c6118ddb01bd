"""The backup that a release begins with: one of the last day that reads back, or one taken now."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from relogin import deed
from relogin.facts.proof import Check
from relogin.fault import Change
from relogin.operations import release_database, release_store

if TYPE_CHECKING:
    from pyinfra.api import FunctionCommand

    from relogin.backend import Backend
    from relogin.facts.postgres_state import Target
    from relogin.releasing import Releasing

WHY = "see that a backup of today reads back, or take one"


def made(
    record: Releasing, reached: Backend, target: Target | None
) -> Generator[FunctionCommand, None, str]:
    """Yield what makes sure of it before anything changes; give its path, '' without a database.

    What it saw takes the place of the check named `backup`, which refuses where there is none.
    """
    if target is None:
        return ""
    lines = release_store.store(reached) + release_database.dumped(reached, target)
    script = f"{lines}printf '%s\\n' \"$found\"\n"
    yield deed.do(record, Change(script, WHY, deadline=release_database.DEADLINE))
    said = record.entry.changes[-1].output.splitlines()
    if deed.failed(record):
        why = "; ".join(said) or "it failed"
        _judged(record, Check("backup", False, f"none reads back, and none could be taken: {why}"))
        return ""
    *damaged, path = said
    _judged(record, Check("backup", True, "; ".join([*damaged, f"{path} reads back"])))
    return path


def _judged(record: Releasing, seen: Check) -> None:
    """Put what was seen in the place of the check of that name."""
    record.checks = tuple(seen if one.name == seen.name else one for one in record.checks)
    deed.say(f"{'✓' if seen.ok else '✗'} {seen.name}: {seen.said}", "green" if seen.ok else "red")
