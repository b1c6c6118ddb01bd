"""The first line of a verdict where the database was checked, or the API probed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from relogin.finding import Finding, Severity
from relogin.report.lines import counted

if TYPE_CHECKING:
    from relogin.run import Entry

_OF_API = ("api", "service")  # layers whose findings are an API's, beside a database's


def judged(entry: Entry) -> str:
    """Give the line: of the database, of the API, or of both."""
    left = [one for one in entry.left.values() if one.severity > Severity.NOTE]
    both = entry.checking is not None and entry.probing is not None
    of_api = [one for one in left if not both or one.layer in _OF_API]
    of_database = [one for one in left if not both or one.layer not in _OF_API]
    told = []
    if entry.checking is not None:
        changed = any(change.ok for change in entry.changes)
        rest = "" if changed or both else "; nothing was changed"
        told.append(_said(entry, "database", "is sound", "checked", of_database, rest))
    if entry.probing is not None:
        told.append(_said(entry, "api", "answers as declared", "probed", of_api))
    return "; ".join(told)


def _said(
    entry: Entry, layer: str, well: str, looked: str, left: list[Finding], rest: str = ""
) -> str:
    subject = "the API" if layer == "api" else f"the {layer}"
    if entry.halted is not None or layer in entry.unseen:
        return click.style(f"{subject} could not be {looked}", fg="red", bold=True)
    if left:
        colour = "red" if any(one.critical for one in left) else "yellow"
        return click.style(f"{subject} has {counted(left)}", fg=colour, bold=True)
    return click.style(f"{subject} {well}", fg="green", bold=True) + rest
