"""The verdict of taking a run back: what came back, what did not and why, and what stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from relogin import undo
from relogin.facts.kept import Stands
from relogin.finding import legible
from relogin.parts.runtime import Compose, Supervisor, Systemd
from relogin.report.lines import changes, section, take_back, withheld

if TYPE_CHECKING:
    from pyinfra.api.state import State

    from relogin.undoing import Undoing

_LOADED = {"file", "folder", "distributions"}  # what a process reads when it starts


def block(record: Undoing, state: State) -> Iterator[str]:
    """Give the lines for one backend on one host."""
    entry = record.entry
    title = click.style(f"{entry.host} · {entry.backend.name}", bold=True)
    yield f"{title}: {_headline(record, state)}"
    if entry.halted:
        yield from section("Stopped", [legible(entry.halted)])
    yield from withheld(entry)
    if not entry.executed:
        planned = [value.what for value in record.standing(Stands.AS_LEFT)]
        yield from section("What would be brought back", planned)
    yield from section("What was brought back", [*changes(entry.changes), *_kept(record)])
    yield from section("What was not brought back", list(_refused(record)))
    yield from section("What stays", list(_stays(record)))
    yield from section("What to know", list(_to_know(record)))


def badness(record: Undoing) -> tuple[int, str, str]:
    """Give what sorts the worst last."""
    bad = record.entry.halted or record.refused() or not record.run
    return 1 if bad else 0, record.entry.host, record.entry.backend.name


def _headline(record: Undoing, state: State) -> str:
    if record.entry.halted or record.kept is None:
        return click.style("it is not known what is back", fg="red", bold=True)
    if problem := record.unknown(state):
        return click.style(problem.partition(": ")[2], fg="red", bold=True)
    if not record.run:
        return f"run {record.wanted} kept nothing here" if record.wanted else "nothing was kept"
    left = record.standing(Stands.AS_LEFT)
    if record.refused() or (left and record.entry.executed):
        how = "is not taken back" + (" as a whole" if record.back else "")
        return click.style(f"run {record.run} {how}", fg="red", bold=True)
    if left:
        return f"run {record.run} would be taken back"
    if not record.back:
        return f"nothing is left to bring back of run {record.run}"
    done = click.style(f"run {record.run} is taken back", fg="green", bold=True)
    return f"{done} ({record.entry.seconds:.0f} s)"


def _kept(record: Undoing) -> Iterator[str]:
    if record.back:
        yield take_back(undo.run_id("undo"), *record.again)


def _refused(record: Undoing) -> Iterator[str]:
    for value, stands in record.refused():
        yield f"{click.style('✗', fg='red')} {value.what}: {stands.value}"
        place = undo.folder(record.entry.backend, record.run)
        yield f"    what it was before is kept on the host, in …/{place}/{value.number}"


def _stays(record: Undoing) -> Iterator[str]:
    yield from (value.what for value in record.standing(Stands.STAYS))
    for value in record.kept.values if record.kept else ():
        for lost in value.lost:
            yield f"{value.what}: {lost} was not kept, and stays replaced"


def _name(service: Systemd | Supervisor | Compose) -> str:
    if isinstance(service, Systemd):
        return service.full_name
    return service.program if isinstance(service, Supervisor) else service.service


def _to_know(record: Undoing) -> Iterator[str]:
    service = record.entry.backend.service
    if service is not None and any(value.kind in _LOADED for value in record.back):
        yield f"{_name(service)} was not restarted: until it is, it runs on what the run had left"
    if record.back:
        if not record.again:
            yield "whether people can log in now was not tried: deploys/diagnose.py does"
    elif record.kept and not record.wanted and not record.standing(Stands.AS_LEFT):
        others = [run for run in reversed(record.kept.runs) if run != record.run][:5]
        if others:
            yield f"other runs are {', '.join(others)}: --data run=…"
