"""Bring back what a run has overwritten."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import logger
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand, operation

from relogin import lease, run, undoing
from relogin.change import carry_out
from relogin.facts.kept import Stands
from relogin.fault import Change
from relogin.mend import fail_with, tell_why_halted
from relogin.redaction import redact
from relogin.undo import back

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.undoing import Undoing

_DEADLINE = 300


@operation()
def brought_back(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Bring back what a run has overwritten, the last value first.

    The run is `--data run=ID`, by default the last one that undid no other. A value comes back only
    if it still is what that run left; what it is until then is kept as well, so that this can be
    undone in turn. Rows, roles and databases that were made stay. The host fails where a value does
    not come back.

    + backend: the backend, as described
    """
    record = undoing.of(current_state, current_host, backend)
    record.entry.executed = record.entry.executed or current_state.is_executing
    if not record.look(current_host):
        tell_why_halted(record.entry)
        yield fail_with()
    elif problem := record.unknown(current_state):
        yield fail_with(problem)
    else:
        yield from _each(record)
        lease.give_up(current_host, record.entry)
        if record.entry.halted is not None:
            tell_why_halted(record.entry)
            yield fail_with()
        elif record.entry.disabled:
            yield fail_with(f"{backend.name}: {record.entry.disabled}")
        elif left := _left(record):
            yield fail_with(f"{backend.name}: not brought back: {', '.join(left)}")
        else:
            record.whole = True


@operation()
def judged() -> Generator[FunctionCommand, None, None]:
    """Fail the host if a value of any of its backends did not come back: that was said before."""
    records = run.of(current_state).undoings.items()
    mine = [record for (host, _), record in records if host == current_host.name]
    if current_state.is_executing and not all(record.whole for record in mine):
        yield fail_with()


def _each(record: Undoing) -> Iterator[FunctionCommand]:
    record.tried.clear()
    _say_plan(record)
    while _goes_on(record.entry) and (due := record.next()) is not None:
        record.tried.add(due.number)
        change = Change(
            back.taken_back(record.entry.backend, record.run, due.number),
            f"bring back {due.what}",
            _DEADLINE,
        )
        yield FunctionCommand(carry_out, (record.entry, change), {})
        if current_state.is_executing and record.entry.halted is None:
            if record.entry.changes[-1].ok:
                record.back.append(due)
            record.look(current_host)


def _goes_on(entry: run.Entry) -> bool:
    return entry.halted is None and not entry.disabled


def _left(record: Undoing) -> list[str]:
    """Name what did not come back, and why."""
    refused = [f"{value.what} ({stands.value})" for value, stands in record.refused()]
    failed = record.standing(Stands.AS_LEFT) if current_state.is_executing else []
    return [*refused, *(f"{value.what} (it failed)" for value in failed)]


def _say_plan(record: Undoing) -> None:
    """Log all before the first command: pyinfra asks for no more of them before it prompts."""
    lines = [(f"{one.what} stays as it is: {why.value}", "yellow") for one, why in record.refused()]
    if not current_state.is_executing:
        due = record.standing(Stands.AS_LEFT)
        lines += [(f"would bring back {one.what}", "cyan") for one in due]
    for text, colour in lines:
        current_host.log_styled(redact(text), fg=colour, log_func=logger.info)
