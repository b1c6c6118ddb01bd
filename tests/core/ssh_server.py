"""An SSH server on this machine that runs commands by sh, after a login script of the test's."""

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import paramiko

REFUSED = "a-password-that-is-refused"
_LEFT = (OSError, EOFError, paramiko.SSHException)  # the client has left


class _Server(paramiko.ServerInterface):
    """Lets anybody in but who has one password.

    A login script that is None is a server that never says yes or no.
    """

    def __init__(self, login: str | None, *, forwards: bool) -> None:
        self.login, self.forwards = login, forwards
        self.wanted: dict[int, tuple[str, int]] = {}

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_FAILED if password == REFUSED else paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        if not self.forwards:
            return paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        self.wanted[chanid] = destination
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        if self.login is None:
            threading.Event().wait()
        script = f"{self.login}\n{command.decode()}"
        threading.Timer(0.05, _run, (script, channel)).start()  # once the client has its yes
        return True


def _run(script: str, channel: paramiko.Channel) -> None:
    process = subprocess.Popen(
        ["sh", "-c", script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    threading.Thread(target=_feed, args=(channel, process.stdin), daemon=True).start()
    with contextlib.suppress(*_LEFT):
        while data := os.read(process.stdout.fileno(), 65536):
            channel.sendall(data)
    process.stdout.close()
    with contextlib.suppress(*_LEFT):
        ended = process.wait()  # negative where a signal ended it, which no exit status can be
        channel.send_exit_status(128 - ended if ended < 0 else ended)
        channel.close()


def _feed(channel: paramiko.Channel, stdin: Any) -> None:
    with contextlib.suppress(*_LEFT), stdin:
        while data := channel.recv(65536):
            stdin.write(data)
            stdin.flush()


def _forward(transport: paramiko.Transport, server: _Server) -> None:
    while transport.is_active():
        channel = transport.accept(0.2)
        if channel is not None and (there := server.wanted.get(channel.get_id())) is not None:
            far = socket.create_connection(there)
            for ends in ((channel, far), (far, channel)):
                threading.Thread(target=_pump, args=ends, daemon=True).start()


def _pump(source: Any, target: Any) -> None:
    with contextlib.suppress(*_LEFT):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(*_LEFT):  # the connection may be gone by now
        target.close()


@contextlib.contextmanager
def serving_ssh(login: str | None = "", *, forwards: bool = False) -> Iterator[int]:
    """Serve one connection after another; give the port. `forwards` allows direct-tcpip."""
    key = paramiko.ECDSAKey.generate()
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                transport = paramiko.Transport(near)
                transport.add_server_key(key)
                transports.append(transport)
                server = _Server(login, forwards=forwards)
                with contextlib.suppress(*_LEFT):
                    transport.start_server(event=threading.Event(), server=server)
                if forwards:
                    threading.Thread(target=_forward, args=(transport, server), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for transport in transports:
        transport.close()
