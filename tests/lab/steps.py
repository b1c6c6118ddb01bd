"""The test's side of `interrupted`: what happens at which remote command of a run."""

import os
import random
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
SEED = int(os.environ.get("RELOGIN_TEST_SEED") or 20261121)


def sample(cases: Sequence[T], count: int) -> list[T]:
    """Give some of the cases, by the seed that pytest prints; RELOGIN_TEST_ALL=1 gives them all."""
    if os.environ.get("RELOGIN_TEST_ALL"):
        return list(cases)
    return random.Random(SEED).sample(list(cases), count)


def only_counting(*_: object) -> None:
    """Let a run go on, at whatever step."""


@dataclass
class Steps:
    """The moments that a run has come to, in order: (host, number, moment).

    A moment is `begin`, `sent` or `done` of the remote command of that number, or a `request`.
    """

    program: tuple[str, ...]
    seen: list[tuple[str, int, str]] = field(default_factory=list)

    def count(self, host: str, moment: str = "begin") -> int:
        return sum((host, moment) == (name, what) for name, _, what in self.seen)


Act = Callable[[str, int, str, int], None]


@contextmanager
def stepping(act: Act) -> Iterator[Steps]:
    """Give the program that runs in steps; `act(host, number, moment, pid)` is done at each."""
    with tempfile.TemporaryDirectory(prefix="steps-") as folder:
        path = str(Path(folder, "line"))
        steps = Steps((sys.executable, "-m", "tests.lab.interrupted", path))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)

        def one(line: socket.socket) -> None:
            with line, suppress(OSError):
                host, number, moment = line.makefile().readline().split()
                steps.seen.append((host, int(number), moment))
                peer = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
                act(host, int(number), moment, int.from_bytes(peer[:4], sys.byteorder))
                line.sendall(b"+")

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield steps
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
