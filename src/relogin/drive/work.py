"""What is done for one backend on one host: look and prove, or mend and prove."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyinfra import state as current_state
from pyinfra.api.state import StateStage

from relogin import early, run
from relogin.drift import Limits, cause, declared, refuses, withheld
from relogin.ledger.read import former
from relogin.ledger.store import LedgerError
from relogin.mend import mend, observe, tell_why_halted
from relogin.operations import catalogue, login
from relogin.operations.jwt_place import place
from relogin.proving import prove_and_judge
from relogin.secret import mark

if TYPE_CHECKING:
    from pyinfra.api import FunctionCommand, State
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.drive.hosts import Work
    from relogin.finding import Finding


def stage(state: State, *, changing: bool) -> None:
    """Set the stage: what is changed, or only looked at, is looked at in it."""
    state.set_stage(StateStage.Execute if changing else StateStage.Prepare)
    state.is_executing = changing


def diagnose(host: Host, backend: Backend, *, refusals: bool = True) -> None:
    """Look at a backend and try its login; nothing is changed.

    Without `refusals` nothing is tried that may lock an account. The login is tried while the host
    looks where the last run proved it.
    """
    record = run.entry(current_state, host, backend)
    if record.former is not None and record.former.let_in:  # one that fails is sent once more
        early.begin_at_once(host, record)
    seen = observe(record)
    if seen is None:
        tell_why_halted(record)
    else:
        prove_and_judge(record, seen, refusals=refusals, patience=0)


def restore(host: Host, backend: Backend) -> None:
    """Mend every layer of a backend, in order, and prove its login."""
    early.begin_at_once(host, run.entry(current_state, host, backend))
    for layer in catalogue.LAYERS:
        if layer is not catalogue.LOGIN:
            _carry_out(host, mend(backend, layer))
    _carry_out(host, login.verified._inner(backend=backend))


def drift(host: Host, backend: Backend, *, limits: Limits) -> None:
    """Correct what differs from the description, within limits, and prove the login."""
    record = run.entry(current_state, host, backend)

    def withhold(finding: Finding) -> str:
        why = withheld(finding, backend, record.former, limits, now=time.time())
        if why and refuses(finding):
            record.refused[finding.key] = why
        return why

    record.withhold = withhold
    restore(host, backend)


def compared(task: Work) -> Work:
    """Give the same work with what the history knows: before it, and kept after it."""

    def work(host: Host, backend: Backend) -> None:
        record = run.entry(current_state, host, backend)
        with contextlib.suppress(LedgerError):  # without one there is nothing to compare with
            record.former = former(host.name, backend.name)
        record.declared = declared(backend)
        try:
            task(host, backend)
        finally:
            now = record.declared
            record.causes = {
                key: cause(one, now, record.former) for key, one in record.first.items()
            }
            record.signing = _signing(record)

    return work


def _signing(record: run.Entry) -> str:
    seen = record.last
    there = place(record.backend, seen) if seen is not None else None
    return mark(there.value) if there is not None and there.value else ""


def _carry_out(host: Host, commands: Iterable[FunctionCommand]) -> None:
    for command in commands:
        command.execute(current_state, host, {})
