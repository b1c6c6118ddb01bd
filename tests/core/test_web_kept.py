"""Requests over a connection that is kept, and what becomes of it once the server has closed it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from relogin import web
from relogin.tunnel import Tunnel
from tests.core.certificates import serving


@contextmanager
def listening(idle: float) -> Iterator[tuple[str, list[tuple[Any, str]]]]:
    """Serve until the block ends, closing what is idle for so long; note who asks, with what."""
    asked: list[tuple[Any, str]] = []

    class Keeping(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = idle

        def do_GET(self) -> None:
            asked.append((self.client_address, self.headers["Cookie"] or ""))
            time.sleep(2 if self.path == "/slow" else 0)
            self.send_response(200)
            self.send_header("Set-Cookie", "one=1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with serving(Keeping) as url:
        yield url, asked


def test_one_connection_is_kept_and_no_cookie_goes_along_unasked():
    with listening(30) as (url, asked), web.kept(Tunnel(None), url) as send:
        replies = [send("GET", url, deadline=5, headers={}) for _ in range(5)]
    assert [200] * 5 == [one.status for one in replies]
    assert 1 == len({who for who, _ in asked})
    assert [""] * 5 == [cookie for _, cookie in asked]
    assert ("one=1",) == replies[0].set_cookie


def test_what_the_server_has_closed_is_opened_anew():
    with listening(0.2) as (url, asked), web.kept(Tunnel(None), url) as send:
        first = send("GET", url, deadline=5, headers={})
        time.sleep(1)
        second = send("GET", url, deadline=5, headers={})
    assert (200, 200) == (first.status, second.status)
    assert 2 == len({who for who, _ in asked})


def test_each_request_has_a_deadline_of_its_own():
    with listening(30) as (url, _), web.kept(Tunnel(None), url) as send:
        assert 200 == send("GET", url, deadline=5, headers={}).status
        late = send("GET", f"{url}/slow", deadline=0.3, headers={})
        assert (None, "silent") == (late.status, late.trouble)
        assert 200 == send("GET", url, deadline=5, headers={}).status
