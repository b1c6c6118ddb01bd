"""Every part of pyinfra 3.10 and paramiko that relogin uses and nobody promises to keep.

Where one of these is red after an upgrade, the name says what has to be looked at, and where.
"""

import copy
import importlib.util
import inspect
import io
import logging
import subprocess
import sys
import weakref
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import paramiko
import pyinfra
import pytest
from pyinfra.api import Config, FunctionCommand, Inventory, State, StringCommand, operation
from pyinfra.api.connect import connect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.operation import add_op
from pyinfra.api.operations import run_ops
from pyinfra.api.state import StateStage
from pyinfra.connectors import ssh
from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.local import LocalConnector
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.sshuserclient import SSHClient
from pyinfra.connectors.util import CommandOutput, write_stdin
from pyinfra.context import ctx_host, ctx_state

from tests.core.runs import connected, logged

DATA = {"one": 1, "shared": "host's"}


@pytest.fixture
def unconnected() -> State:
    groups = {"web": (["@local"], {"shared": "web's", "two": 2}), "other": ([], {})}
    return State(Inventory(([("@local", DATA)], {}), **groups), Config())


@pytest.fixture
def host(unconnected: State) -> Any:
    return unconnected.inventory.get_host("@local")


def test_the_version_is_the_one_that_all_this_was_read_from():
    assert (3, 10) == tuple(map(int, version("pyinfra").split(".")[:2]))


# remote.py


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
        _, output = host.run_shell_command(StringCommand("echo $0"), _stdin=["x"])
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


def test_the_sudo_password_of_the_command_line_is_in_the_config(host):
    """And USE_SUDO_PASSWORD is there only where the command was given that option."""
    config = host.state.config
    assert (None, False) == (config.SUDO_PASSWORD, hasattr(config, "USE_SUDO_PASSWORD"))
    config.SUDO_PASSWORD = "set by us"
    assert "set by us" == config.SUDO_PASSWORD
    assert "config.USE_SUDO_PASSWORD = use_sudo_password" in of_the_command("cli.py")


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


# mend.py, run.py


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


# tunnel.py


def test_paramikos_own_options_are_taken_from_the_hosts_data():
    assert "ssh_paramiko_connect_kwargs" in ssh.connector_data_meta
    assert "config.update(_pyinfra_ssh_paramiko_connect_kwargs)" in inspect.getsource(SSHClient)


def test_what_the_tunnel_asks_of_paramiko():
    connect = inspect.signature(paramiko.SSHClient.connect).parameters
    assert "transport_factory" in connect
    first = next(iter(inspect.signature(paramiko.Transport.__init__).parameters.items()))
    assert "self" == first[0]
    opened = list(inspect.signature(paramiko.Transport.open_channel).parameters)
    assert ["self", "kind", "dest_addr", "src_addr"] == opened[:4]
    assert "timeout" in opened
    assert "timeout" in inspect.signature(paramiko.Transport.open_session).parameters
    for name in ("settimeout", "recv", "sendall", "close", "exec_command", "makefile"):
        assert callable(getattr(paramiko.Channel, name))


def test_a_transport_bounds_how_long_opening_a_channel_takes_and_keeps_alive():
    source = inspect.getsource(paramiko.Transport)
    assert "self.channel_timeout = " in source
    assert "timeout = self.channel_timeout" in inspect.getsource(paramiko.Transport.open_channel)
    assert callable(paramiko.Transport.set_keepalive)


def test_a_channel_that_could_not_be_opened_has_a_code():
    """RFC 4254, 5.1: 1 is forbidden by the server, 2 refused on the host."""
    assert 1 == paramiko.ChannelException(1, "Administratively prohibited").code
    assert issubclass(paramiko.ChannelException, paramiko.SSHException)


def test_paramiko_logs_under_its_own_name():
    import relogin.remote

    assert relogin.remote
    handlers = logging.getLogger("paramiko").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


def test_a_transport_writes_with_send_and_closes_its_socket():
    """_PromptSocket stands in for a socket: everything but recv is the socket's own."""
    source = inspect.getsource(sys.modules[paramiko.Transport.__module__])
    packet = inspect.getsource(sys.modules["paramiko.packet"])
    assert "self.sock.settimeout(" in source
    assert "self.__socket.recv(" in packet
    assert "self.__socket.send(" in packet


# secret.py


def test_the_file_that_is_being_executed_is_known_while_it_is(tmp_path):
    text = "from pyinfra.context import ctx_state\nname = ctx_state.get().current_exec_filename\n"
    (tmp_path / "group_data").mkdir()
    (tmp_path / "group_data/all.py").write_text(text)
    (tmp_path / "inventory.py").write_text("hosts = ['@local']\n")
    said = command(tmp_path, "inventory.py", "debug-inventory")
    assert '"name": "' in said
    assert "group_data/all.py" in said
    assert None is State.current_exec_filename


# deploys/*.py, report/text.py


def test_a_loop_keeps_its_position_for_the_order_of_operations(host):
    positions = [(name, *host.loop_position) for name in host.loop(["a", "b"])]
    assert [("a", 0), ("b", 1)] == positions
    assert [] == host.loop_position


def test_what_an_inventory_gives(unconnected, host):
    inventory = unconnected.inventory
    assert [host] == list(inventory)
    assert {"shared": "web's", "two": 2} == inventory.get_group_data("web")
    assert {} == inventory.get_group_data("nosuch")
    assert ["web", "@local"] == list(dict.fromkeys(host.groups))  # an @ host's are there twice


def test_which_hosts_were_reached_and_which_are_within_the_limit(unconnected, host):
    assert (set(), True) == (unconnected.activated_hosts, unconnected.is_host_in_limit(host))
    unconnected.limit_hosts = []
    assert not unconnected.is_host_in_limit(host)
    unconnected.activate_host(host)
    assert {host} == unconnected.activated_hosts
    assert set() == unconnected.failed_hosts


def test_connecting_is_what_activates_a_host(unconnected, host):
    with ctx_state.use(unconnected):
        unconnected.set_stage(StateStage.Connect)
        connect_all(unconnected)
    assert {host} == unconnected.activated_hosts


def test_a_deploy_file_is_executed_under_the_name_builtins(tmp_path):
    (tmp_path / "deploy.py").write_text("print('name is', __name__)\n")
    (tmp_path / "inventory.py").write_text("hosts = ['@local']\n")
    assert "name is builtins" in command(tmp_path, "inventory.py", "deploy.py", "-y")


def test_an_error_of_pyinfras_kind_without_a_traceback_is_one_line(tmp_path):
    """It prints the last frame before the message, but for an error without one."""
    text = "import relogin\nraise relogin.ProfileError('so it is')\n"
    (tmp_path / "inventory.py").write_text(text)
    said = command(tmp_path, "inventory.py", "debug-inventory", status=1)
    assert "--> pyinfra error: so it is\n" in said
    assert not (tmp_path / "pyinfra-debug.log").exists()


def test_hosts_that_failed_make_the_command_fail(tmp_path):
    text = "from pyinfra import host, state\nstate.failed_hosts.add(host)\n"
    (tmp_path / "deploy.py").write_text(text)
    (tmp_path / "inventory.py").write_text("hosts = ['@local']\n")
    command(tmp_path, "inventory.py", "deploy.py", "-y", status=1)


def test_a_value_of_a_hosts_data_is_written_by_its_to_json(tmp_path):
    text = "class It:\n    def to_json(self):\n        return 'as it says'\n\n\nit = It()\n"
    (tmp_path / "group_data").mkdir()
    (tmp_path / "group_data/all.py").write_text(text + "del It\n")
    (tmp_path / "inventory.py").write_text("hosts = ['@local']\n")
    assert '"it": "as it says"' in command(tmp_path, "inventory.py", "debug-inventory")


def test_copies_of_host_data_are_made_by_copy():
    assert copy.copy is not copy.deepcopy
    source = inspect.getsource(sys.modules["pyinfra.api.host"])
    assert "copy(" in source
    assert "deepcopy(" not in source


def of_the_command(file: str) -> str:
    """Read a module of pyinfra_cli; importing it would patch this whole process."""
    found = importlib.util.find_spec("pyinfra_cli")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).with_name(file).read_text()


def command(folder: Path, *words: str, status: int = 0) -> str:
    done = subprocess.run(
        [Path(sys.executable).with_name("pyinfra"), *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert status == done.returncode, done.stderr
    return done.stdout + done.stderr
