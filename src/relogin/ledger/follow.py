"""Follow a run into the history: as it begins, at each change, and when it ends."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING

import click

from relogin.ledger.keep import begun, keep
from relogin.report import document

if TYPE_CHECKING:
    from pyinfra.api.state import State

    from relogin.run import Entry, Run


def until_exit(record: Run, state: State) -> None:
    """Keep a run until this process ends: pyinfra runs nothing after a host has failed."""
    record.kept = True
    atexit.register(end, record, state)


def before(record: Run, entry: Entry, why: str) -> None:
    """Note a change that is about to be made: a killed run has at least begun it."""
    if record.kept:
        keep(document.part(record, entry))
        begun(record.id, entry.host, entry.backend.name, why, position=len(entry.changes))


def after(record: Run, entry: Entry) -> None:
    """Keep how a change ended, with all that is known of its backend by now."""
    if record.kept:
        keep(document.part(record, entry))


def end(record: Run, state: State) -> None:
    """Keep the whole run; one line on stderr says where that is not in the history."""
    known = record.entries or record.undoings or record.releases or record.backings
    if known or record.lost:
        problem = keep(document.document(record, state))
        if problem is not None:
            click.echo(problem, err=True)
