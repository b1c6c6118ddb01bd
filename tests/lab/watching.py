"""A watcher as healthchecks.io is one: a real HTTP server of the tests, which hosts can reach."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "canary-of-the-watcher-d81f4a"


class Watching(ThreadingHTTPServer):
    """`heard` are the ends of the paths that were asked, in their order, and when."""

    def __init__(self) -> None:
        super().__init__(("0.0.0.0", 0), _Handler)
        self.heard: list[tuple[float, str]] = []

    def url(self, address: str) -> str:
        """Give the URL by which those reach it who know this machine by that address."""
        return f"http://{address}:{self.server_address[1]}/{TOKEN}"

    def told(self, since: float = 0) -> list[str]:
        """Give what it was told by the runs that began since a moment."""
        heard = [*self.heard]
        began = [n for n, (at, what) in enumerate(heard) if what == "/start" and at >= since]
        return [what for _, what in heard[began[0] :]] if began else []

    def wait(self, holds: Callable[[], bool], seconds: float = 90) -> bool:
        """Wait until something holds; tell whether it does."""
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.2)
        return holds()


class _Handler(BaseHTTPRequestHandler):
    server: Watching

    def do_GET(self) -> None:
        self.server.heard.append((time.time(), self.path.replace(f"/{TOKEN}", "", 1)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def watching() -> Iterator[Watching]:
    """Serve it as long as it is needed."""
    with Watching() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()
