"""What remote.py uses of a host and its connector."""

import inspect
import io
from importlib.metadata import version

import click
import paramiko
import pyinfra
import pytest
from pyinfra.api import Config, Inventory, State, StringCommand
from pyinfra.api.host import Host
from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.local import LocalConnector
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.sshuserclient import SSHClient
from pyinfra.connectors.util import CommandOutput, write_stdin

from tests.core.runs import connected, logged
from tests.surface.conftest import DATA


def test_the_version_is_the_one_that_all_this_was_read_from():
    assert (3, 10) == tuple(map(int, version("pyinfra").split(".")[:2]))


def test_a_host_runs_a_command_with_its_stdin_and_prints_nothing(capfd):
    """`_stdin` is a list; the answer a status, and lines by the buffer that they came from."""
    with connected() as (_, host):
        ok, output = host.run_shell_command(
            StringCommand("cat; echo bad >&2"),
            print_output=False,
            print_input=False,
            _stdin=["first", "second\n"],
            _timeout=10,
        )
    lines = [(line.buffer_name, line.line) for line in output]
    assert (True, CommandOutput) == (ok, type(output))
    assert [("stdout", "first"), ("stdout", "second")] == [
        one for one in lines if one[0] == "stdout"
    ]
    assert ("stderr", "bad") in lines
    captured = capfd.readouterr()
    assert ("", "") == (captured.out, captured.err)


@pytest.mark.parametrize("connector", [BaseConnector, LocalConnector, SSHConnector])
def test_every_connector_takes_what_the_host_passes_on(connector):
    known = list(inspect.signature(connector.run_shell_command).parameters.values())
    assert ["self", "command", "print_output", "print_input"] == [one.name for one in known[:4]]
    assert inspect.Parameter.VAR_KEYWORD is known[-1].kind


def test_a_host_passes_its_arguments_on_to_the_connector(host):
    assert "self.connector.run_shell_command(*args, **kwargs)" in inspect.getsource(
        Host.run_shell_command
    )
    assert isinstance(host.connector, LocalConnector)


def test_a_command_that_takes_too_long_raises_a_timeout_error():
    with connected() as (_, host), pytest.raises(TimeoutError):
        host.run_shell_command(StringCommand("exec sleep 20"), _timeout=1)


def test_a_command_is_one_shell_word_as_it_was_given():
    """The scripts that begin the private channel hold quotes and newlines."""
    with connected() as (_, host):
        _, output = host.run_shell_command(StringCommand('IFS= read -r p\necho "$p" \'"\''))
        assert [' "'] == output.stdout_lines
        _, output = host.run_shell_command(StringCommand("read -r _; echo $0"), _stdin=["x"])
        assert ["sh"] == output.stdout_lines


def test_stdin_gets_a_newline_after_every_item_and_is_closed():
    class Kept(io.BytesIO):
        def close(self) -> None:
            self.kept = self.getvalue()
            super().close()

    for items in (["a", "b\n"], "a\nb"):
        buffer = Kept()
        write_stdin(items, buffer)
        assert (True, b"a\nb\n") == (buffer.closed, buffer.kept)


def test_a_hosts_connector_data_is_a_dictionary_of_its_own(host):
    assert {} == host.connector_data
    assert host.connector_data is host.connector_data


def test_what_a_hosts_data_gives(host):
    """A copy each time, the host's before its groups'; None where there is nothing."""
    assert (1, "host's", 2, None) == tuple(
        host.data.get(name) for name in ("one", "shared", "two", "_sudo")
    )
    assert {**DATA, "two": 2} == {name: host.data.dict()[name] for name in ("one", "shared", "two")}


def test_a_hosts_data_are_copies():
    class Counted:
        copies = 0

        def __copy__(self) -> "Counted":
            Counted.copies += 1
            return self

    inventory = Inventory(([("@local", {"it": Counted()})], {}))
    State(inventory, Config())
    inventory.get_host("@local").data.get("it")
    assert Counted.copies


def test_an_ssh_connector_keeps_its_client_and_that_its_transport(host):
    assert "self.client = SSHClient()" in inspect.getsource(SSHConnector._connect)
    assert issubclass(SSHClient, paramiko.SSHClient)
    assert callable(SSHClient.get_transport)
    assert not hasattr(host.connector, "client")


def test_what_is_said_of_a_host_has_its_name_before_it(host):
    with logged() as lines:
        host.log_styled("words", fg="red", log_func=pyinfra.logger.error)
    assert ["[@local] words"] == [click.unstyle(line) for line in lines]
    assert "@local" == host.name
