"""A port of the host as a local pipe: sockets, relays run by real shells, TLS."""

import os
import shutil
import socket
import threading
from pathlib import Path

import paramiko
import pytest

from relogin import tunnel
from relogin.tunnel import Pipe, Refused, Tunnel, as_socket, listening
from tests.core.far_ends import Channel, Transport, closed_port, serving, through

LARGE = os.urandom(300_000)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short one: a socket's name has 107 bytes at most (unix(7))."""
    return tmp_path_factory.mktemp("s")


LOCAL = Tunnel(None)


def received(pipe: Pipe, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := pipe.recv(65536)):
        data += more
    return data


def test_a_local_host_is_reached_at_the_address_itself():
    with serving() as port:
        pipe = LOCAL.open("127.0.0.1", port, 5)
        pipe.sendall(b"hello")
        assert b"hello" == received(pipe, 5)
        pipe.close()


def test_an_address_that_begins_with_a_slash_is_the_folder_of_a_servers_socket(folder):
    with serving(unix=folder) as port:
        pipe = LOCAL.open(str(folder), port, 5)
        pipe.sendall(b"hello")
        assert b"hello" == received(pipe, 5)
        pipe.close()


@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_a_port_where_nobody_listens_is_refused(folder, where):
    address, port = ("127.0.0.1", closed_port()) if where == "tcp" else (str(folder), 5432)
    with pytest.raises(Refused, match=f"^nobody listens on {address}:{port}$"):
        LOCAL.open(address, port, 5)


RELAYS = [
    pytest.param(("python3",), id="python"),
    pytest.param((), id="bash", marks=pytest.mark.skipif(not shutil.which("bash"), reason="none")),
]


@pytest.mark.parametrize("pythons", RELAYS)
def test_where_forwarding_is_forbidden_a_relay_carries_every_byte(forbidding, pythons):
    with serving() as port:
        pipe = through(forbidding, pythons).open("127.0.0.1", port, 10)
        writer = threading.Thread(target=pipe.sendall, args=(LARGE,))
        writer.start()
        assert LARGE == received(pipe, len(LARGE))
        writer.join()
    assert ["direct-tcpip", "session"] == forbidding.asked


@pytest.mark.parametrize("pythons", RELAYS)
def test_a_relay_says_that_nobody_listens(forbidding, pythons):
    port = closed_port()
    with pytest.raises(Refused, match=f"^nobody listens on 127.0.0.1:{port}$"):
        through(forbidding, pythons).open("127.0.0.1", port, 10)


def test_a_relay_reaches_a_unix_socket_and_forwarding_is_not_even_asked(forbidding, folder):
    with serving(unix=folder) as port:
        pipe = through(forbidding).open(str(folder), port, 10)
        pipe.sendall(b"hello")
        assert b"hello" == received(pipe, 5)
    assert ["session"] == forbidding.asked


def test_a_relay_says_that_there_is_no_such_socket(forbidding, folder):
    with pytest.raises(Refused):
        through(forbidding).open(str(folder), 5432, 10)


def test_forwarding_is_asked_once_where_it_is_forbidden(forbidding):
    with serving() as port:
        tunnel = through(forbidding)
        for _ in range(2):
            tunnel.open("127.0.0.1", port, 10)
    assert ["direct-tcpip", "session", "session"] == forbidding.asked


def test_the_backends_own_python_is_tried_first_and_a_missing_one_passed_over(forbidding, tmp_path):
    own = tmp_path / "it's own"
    own.write_text(f'#!/bin/sh\necho "$0" >{tmp_path}/ran; exec python3 "$@"\n')
    own.chmod(0o755)
    with serving() as port:
        tried = ("/nosuch/env/bin/python", str(own), "python3")
        through(forbidding, tried).open("127.0.0.1", port, 10)
    assert f"{own}\n" == (tmp_path / "ran").read_text()


def test_without_any_relay_one_line_says_what_to_allow(forbidding, monkeypatch):
    monkeypatch.setattr(tunnel, "_RELAY_BY_BASH", "exit 127")
    with pytest.raises(OSError, match=r"AllowTcpForwarding local, PermitOpen 127.0.0.1:1$"):
        through(forbidding, ()).open("127.0.0.1", 1, 10)


def test_an_open_that_fails_on_the_host_is_a_refusal_and_no_relay_is_tried():
    transport = Transport(code=2)
    with pytest.raises(Refused, match=r"^nobody listens on 127.0.0.1:1$"):
        through(transport).open("127.0.0.1", 1, 5)
    assert ["direct-tcpip"] == transport.asked


def test_a_socket_stays_and_a_channel_gets_one():
    with serving() as port:
        plain = LOCAL.open("127.0.0.1", port, 5)
        assert plain is as_socket(plain)
        made = as_socket(Channel("cat"))
        made.settimeout(10)
        writer = threading.Thread(target=made.sendall, args=(LARGE,))
        writer.start()
        assert LARGE == received(made, len(LARGE))
        writer.join()
        plain.close()
        made.close()


def test_a_listener_passes_its_first_connection_on_and_later_ones_too(folder):
    path = str(folder / "socket")
    with serving() as port, listening(LOCAL, "127.0.0.1", port, path):
        for word in (b"first", b"second"):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(path)
                client.sendall(word)
                assert word == received(client, len(word))


def test_a_listener_on_a_refused_port_says_so_before_anybody_connects(folder):
    port = closed_port()
    with pytest.raises(Refused), listening(LOCAL, "127.0.0.1", port, str(folder / "socket")):
        pytest.fail("it listens")
    assert not (folder / "socket").exists()


def test_a_listener_ends_with_its_block(folder):
    path = str(folder / "socket")
    with serving() as port, listening(LOCAL, "127.0.0.1", port, path):
        pass
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(path)


class Lost:
    """A transport whose connection is gone, as paramiko says it."""

    def open_channel(self, *words: object, **options: object) -> None:
        raise paramiko.SSHException("SSH session not active")

    open_session = open_channel


@pytest.mark.parametrize("address", ["127.0.0.1", "/run/postgresql"])
def test_a_connection_that_is_gone_is_an_os_error(address):
    """Any other exception would leave an operation and abort every host of the run."""
    with pytest.raises(OSError, match=r"^the connection to the host failed: SSH session not"):
        through(Lost()).open(address, 5432, 1)
