"""What mend.py and run.py use of operations and states."""

import logging
import weakref
from typing import Any

import pyinfra
import pytest
from pyinfra.api import FunctionCommand, State, operation
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.operation import add_op
from pyinfra.api.operations import run_ops
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_host, ctx_state

from tests.core.runs import connected


def test_an_operation_reads_the_current_host_and_state_and_logger():
    with connected() as (state, host), ctx_host.use(host):
        assert (state.current_stage, "@local") == (
            pyinfra.state.current_stage,
            pyinfra.host.name,
        )
    assert isinstance(pyinfra.logger, logging.Logger)


def test_stages_are_told_apart_and_executing_is_said():
    with connected() as (state, _):
        assert (StateStage.Prepare, False) == (state.current_stage, state.is_executing)
        seen = []

        @operation()
        def look() -> Any:
            seen.append((state.current_stage, state.is_executing))
            yield FunctionCommand(lambda state, host: True, (), {})

        add_op(state, look)
        state.set_stage(StateStage.Execute)
        run_ops(state)
    assert [(StateStage.Execute, True)] == seen


def test_with_check_for_changes_an_operation_is_begun_to_its_first_command_and_run_again():
    begun = []

    @operation()
    def twice() -> Any:
        begun.append("first")
        yield FunctionCommand(lambda state, host: True, (), {})
        begun.append("second")

    with connected(yes=False) as (state, _):
        add_op(state, twice)
        assert ["first"] == begun
        state.set_stage(StateStage.Execute)
        run_ops(state)
    assert ["first", "first", "second"] == begun


def test_a_function_of_state_and_host_runs_in_the_operation_and_false_fails_the_host():
    ran = []

    def function(state: State, host: Host, word: str, *, other: str) -> bool:
        ran.append((type(state).__name__, host.name, word, other))
        return word != "bad"

    @operation()
    def functions() -> Any:
        for word in ("good", "bad", "never"):
            yield FunctionCommand(function, (word,), {"other": "x"})
            ran.append(("after", word))

    with connected() as (state, host):
        add_op(state, functions)
        state.set_stage(StateStage.Execute)
        with pytest.raises(PyinfraError, match=r"^No hosts remaining!$"):
            run_ops(state)
        assert {host} == state.failed_hosts
    call = ("State", "@local")
    assert [(*call, "good", "x"), ("after", "good"), (*call, "bad", "x")] == ran


def test_errors_that_are_ignored_let_the_host_go_on():
    @operation()
    def failing() -> Any:
        yield FunctionCommand(lambda state, host: False, (), {})

    with connected() as (state, host):
        add_op(state, failing, _ignore_errors=True)
        state.set_stage(StateStage.Execute)
        run_ops(state)
        assert host not in state.failed_hosts


def test_a_state_is_what_a_context_gives_and_can_be_referred_to_weakly(unconnected):
    with ctx_state.use(unconnected):
        assert ctx_state.isset()
        assert unconnected is ctx_state.get()
        assert ("State", "State") != (type(pyinfra.state).__name__, type(unconnected).__name__)
    assert "State" == type(unconnected).__name__
    assert unconnected is weakref.ref(unconnected)()
