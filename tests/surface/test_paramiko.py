"""What tunnel.py uses of paramiko."""

import inspect
import logging
import sys

import paramiko
from pyinfra.connectors import ssh
from pyinfra.connectors.sshuserclient import SSHClient


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


def test_a_transport_asks_for_a_sign_of_life_and_is_kept_alive():
    """A request waits without end, but for the transport to end; wire.alive bounds it."""
    source = inspect.getsource(paramiko.Transport.global_request)
    assert "if not self.active" in source
    assert "self.completion_event.wait(0.1)" in source
    assert callable(paramiko.Transport.set_keepalive)


def test_a_transport_that_is_closed_wakes_whoever_waits_for_one_of_its_channels():
    assert "chan._unlink()" in inspect.getsource(paramiko.Transport.close)
    assert "self.event.set()" in inspect.getsource(paramiko.Channel._set_closed)
    assert "self.event.wait()" in inspect.getsource(paramiko.Channel._wait_for_event)


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
