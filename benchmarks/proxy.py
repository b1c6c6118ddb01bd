"""A TCP proxy that counts what passes, and can hold it back as a long line would."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Traffic:
    """Connections, and bytes up (from the control machine) and down."""

    connections: int = 0
    up: int = 0
    down: int = 0


class _Proxy:
    def __init__(self, address: str, delay: float) -> None:
        self.address, self.delay = address, delay
        self.traffic = Traffic()
        self.port = 0
        self.listening = threading.Event()

    async def listen(self) -> None:
        self.loop, self.done = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.listening.set()
            await self.done.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.traffic.connections += 1
        far_reader, far_writer = await asyncio.open_connection(self.address, 22)
        await asyncio.gather(
            self._pump(reader, far_writer, "up"), self._pump(far_reader, writer, "down")
        )

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str
    ) -> None:
        """Pass on each piece after the delay, in order; several may be under way."""
        while data := await _read(reader):
            setattr(self.traffic, direction, getattr(self.traffic, direction) + len(data))
            self.loop.call_later(self.delay, writer.write, data)
        self.loop.call_later(self.delay, writer.close)


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Give what comes next, nothing at the end: a client may also leave by a reset."""
    try:
        return await reader.read(65536)
    except ConnectionError:
        return b""


@contextmanager
def proxy(address: str, *, delay: float = 0) -> Iterator[tuple[int, Traffic]]:
    """Listen before a host's sshd: the port, and what has passed; `delay` is seconds one way."""
    made = _Proxy(address, delay)
    thread = threading.Thread(target=asyncio.run, args=(made.listen(),), daemon=True)
    thread.start()
    made.listening.wait()
    try:
        yield made.port, made.traffic
    finally:
        made.loop.call_soon_threadsafe(made.done.set)
        thread.join()
