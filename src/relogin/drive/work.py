"""What is done for one backend on one host: look and prove, or mend and prove."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyinfra import state as current_state
from pyinfra.api.state import StateStage

from relogin import run
from relogin.mend import mend, observe, tell_why_halted
from relogin.operations import catalogue, login
from relogin.proving import prove_and_judge

if TYPE_CHECKING:
    from pyinfra.api import FunctionCommand, State
    from pyinfra.api.host import Host

    from relogin.backend import Backend


def stage(state: State, *, changing: bool) -> None:
    """Set the stage: what is changed, or only looked at, is looked at in it."""
    state.set_stage(StateStage.Execute if changing else StateStage.Prepare)
    state.is_executing = changing


def diagnose(host: Host, backend: Backend) -> None:
    """Look at a backend and try its login; nothing is changed."""
    record = run.entry(current_state, host, backend)
    seen = observe(record)
    if seen is None:
        tell_why_halted(record)
    else:
        prove_and_judge(record, seen, refusals=True, patience=0)


def restore(host: Host, backend: Backend) -> None:
    """Mend every layer of a backend, in order, and prove its login."""
    for layer in catalogue.LAYERS:
        if layer is not catalogue.LOGIN:
            _carry_out(host, mend(backend, layer))
    _carry_out(host, login.verified._inner(backend=backend))


def _carry_out(host: Host, commands: Iterable[FunctionCommand]) -> None:
    for command in commands:
        command.execute(current_state, host, {})
