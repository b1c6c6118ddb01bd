"""A small backend over HTTP that is sound, or has the flaw that it is told to have."""

import contextlib
import json
import time
import warnings
from collections.abc import Container, Iterator, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs

import jwt

from tests.core.certificates import serving
from tests.lab import canaries


class Sound(BaseHTTPRequestHandler):
    """Log ops in and know them by their token; a flaw is another value of one of these."""

    signs_with = canaries.SECRET_KEY
    checks_with = canaries.SECRET_KEY
    algorithm = "HS256"
    claims: ClassVar[dict[str, Any]] = {"sub": "ops"}
    lifetime = 1800
    leeway = 0
    login_status = 200
    field = "access_token"
    token: str | None = None
    checks_password = True
    checks_tokens = True
    needs_token = True
    me_status = 200
    identity = "ops"
    health = 200
    busy = 0
    dropped = 0
    seconds = 0.0
    limited = 0
    after = ""
    limit: int | None = None
    cookie: str | None = None
    others: Container[int] = ()
    told = "who?"
    origin = "https://app.example.com"
    allows: ClassVar[dict[str, str]] = {
        "Access-Control-Allow-Headers": "authorization, x-halext-code"
    }
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.headers["Content-Type"] == "application/json":
            form = json.loads(body)
        else:
            form = {key: values[0] for key, values in parse_qs(body).items()}
        right = form.get("password") == canaries.OPS_PASSWORD and form.get("username") == "ops"
        self.asked.append("login" if right else "wrong login")
        time.sleep(self.seconds)
        if type(self).dropped:
            type(self).dropped -= 1
            self.close_connection = True
        elif type(self).limited:
            type(self).limited -= 1
            then = formatdate(time.time() + 1, usegmt=True)
            self._answer(429, {}, {"Retry-After": then if self.after == "date" else self.after})
        elif type(self).busy:
            type(self).busy -= 1
            self._answer(503, {})
        elif self.path != "/token" or self.login_status >= 400:
            self._answer(self.login_status if self.path == "/token" else 404, {"detail": "no"})
        elif self.headers["X-Halext-Code"] != canaries.ACCESS_CODE:
            self._answer(403, {"detail": "code"})
        elif self.checks_password and not right:
            self._answer(self.limit or 401, {"detail": "password"})
        else:
            self._welcome(self.token or self._token())

    def _welcome(self, token: str) -> None:
        if self.cookie is None:
            self._answer(200, {self.field: token})
        else:
            held = f"{self.cookie}={token}; Path=/; Domain=org.halext.org; Secure; HttpOnly"
            self._answer(302, {}, {"Location": "/", "Set-Cookie": held})

    def do_OPTIONS(self) -> None:
        self.asked.append(f"OPTIONS {self.path}")
        if not self.origin:
            self._answer(405, {"detail": "Method Not Allowed"})
        elif self.headers["Origin"] != self.origin:
            self._answer(400, {"detail": "Disallowed CORS origin"})
        else:
            self._answer(200, {}, {"Access-Control-Allow-Origin": self.origin, **self.allows})

    def _token(self) -> str:
        claims = {**self.claims, "exp": int(time.time()) + self.lifetime}
        with warnings.catch_warnings(action="ignore"):
            return jwt.encode(claims, self.signs_with, self.algorithm)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/api/health":
            right = self.headers["Host"] == "org.halext.org"
            self._answer(self.health if right else 404, {"status": "ok"})
        elif self._is_known() and not self._is_other_worker():
            self._answer(self.me_status, {"username": self.identity})
        else:
            self._answer(self.limit or 401, {"detail": self.told})

    def _is_other_worker(self) -> bool:
        """Tell whether this good token falls to a worker that knows none of the others' tokens."""
        self.asked.append("good token")
        return self.asked.count("good token") in self.others

    def _is_known(self) -> bool:
        bearer = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        if self.cookie is not None:
            bearer = (self.headers["Cookie"] or "").partition(f"{self.cookie}=")[2]
        if not bearer:
            return not self.needs_token
        if self.token is not None:
            return bearer == self.token
        options = {} if self.checks_tokens else {"verify_signature": False}
        try:
            with warnings.catch_warnings(action="ignore"):  # PyJWT minds short secrets
                known = [self.algorithm]
                jwt.decode(bearer, self.checks_with, known, options=options, leeway=self.leeway)
        except jwt.InvalidTokenError:
            return False
        return True

    def _answer(
        self, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *words: object) -> None:
        pass


@contextlib.contextmanager
def listening(*, certificate: Path | None = None, **flaws: Any) -> Iterator[str]:
    """Serve on a port of its own until the block ends; give the URL."""
    handler = type("Flawed", (Sound,), {"asked": [], **flaws})
    with serving(handler, certificate) as url:
        yield url
