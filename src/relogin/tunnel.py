"""A port of the host, reached from the control machine."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import gevent
import paramiko

from relogin import shell
from relogin.finding import Unreadable
from relogin.wire import ssh_transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyinfra.api.host import Host

    from relogin.backend import Backend


# Connections whose server forbids forwarding: of requests that find that out side by side paramiko
# tells only one why (Transport.saved_exception).
_relayed: weakref.WeakSet[Any] = weakref.WeakSet()
_PROHIBITED = 1  # RFC 4254, 5.1: SSH_OPEN_ADMINISTRATIVELY_PROHIBITED


class _PromptSocket:
    """Send at once and acknowledge at once; the kernel forgets TCP_QUICKACK after a while.

    Nagle's algorithm and delayed acknowledgements cost 40 ms at each stage of an SSH connection.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def recv(self, size: int) -> bytes:
        data = self._sock.recv(size)
        if hasattr(socket, "TCP_QUICKACK"):  # Linux only
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _prompt_transport(sock: Any, **kwargs: Any) -> paramiko.Transport:
    plain = isinstance(sock, socket.socket)  # through a ProxyJump it is a channel: left as it is
    return paramiko.Transport(_PromptSocket(sock) if plain else sock, **kwargs)  # type: ignore[arg-type]


prompt_ssh: dict[str, Any] = {"transport_factory": _prompt_transport, "compress": True}
"""For a host's data: `ssh_paramiko_connect_kwargs = prompt_ssh` saves some 0.15 s a host."""


class Pipe(Protocol):
    """What a tunnel's end can do: a socket and a channel of paramiko both can."""

    def settimeout(self, timeout: float | None, /) -> None: ...
    def recv(self, size: int, /) -> bytes: ...
    def sendall(self, data: bytes, /) -> None: ...
    def close(self) -> None: ...


class Refused(ConnectionError):
    """Raised where nobody listens on the host's port, as the host itself says."""


@dataclass
class Tunnel:
    """Open connections from the host itself to an address that it sees.

    Over SSH that is a direct-tcpip channel; where the server forbids forwarding, a relay over an
    exec channel (a Python of `pythons`, else bash); for a local host the address itself. An address
    that begins with `/` is the folder of a PostgreSQL server's unix socket.
    """

    transport: paramiko.Transport | None
    pythons: tuple[str, ...] = ("python3",)

    @classmethod
    def to(cls, host: Host, backend: Backend) -> Tunnel:
        """Give the tunnel to a host; a relay is run by the backend's own Python first."""
        own = (f"{backend.venv.path}/bin/python",) if backend.venv else ()
        return cls(ssh_transport(host), (*own, "python3"))

    def open(self, address: str, port: int, timeout: float) -> Pipe:
        """Connect.

        Raises:
            Refused: nobody listens there.
            OSError: the connection to the host is lost, or neither forwarding nor a relay is
                possible; the message says what to allow.
        """
        if self.transport is None:
            return self._direct(address, port, timeout)
        try:
            return self._over_ssh(self.transport, address, port, timeout)
        except (paramiko.SSHException, EOFError) as error:
            raise OSError(f"the connection to the host failed: {error}") from None

    def _over_ssh(self, transport: Any, address: str, port: int, timeout: float) -> Pipe:
        if transport not in _relayed and not address.startswith("/"):
            try:
                channel: Pipe = transport.open_channel(
                    "direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=timeout
                )
            except paramiko.ChannelException as error:
                if error.code != _PROHIBITED:
                    raise Refused(f"nobody listens on {address}:{port}") from None
                _relayed.add(transport)
            else:
                return channel
        return self._relay(transport, address, port, timeout)

    def _direct(self, address: str, port: int, timeout: float) -> socket.socket:
        try:
            if not address.startswith("/"):
                return socket.create_connection((address, port), timeout)
            with contextlib.ExitStack() as failing:
                local = failing.enter_context(socket.socket(socket.AF_UNIX))
                local.settimeout(timeout)
                local.connect(f"{address}/.s.PGSQL.{port}")
                failing.pop_all()
        except (ConnectionRefusedError, FileNotFoundError):
            raise Refused(f"nobody listens on {address}:{port}") from None
        return local

    def _relay(self, transport: Any, address: str, port: int, timeout: float) -> Pipe:
        channel = transport.open_session(timeout=timeout)
        channel.settimeout(timeout)
        with gevent.Timeout(timeout, TimeoutError("no answer in time")):  # paramiko has none here
            channel.exec_command(_relay_command(self.pythons, address, port))
        first = channel.recv(1)
        if first == b"+":
            return channel  # type: ignore[no-any-return]
        channel.close()
        if first == b"-":
            raise Refused(f"nobody listens on {address}:{port}")
        if address.startswith("/"):
            raise OSError(f"there is no Python on the host for a relay to the socket in {address}")
        raise OSError(
            "sshd forbids forwarding and there is neither Python nor bash for a relay; "
            f"allow it for this user: AllowTcpForwarding local, PermitOpen {address}:{port}"
        )


_RELAY = """\
import os,socket,sys,threading
a,p=sys.argv[1:]
try:
    if a[0]=="/": s=socket.socket(socket.AF_UNIX); s.connect(a+"/.s.PGSQL."+p)
    else: s=socket.create_connection((a,int(p)),10)
except OSError: os.write(1,b"-"); sys.exit()
s.settimeout(None); os.write(1,b"+")
def down():
    while d:=s.recv(65536): os.write(1,d)
    os._exit(0)
threading.Thread(target=down,daemon=True).start()
while d:=os.read(0,65536): s.sendall(d)
s.shutdown(socket.SHUT_WR); threading.Event().wait(30)
"""
_RELAY_BY_BASH = """\
if (exec 3<>"/dev/tcp/$0/$1") 2>/dev/null; then exec 3<>"/dev/tcp/$0/$1"; printf +
else printf -; exit; fi
cat <&3 & cat >&3; wait
"""


def _relay_command(pythons: tuple[str, ...], address: str, port: int) -> str:
    target = shell.words([address, str(port)])
    code = base64.b64encode(_RELAY.encode()).decode()
    load = shell.quote(f"import base64;exec(base64.b64decode('{code}'))")
    tries = [
        f"if command -v {python} >/dev/null; then exec {python} -I -c {load} {target}; fi"
        for python in map(shell.quote, pythons)
    ]
    script = "; ".join([*tries, f"exec bash -c {shell.quote(_RELAY_BY_BASH)} {target}"])
    return f"sh -c {shell.quote(shell.portable(script))}"


def as_socket(pipe: Pipe) -> socket.socket:
    """Give a real socket for a channel, as TLS needs one: a pair with a pump at the far end."""
    if isinstance(pipe, socket.socket):
        return pipe
    near, far = socket.socketpair()
    _pump_both(far, pipe)
    return near


@contextlib.contextmanager
def listening(tunnel: Tunnel, address: str, port: int, path: str) -> Iterator[None]:
    """Listen on a unix socket, in a folder that only we can enter, for libpq to connect to.

    The first connection is opened before, so that a refused port is told from a broken login.

    Raises:
        Refused, OSError: as `Tunnel.open`.
    """
    first = [tunnel.open(address, port, 10)]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(4)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                _pump_both(near, first.pop() if first else tunnel.open(address, port, 10))

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for pipe in first:
            pipe.close()


def _pump_both(near: socket.socket, far: Pipe) -> None:
    for source, target in ((near, far), (far, near)):
        threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: Pipe, target: Pipe) -> None:
    with contextlib.suppress(OSError, EOFError):
        source.settimeout(None)
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError, EOFError):
            end.close()


def unreadable(error: Exception) -> Unreadable:
    """Say in one line why a port could not be asked."""
    return Unreadable(str(error) or type(error).__name__)
