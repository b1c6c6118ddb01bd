"""The history for a person: when it last changed, what keeps coming back, and the last runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import click

from relogin.finding import legible
from relogin.report.lines import section

_FORMAT = "%Y-%m-%d %H:%M"
_COLOURS = {"proven": "green", "healthy": "green", "findings": "yellow"}


def told(history: dict[str, Any]) -> str:
    """Give the text of a history as relogin.ledger.read gives it; times are this machine's."""
    blocks = [
        section("When it last changed", list(_last_changes(history))),
        section("What keeps coming back", [_coming_back(one) for one in history["coming_back"]]),
        section("Runs, the last one first", [_result(one) for one in history["results"]]),
    ]
    return "\n\n".join("\n".join(lines) for block in blocks if (lines := list(block)))


def _last_changes(history: dict[str, Any]) -> Iterator[str]:
    for where, group in groupby(history["last_changes"], key=_place):
        changes = list(group)
        first = changes[0]
        who = _dim(f"by {first['operator']}, run {first['run']}")
        yield f"{_when(first['began'])}  {_where(first)}  {who}"
        for one in changes:
            yield f"    {legible(one['why'])}{_unfinished(one)}"
        for one in history["last_mended"]:
            if (_place(one), one["run"]) == (where, first["run"]):
                yield f"        {legible(one['what'])}  {_fingerprints(one)}"


def _place(one: dict[str, Any]) -> tuple[str, str]:
    return one["host"], one["backend"]


def _fingerprints(one: dict[str, Any]) -> str:
    return _dim(f"{one['before'] or 'nothing'} → {one['after'] or 'nothing'}")


def _unfinished(one: dict[str, Any]) -> str:
    if one["ok"] is not None:
        return ""
    return click.style("  (begun; how it ended is unknown)", fg="yellow")


def _coming_back(one: dict[str, Any]) -> str:
    times = f"{one['times']} times since {_when(one['since'])}, last {_when(one['last'])}"
    return f"{_where(one)}: {legible(one['what'])}  {_dim(one['fault'])}  {times}"


def _result(one: dict[str, Any]) -> str:
    word = one["outcome"] if one["ended"] else "cut short"
    shown = click.style(word.ljust(11), fg=_COLOURS.get(word, "red"))
    said = one["first"] or one["halted"]
    changed = f"  {one['changes']} changes" if one["changes"] else ""
    what = f"  {legible(said)}" if said else ""
    return f"{_when(one['began'])}  {one['purpose']:8}  {_where(one)}  {shown}{changed}{what}"


def _where(one: dict[str, Any]) -> str:
    return f"{one['host']} · {one['backend']}" if one["backend"] else str(one["host"])


def _when(moment: float) -> str:
    return time.strftime(_FORMAT, time.localtime(moment))


def _dim(text: str) -> str:
    return click.style(text, dim=True)
