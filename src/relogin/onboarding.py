"""The steps by which a bare host gets what the catalogue's own fixes begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand

from relogin import lease, run
from relogin.change import carry_out
from relogin.facts.bare import Bare
from relogin.finding import Unreadable
from relogin.mend import fail_with, observe, tell_why_halted

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.fault import Change

Changes = Callable[["Backend", Bare], "Iterable[Change]"]
ChangesByLook = Callable[["Backend", "Observation", Bare], "Iterable[Change]"]


def begin(state: State, host: Host, backend: Backend) -> run.Entry:
    """Give the entry of a backend whose host may have nothing of it yet."""
    record = run.entry(state, host, backend)
    record.onboarding = True
    return record


def look(record: run.Entry) -> tuple[Observation, Bare] | None:
    """Give this stage's look and what the host has; None where the run must not go on."""
    seen = observe(record)
    if seen is None:
        return None
    if isinstance(seen.bare, Bare):
        return seen, seen.bare
    reason = seen.bare.reason if isinstance(seen.bare, Unreadable) else "it was not looked at"
    record.halted = f"what the host has cannot be seen: {reason}"
    return None


def step(backend: Backend, changes: Changes) -> Iterator[FunctionCommand]:
    """Make the changes of one step; the first that fails ends the host's run, and says why."""
    yield from step_by_look(backend, lambda declared, _, bare: changes(declared, bare))


def step_by_look(backend: Backend, changes: ChangesByLook) -> Iterator[FunctionCommand]:
    """Make the changes of a step that is judged by the whole look, as `step` does."""
    record = begin(current_state, current_host, backend)
    looked = look(record)
    if looked is None:
        tell_why_halted(record)
        yield fail_with()
        return
    try:
        for change in changes(backend, *looked):
            yield FunctionCommand(carry_out, (record, change), {})
            if record.halted is not None or not (done := record.changes[-1]).ok:
                said = "; ".join((done.output or "it failed").splitlines())
                yield _ended(record, f"{change.why}: {said}")
                return
    except ValueError as error:
        yield _ended(record, str(error))


def _ended(record: run.Entry, why: str) -> FunctionCommand:
    """End the host's run: nothing more is tried."""
    lease.give_up(current_host, record)
    if not record.disabled:
        record.halted = record.halted or why
    return fail_with(f"{record.backend.name}: nothing more is tried: {why}")
