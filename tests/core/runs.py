"""A run of pyinfra through its API, on this machine, as the command makes one."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pyinfra import logger
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.operation import add_op
from pyinfra.api.operations import run_ops
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_host, ctx_inventory, ctx_state

from relogin import Backend, run

Operation = Callable[..., Any]


@contextmanager
def connected(*, yes: bool = True, **data: Any) -> Iterator[tuple[State, Host]]:
    """Connect to this machine; `yes` is the command's -y."""
    inventory = Inventory(([("@local", {"_sudo": False, **data})], {}))
    state = State(inventory, Config(), check_for_changes=not yes)
    with ctx_state.use(state), ctx_inventory.use(inventory):
        state.set_stage(StateStage.Connect)
        connect_all(state)
        state.set_stage(StateStage.Prepare)
        yield state, inventory.get_host("@local")


def ran(
    operation: Operation, backend: Backend, *, yes: bool = True, dry: bool = False, **data: Any
) -> tuple[run.Entry, bool, list[str]]:
    """Run one operation; give its record, whether it succeeded, and what was logged."""
    with connected(yes=yes, **data) as (state, host), logged() as lines:
        entry = again(state, host, operation, backend, dry=dry)
        return entry, host not in state.failed_hosts, lines


def again(
    state: State, host: Host, operation: Operation, backend: Backend, *, dry: bool = False
) -> run.Entry:
    """Run one operation, prepared and then executed."""
    add_op(state, operation, backend=backend)
    if not dry:
        state.set_stage(StateStage.Execute)
        try:
            run_ops(state)
        except PyinfraError as error:
            assert str(error) == "No hosts remaining!"  # noqa: PT017 # the only host has failed
    with ctx_host.use(host):
        return run.entry(state, host, backend)


@contextmanager
def logged() -> Iterator[list[str]]:
    """Collect what pyinfra would print."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
