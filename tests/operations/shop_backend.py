"""A small backend over HTTP: each request asks the database, as one without a pool does."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import bcrypt
import httpx
import jwt
import psycopg

from tests.core.certificates import serving

SECRET = "a secret of tests that is long enough for HS256, and no word"


def hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


@contextlib.contextmanager
def shop(
    url: str, *, pooled: bool = False, port: int = 0, older: str = "", sessions: bool = False
) -> Iterator[str]:
    """Answer POST /login and GET /me by the users in a database; give the URL.

    One that is `pooled` keeps its connections, and does not check them before it uses them. `older`
    says whose the tokens are that another one has made, or itself before a POST of /forget:
    `nobody`'s, or that account's. With `sessions` a token is good while shop.sessions has it.
    """
    pool: list[psycopg.Connection[Any]] = []
    made: set[str] = set()

    class Shop(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/forget":
                made.clear()
                self.answer(200, {})
                return
            row = self.asked(
                "SELECT name, hash FROM shop.users WHERE active AND name = %s", given["name"]
            )
            if not row or not bcrypt.checkpw(given["password"].encode(), row[1].encode()):
                self.answer(401, {})
                return
            claims = {"sub": row[0], "exp": time.time() + 600}
            token = jwt.encode(claims, SECRET, "HS256")
            made.add(token)
            if sessions:
                self.asked("INSERT INTO shop.sessions VALUES (%s) RETURNING token", token)
            self.answer(200, {"token": token})

        def do_GET(self) -> None:
            token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
            try:
                name = jwt.decode(token, SECRET, ["HS256"])["sub"]
            except jwt.PyJWTError:
                self.answer(401, {})
                return
            if older and token not in made:
                name = older
            row = self.asked("SELECT name FROM shop.users WHERE active AND name = %s", name)
            if sessions and not self.asked("SELECT 1 FROM shop.sessions WHERE token = %s", token):
                row = None
            self.answer(*((200, {"name": row[0]}) if row else (401, {})))

        def asked(self, query: str, name: str) -> Any:
            kept = pool.pop() if pool else None
            connection = kept or psycopg.connect(url, connect_timeout=20, autocommit=True)
            try:
                row = connection.execute(query.encode(), [name]).fetchone()
            except psycopg.Error:
                connection.close()
                raise
            if pooled:
                pool.append(connection)
            else:
                connection.close()
            return row

        def answer(self, status: int, body: dict[str, str]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except psycopg.Error:
                self.answer(500, {})

        def log_message(self, *words: object) -> None:
            pass

    try:
        with serving(Shop, port=port) as at:
            yield at
    finally:
        for connection in pool:
            connection.close()


def logged_in(url: str, name: str, password: str) -> int:
    """Log in and ask who that is: 200 only where both are right."""
    reply = httpx.post(f"{url}/login", json={"name": name, "password": password}, timeout=30)
    if reply.status_code != 200:
        return reply.status_code
    headers = {"Authorization": f"Bearer {reply.json()['token']}"}
    reply = httpx.get(f"{url}/me", headers=headers, timeout=30)
    if reply.status_code != 200:
        return reply.status_code
    return 200 if reply.json()["name"] == name else 0


class Load:
    """A client that logs in and calls /me every 50 ms, and notes when it was not right."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self.statuses: list[tuple[float, float, int]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(url, name, password))

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _ask(self, url: str, name: str, password: str) -> None:
        while not self._end.is_set():
            began = time.monotonic()
            status = logged_in(url, name, password)
            self.statuses.append((began, time.monotonic(), status))
            self._end.wait(0.05)

    @property
    def refused(self) -> list[int]:
        return [status for _, _, status in self.statuses if status != 200]

    @property
    def slowest(self) -> float:
        """Give the longest time in which no answer came, in seconds."""
        return max(ended - began for began, ended, _ in self.statuses)
