"""A deed: what one operation does to a backend in several steps, and how that is ended."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

from pyinfra import host as current_host
from pyinfra import logger
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand

from relogin import lease
from relogin.change import carry_out
from relogin.fault import internal_error
from relogin.finding import legible
from relogin.mend import fail_with, tell_why_halted
from relogin.redaction import redact

if TYPE_CHECKING:
    from relogin.fault import Change
    from relogin.run import Entry

_Outcome = TypeVar("_Outcome", bound=enum.Enum)


class Deed(Protocol[_Outcome]):
    """The record of a deed: its backend on a host, what it came to, and what was wrong, if any.

    The outcomes of each kind of deed have NONE (not known yet), REFUSED and UNKNOWN among them.
    """

    entry: Entry
    outcome: _Outcome
    failed: str


def concluded(
    deed: Deed[_Outcome],
    steps: Iterator[FunctionCommand],
    *,
    good: Collection[_Outcome],
    what: str,
    again: str = "run again",
) -> Iterator[FunctionCommand]:
    """Yield the steps; whatever ends them, the record says how; what is not good fails the host.

    What failed is then in `halted`, which the verdict and every report show. A failure of relogin
    itself is one of this host alone (pyinfra would abort every host); `again` says what to do then,
    `what` is the deed's name.
    """
    entry, outcomes = deed.entry, type(deed.outcome)
    entry.executed = entry.executed or current_state.is_executing
    deed.outcome = outcomes["NONE"]  # a plan that was made before the prompt is none any more
    try:
        yield from steps
    except Exception as error:  # noqa: BLE001 # see above
        entry.halted = f"relogin itself failed: {internal_error(error, what).seen}; {again}"
        deed.outcome = outcomes["UNKNOWN"]
    lease.give_up(current_host, entry)
    if entry.halted is not None and deed.outcome is outcomes["NONE"]:
        deed.outcome = outcomes["UNKNOWN" if entry.changes else "REFUSED"]
    if deed.outcome not in good and not entry.disabled:
        entry.halted = _why(deed) or None
    if entry.halted is not None:
        tell_why_halted(entry)
    if deed.outcome not in good:
        yield fail_with(f"{entry.backend.name}: {deed.outcome.value}")


def _why(deed: Deed[_Outcome]) -> str:
    """Say in one line what failed, and what that came to; '' where nobody has said."""
    came_to, last = deed.entry.halted or "", deed.entry.changes[-1:]
    said = [deed.failed, *(f"{one.why}: {one.output or 'it failed'}" for one in last if not one.ok)]
    if any(one.output and one.output in came_to for one in last):
        said = [deed.failed]
    news = [one for one in said if one and one not in came_to]
    return "; ".join("\n".join([*news, came_to]).strip().splitlines())


def do(deed: Deed[_Outcome], change: Change) -> FunctionCommand:
    """Give the command that makes a change, and records it."""
    return FunctionCommand(carry_out, (deed.entry, change), {})


def failed(deed: Deed[_Outcome]) -> bool:
    """Tell whether the last step failed; where its outcome is unknown, the run has halted."""
    return deed.entry.halted is not None or not deed.entry.changes[-1].ok


def say(text: str, colour: str) -> str:
    """Log a line; give it as it was shown."""
    said = legible(redact(text))
    current_host.log_styled(said, fg=colour, log_func=logger.info)
    return said
