"""A server that answers logins as real frameworks did: from answers that were recorded."""

import contextlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.core.certificates import serving

RECORDED = Path(__file__).parent / "recorded" / "answers"


@contextlib.contextmanager
def answering(name: str, *, documented: bool = False) -> Iterator[str]:
    """Answer every POST as recorded, and /openapi.json if it is `documented`; give the URL."""

    class Recorded(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.replay(name)

        def do_GET(self) -> None:
            there = documented and self.path == "/openapi.json"
            self.replay("fastapi-openapi" if there else "fastapi-no-route")

        def replay(self, name: str) -> None:
            head, _, body = (RECORDED / f"{name}.http").read_text().partition("\n\n")
            status, *headers = head.split("\n")
            self.send_response(int(status.split(" ")[0]))
            for header in headers:
                self.send_header(*header.split(": ", 1))
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *words: object) -> None:
            pass

    with serving(Recorded) as url:
        yield url
