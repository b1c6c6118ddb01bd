"""A line to a host: a port of this machine that leads there, and can be cut or go dead."""

import socket
import struct
import threading
from collections import Counter
from contextlib import suppress

_RESET = struct.pack("ii", 1, 0)  # socket(7), SO_LINGER: close sends a reset


class Line:
    """Forward connections to an address; `counts` has `connections` and the bytes each way.

    `turns` are how often something is sent behind an answer: no fewer than the round trips.
    """

    def __init__(self, address: str, port: int = 22) -> None:
        self.counts: Counter[str] = Counter()
        self._far = address, port
        self._ends: list[socket.socket] = []
        self._flows = threading.Event()
        self._flows.set()
        self._up = True
        self._last = "sent"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> "Line":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flows.set()
        self.cut()

    def cut(self) -> None:
        """Reset every connection, at both ends; others can be made at once."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RD)  # whoever reads it lets go of it
            end.close()

    def freeze(self) -> None:
        """Let nothing through any more, without a word to either end."""
        self._flows.clear()

    def down(self) -> None:
        """Reset every connection, and each one that is tried, until it is `up` again."""
        self._up = False
        self.cut()

    def up(self) -> None:
        """Let connections be made again."""
        self._up = True

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if not self._up:
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    near.close()
                    continue
                far = socket.create_connection(self._far)
                self.counts["connections"] += 1
                self._last = "sent"
                self._ends += (near, far)
                for ends in ((near, far, "sent"), (far, near, "received")):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                self.counts[direction] += len(data)
                self.counts["turns"] += (self._last, direction) == ("received", "sent")
                self._last = direction
                target.sendall(data)
            if source in self._ends:
                target.shutdown(socket.SHUT_WR)
