"""What the relogin command takes from the pyinfra command, and from its undocumented API."""

import inspect
import subprocess
import sys

from pyinfra.api import operation
from pyinfra.api.host import Host
from pyinfra.api.state import State, StateStage

PARTS = """
import inspect, sys
import pyinfra_cli
from gevent import monkey
assert monkey.is_module_patched("socket") and monkey.is_module_patched("threading")
from pyinfra_cli.exceptions import CliError, UnexpectedExternalError
from pyinfra_cli.inventory import make_inventory
from pyinfra_cli.util import exec_file, parse_cli_arg
assert ["inventory", "override_data", "cwd", "group_data_directories"] == list(
    inspect.signature(make_inventory).parameters)
from pyinfra_cli import inventory
assert inventory.exec_file is exec_file  # relogin check puts one in its place
assert ["filename", "return_locals", "is_deploy_code"] == list(
    inspect.signature(exec_file).parameters)
assert (True, 5, {"a": 1}, "x") == tuple(map(parse_cli_arg, ("true", "5", '{"a": 1}', "x")))
try:
    raise UnexpectedExternalError(ValueError("it"), "file.py")
except UnexpectedExternalError as error:
    assert error.filename == "file.py" and "it" == str(error.exception)
    assert hasattr(error.exception, "_traceback")
from pyinfra_cli.cli import cli
words = ["-y", "--data", "a=1", "hosts.py", "--limit", "web1", "deploy.py", "--sudo"]
assert "hosts.py" == cli.make_context("it", words, resilient_parsing=True).params["inventory"]
import pyinfra
from pyinfra.api.output import set_formatter
assert pyinfra.is_cli is False
"""


def test_the_parts_of_the_pyinfra_command_that_relogin_drives() -> None:
    """In a process of its own: importing them patches the whole of it."""
    done = subprocess.run(
        [sys.executable, "-c", PARTS], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)


def test_a_host_connects_with_an_error_of_its_own(host) -> None:
    parameters = inspect.signature(Host.connect).parameters
    assert {"show_errors", "raise_exceptions"} <= set(parameters)


def test_the_stages_and_the_pool_of_a_state(unconnected) -> None:
    assert StateStage.Prepare < StateStage.Execute < StateStage.Disconnect
    assert (False, True) == (State.is_executing, hasattr(unconnected, "pool"))


def test_an_operation_keeps_the_function_that_it_was_made_from() -> None:
    @operation()
    def made(backend: int):
        yield backend

    assert [7] == list(made._inner(backend=7))
