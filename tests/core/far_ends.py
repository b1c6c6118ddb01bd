"""Far ends for tunnels: real servers and processes on this machine, behind what paramiko gives."""

import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko

from relogin.tunnel import Tunnel

Serve = Callable[[socket.socket], None]


def echo(connection: socket.socket) -> None:
    """Send back what comes, and a last word once the other side has ended."""
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.sendall(b"bye")


@contextlib.contextmanager
def serving(serve: Serve = echo, unix: Path | None = None) -> Iterator[int]:
    """Serve connections, on a TCP port of loopback or a PostgreSQL-like unix socket."""
    listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    listener.bind(f"{unix}/.s.PGSQL.5432" if unix else ("127.0.0.1", 0))
    listener.listen(8)

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            serve(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield 5432 if unix else listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@contextlib.contextmanager
def full() -> Iterator[int]:
    """Give a port that answers nobody, as behind a firewall: its queue of connections is full."""
    with contextlib.ExitStack() as waiting:
        listener = waiting.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def closed_port() -> int:
    with serving() as port:
        pass
    return port


class Channel:
    """What paramiko gives: no socket, but what a pipe has. The far end is a real process."""

    def __init__(self, command: str) -> None:
        near, far = socket.socketpair()
        self.socket = near
        self.process = subprocess.Popen(
            ["sh", "-c", command], stdin=far, stdout=far, stderr=subprocess.DEVNULL
        )
        far.close()

    def settimeout(self, timeout: float | None) -> None:
        self.socket.settimeout(timeout)

    def recv(self, size: int) -> bytes:
        return self.socket.recv(size)

    def sendall(self, data: bytes) -> None:
        self.socket.sendall(data)

    def close(self) -> None:
        self.socket.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Transport:
    """An SSH connection whose server forbids forwarding; commands run here, by sh."""

    def __init__(self, code: int = 1) -> None:
        self.code = code
        self.asked: list[str] = []
        self.opened: list[Any] = []

    def open_channel(self, kind: str, address: Any, origin: Any, timeout: float) -> Any:
        self.asked.append(kind)
        raise paramiko.ChannelException(self.code, "no")

    def open_session(self, timeout: float) -> Any:
        self.asked.append("session")
        transport = self

        class Session:
            def settimeout(self, timeout: float | None) -> None:
                self.timeout = timeout

            def exec_command(self, command: str) -> None:
                self.channel = Channel(command)
                self.channel.settimeout(self.timeout)
                transport.opened.append(self.channel)

            def __getattr__(self, name: str) -> Any:
                return getattr(self.channel, name)

        return Session()


def through(transport: Any, pythons: tuple[str, ...] = ("python3",)) -> Tunnel:
    return Tunnel(transport, pythons)
