"""One command on a host: bytes in, bytes out, within a deadline and a size.

Over SSH it has a channel of its own: pyinfra's way would wait without end for a host that freezes,
and show a traceback for one byte of a login script's banner that is not UTF-8. To any other host
(`@local`, containers) the way is pyinfra's.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import gevent
from paramiko import SSHException
from pyinfra.api import StringCommand

from relogin import shell

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from pyinfra.api.host import Host

PATIENCE = 15.0
"""How many seconds a host may take to show a sign of life."""
_ASKED_EVERY = 5.0
_LIMIT = 16_000_000
_SILENT: WeakKeyDictionary[Any, str] = WeakKeyDictionary()  # why a connection was closed by us


class Cut(Exception):
    """Raised where the end of an answer did not arrive; the message says why, behind a colon.

    `begun` tells whether the host may have acted: a script that did not arrive whole is not run.
    `held` are the leases there, where somebody else's change was in the way.
    """

    def __init__(self, why: str, *, begun: bool = True, held: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.begun, self.held = begun, held


def run(
    host: Host,
    command: str,
    stdin: str,
    *,
    deadline: float,
    end: re.Pattern[bytes],
    sent: Callable[[], object] | None = None,
) -> bytes:
    """Give what a POSIX shell command writes on its standard output, until `end` is found in it.

    Its standard error is dropped. What the host's login scripts write stands before it. `sent` is
    called once the host has all that it needs to begin; over anything but SSH just before that.

    Raises:
        Cut: it took more than `deadline` seconds, wrote too much, or the connection was lost.
    """
    transport = ssh_transport(host)
    if transport is None:
        if sent is not None:
            sent()
        return _by_pyinfra(host, command, stdin, deadline)
    call = _Call(transport, sent)
    watch = gevent.spawn(call.watch)
    limit = gevent.Timeout(deadline)
    try:
        with limit:
            return call.answer(f"sh -c {shell.quote(command)}", stdin.encode(), end)
    except gevent.Timeout as timeout:
        if timeout is not limit:
            raise
        call.give_up()
        raise _late(deadline, begun=call.begun) from None
    except (EOFError, OSError, SSHException) as error:
        raise Cut(_SILENT.get(transport) or _lost(error), begun=call.begun) from None
    finally:
        watch.kill()


class _Call:
    """A command on its way over SSH, and what is known of it from the outside."""

    def __init__(self, transport: Any, sent: Callable[[], object] | None) -> None:
        self._transport = transport
        self._when_sent = sent
        self._channel: Any = None
        self._sent = False
        self.begun = False

    def answer(self, command: str, stdin: bytes, end: re.Pattern[bytes]) -> bytes:
        self._channel = self._transport.open_session()
        self._channel.exec_command(command)
        self.begun = True
        with contextlib.suppress(OSError):  # where the host ended it before: what it said is read
            self._channel.sendall(stdin)
            self._channel.shutdown_write()
        self._sent = True
        if self._when_sent is not None:
            self._when_sent()
        return self._read(end)

    def _read(self, end: re.Pattern[bytes]) -> bytes:
        """Read to the end; a child that holds the output open longer is not waited for."""
        received = bytearray()
        while data := self._channel.recv(65536):
            before = len(received)
            received += data
            if end.search(received, max(0, before - 200)):
                self._channel.close()
                return bytes(received)
            if len(received) > _LIMIT:
                self._channel.close()
                raise Cut(f"its answer is longer than {_LIMIT // 1_000_000} MB")
        if not self._transport.is_active():
            lost = "the connection was lost before the answer was complete"
            raise Cut(_SILENT.get(self._transport, lost))
        return bytes(received)

    def watch(self) -> None:
        """Close the connection once the host shows no sign of life; whoever waits then gets on."""
        while True:
            gevent.sleep(_ASKED_EVERY)
            if not alive(self._transport) and self._transport.is_active():
                _end_silent(self._transport, PATIENCE + _ASKED_EVERY)

    def give_up(self) -> None:
        """Leave the command alone; a packet that was cut in the middle spoils the connection."""
        if self._sent:
            self._channel.close()
        else:
            self._transport.close()


def alive(transport: Any) -> bool:
    """Tell whether the far end still answers: every such request gets a reply (RFC 4254, 4)."""
    with gevent.Timeout(PATIENCE, False), contextlib.suppress(EOFError, OSError, SSHException):
        transport.global_request("keepalive@openssh.com", wait=True)
        return bool(transport.is_active())
    return False


def reaches(host: Host) -> bool:
    """Tell whether the host is still there; where it is not, nobody waits for it again."""
    transport = ssh_transport(host)
    if transport is None or alive(transport):
        return True
    _end_silent(transport, PATIENCE)
    return False


def _end_silent(transport: Any, seconds: float) -> None:
    """Close the connection of a host that does not answer: all that wait for it say why."""
    _SILENT[transport] = f"no sign of life from the host for {seconds:g} s"
    transport.close()


def ssh_transport(host: Host) -> Any:
    """Give the host's paramiko transport, or None where it is not reached over SSH."""
    client = getattr(host.connector, "client", None)
    return client.get_transport() if client is not None else None


def let_go(host: Host) -> None:
    """Close what a host was reached by, also where it refused us, and keep nothing of it.

    pyinfra leaves the connection open, and a client keeps its buffers and its last error's frames.
    """
    connector: Any = host.connector
    transport = ssh_transport(host)
    with contextlib.suppress(Exception):  # it may be gone already
        host.disconnect()
    if transport is not None:
        transport.close()
    if getattr(connector, "client", None) is not None:
        connector.client = None


def _by_pyinfra(host: Host, command: str, stdin: str, deadline: float) -> bytes:
    try:
        _, output = host.run_shell_command(
            StringCommand(command),
            print_output=False,
            print_input=False,
            _stdin=[stdin],
            _timeout=deadline,
        )
    except TimeoutError:
        raise _late(deadline) from None
    except Exception as error:  # noqa: BLE001 # a connector may raise anything
        raise Cut(_lost(error)) from None
    return "\n".join(line.line for line in output if line.buffer_name == "stdout").encode() + b"\n"


def _late(deadline: float, *, begun: bool = True) -> Cut:
    running = "; what was running may still run" if begun else ""
    return Cut(f"no answer within {deadline:g} s{running}", begun=begun)


def _lost(error: BaseException) -> str:
    said = f": {error}" if str(error) else ""
    return f"the connection failed: {type(error).__name__}{said}"
