"""An API over HTTP that is sound, or has the flaw that it is told to have; its description."""

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

from relogin import (
    Account,
    Accounts,
    Api,
    Backend,
    Challenge,
    Endpoint,
    Journey,
    Load,
    Login,
    Logout,
    RateLimit,
    Refresh,
    Secret,
    Step,
)
from relogin.facts.api import probe
from relogin.facts.api_state import Probed, Tried
from relogin.facts.observation import Observation
from relogin.finding import Finding, Unreadable
from relogin.operations.api import FAULTS
from tests.core.certificates import serving
from tests.operations.logins import HOST

SEEN = Observation(Unreadable("nothing is looked at"))
ORIGIN = "https://app.example.com"
PASSWORD = "canary-password-of-{}"
FACTOR = "JBSWY3DPEHPK3PXP"
MANY = "canary-refresh-"


class Sound(BaseHTTPRequestHandler):
    """Know ops, bob (who is no admin) and mia (with a second factor); a flaw is another value."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    statuses: ClassVar[dict[str, int]] = {}  # by path, whoever asks
    without: ClassVar[dict[str, int]] = {}  # by path, without a token
    as_bob: ClassVar[dict[str, int]] = {}
    bodies: ClassVar[dict[str, Any]] = {}
    takes: ClassVar[dict[str, str]] = {}
    slow: ClassVar[dict[str, float]] = {}
    every: ClassVar[dict[str, int]] = {}  # each so-manieth request fails
    factor = True
    challenge = 200
    renews = True
    revokes = True
    logout = 204
    forgets = 0
    cookie = "Secure; HttpOnly; SameSite=Lax"
    origins: Any = (ORIGIN,)
    readable = True
    limit: int | None = 3
    documented: Any = None
    known: ClassVar[dict[str, str]]
    asked: ClassVar[list[str]]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.append(f"GET {self.path}")
        time.sleep(self.slow.get(path, 0))
        who = self._who()
        if path == "/openapi.json" and self.documented is not None:
            return self._answer(200, self.documented)
        if path == "/search":
            return self._limited()
        if path not in (*PROTECTED, "/health"):
            return self._answer(404, {"detail": "Not Found"})
        if self.takes.get(path, "GET") != "GET":
            return self._answer(405, {"detail": "Method Not Allowed"}, Allow=self.takes[path])
        every = self.every.get(path)
        if every and self.asked.count(f"GET {path}") % every == 0:
            return self._answer(500, {"detail": "now and then"})
        return self._answer(*self._judged(path, who))

    def _judged(self, path: str, who: str | None) -> tuple[int, Any]:
        if path in self.statuses and (who or path == "/health"):
            return self.statuses[path], {"detail": "so it is"}
        if path in PROTECTED and who is None:
            status = self.without.get(path, 401)
            return status, {"detail": "Not authenticated"} if status >= 300 else {}
        if path == "/admin" and who == "bob":
            status = self.as_bob.get(path, 403)
            return status, {"detail": "Forbidden"} if status >= 300 else {}
        told = {"/me": {"id": 1, "username": who}, "/chats": {"items": [{"id": "a/7"}]}}
        return 200, self.bodies.get(path, told.get(path, {"status": "ok"}))

    def _limited(self) -> None:
        times = self.asked.count("GET /search")
        status = 429 if self.limit is not None and times > self.limit else 200
        self._answer(status, {})

    def do_POST(self) -> None:
        self.asked.append(f"POST {self.path}")
        raw = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        body = json.loads(raw or "{}")
        routes = {"/login": self._login, "/refresh": self._refresh, "/logout": self._logout}
        routes |= {"/mfa": self._solve, "/valid": self._validated}
        if self.path not in routes:
            return self._answer(404, {"detail": "Not Found"})
        if self.takes.get(self.path, "POST") != "POST":
            return self._answer(405, {"detail": "Method Not Allowed"}, Allow=self.takes[self.path])
        return routes[self.path](body)

    def _login(self, body: Any) -> None:
        name = str(body.get("username"))
        if self.path in self.statuses:
            return self._answer(self.statuses[self.path], {"detail": "so it is"})
        if body.get("password") != PASSWORD.format(name):
            return self._answer(401, {"detail": "wrong"})
        if name == "mia" and self.factor:
            return self._answer(self.challenge, {"mfa_token": "m" * 20})
        return self._welcome(name)

    def _welcome(self, name: str) -> None:
        token, refresh = f"canary-token-{secrets.token_hex(8)}", MANY + secrets.token_hex(8)
        self.known[token] = self.known[refresh] = name
        told = {"access_token": token, "refresh_token": refresh}
        self._answer(200, told, **{"Set-Cookie": f"sid={refresh}; Path=/; {self.cookie}"})

    def _solve(self, body: Any) -> None:
        right = body.get("mfa_token") == "m" * 20 and len(str(body.get("code"))) == 6
        return self._welcome("mia") if right else self._answer(401, {})

    def _refresh(self, body: Any) -> None:
        name = self.known.get(str(body.get("refresh_token")))
        if name is None or not self.renews:
            return self._answer(401, {"detail": "no"})
        return self._welcome(name)

    def _logout(self, body: Any) -> None:
        who = self._who()
        if who is None:
            return self._answer(401, {"detail": "Not authenticated"})
        if self.revokes:
            self.known.pop(self._token())
        return self._answer(self.logout, None)

    def _validated(self, body: Any) -> None:
        self._answer(422, {"detail": [{"loc": ["body"], "type": "missing"}]})

    def do_OPTIONS(self) -> None:
        self.asked.append(f"OPTIONS {self.path}")
        if "Access-Control-Request-Method" in self.headers:
            origin = self.headers["Origin"]
            if self.origins != "*" and origin not in self.origins:
                return self._answer(400, {"detail": "Disallowed CORS origin"})
            return self._answer(200, {}, **ALLOWED)
        if self.path in POSTED:
            return self._answer(405, {}, Allow=self.takes.get(self.path, "POST"))
        return self._answer(404, {})

    def _token(self) -> str:
        return (self.headers["Authorization"] or "").removeprefix("Bearer ")

    def _who(self) -> str | None:
        if self.forgets and self.asked.count("GET /me") > self.forgets:
            return None
        return self.known.get(self._token())

    def _answer(self, status: int, body: Any, **headers: str) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        origin = self.headers["Origin"]
        readable = self.readable or self.command == "OPTIONS"
        if origin and readable and (self.origins == "*" or origin in self.origins):
            headers |= {"Access-Control-Allow-Origin": origin}
            headers |= {"Access-Control-Allow-Credentials": "true"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *words: object) -> None:
        pass


PROTECTED = ("/me", "/admin", "/chats", "/chats/a%2F7")
POSTED = ("/login", "/refresh", "/logout", "/mfa", "/valid", "/chats")
ALLOWED = {"Access-Control-Allow-Headers": "authorization, content-type"}


@contextlib.contextmanager
def listening(**flaws: Any) -> Iterator[str]:
    """Serve on a port of its own until the block ends; give the URL."""
    handler = type("Flawed", (Sound,), {"asked": [], "known": {}, **flaws})
    with serving(handler, None) as url:
        yield url


ME = {"type": "object", "required": ["id", "username"], "properties": {"id": {"type": "integer"}}}
ERROR = {"type": "object", "required": ["detail"]}
CREDENTIALS = {"username": "{login}", "password": "{password}"}
DASHBOARD = (
    Step("POST", "/login", CREDENTIALS, safe=True, keep={"token": "access_token"}),
    Step("GET", "/me", schema=ME),
    Step("GET", "/chats", keep={"chat": "items.0.id"}),
    Step("GET", "/chats/{chat}"),
    Step("POST", "/logout", safe=True, status=204),
)
SECOND = (
    Step("POST", "/login", CREDENTIALS, safe=True, keep={"half": "mfa_token"}),
    Step("POST", "/mfa", {"mfa_token": "{half}", "code": "{totp}"}, safe=True),
)
QUICK = Load(requests=12, rate=2000, p95=5)  # on a busy machine


def described(url: str, **api: Any) -> Backend:
    """Describe the whole API, with everything that can be declared of one."""
    endpoints = [
        Endpoint("GET", "/health"),
        Endpoint("GET", "/me", account="ops", schema=ME),
        Endpoint("GET", "/admin", account="ops", forbidden="bob"),
        Endpoint("POST", "/valid", fields={}, status=422, schema=ERROR, safe=True, timed=False),
        Endpoint("POST", "/chats", account="ops"),
    ]
    journeys = [
        Journey("dashboard", "ops", DASHBOARD),
        Journey("second factor", "mia", SECOND, totp=Secret.seen(FACTOR)),
    ]
    known: dict[str, Any] = {
        **{"endpoints": endpoints, "journeys": journeys, "load": QUICK, "origin": ORIGIN},
        **{"logout": Logout("/logout"), "limits": RateLimit("GET", "/search", 3), "error": ERROR},
        "challenges": Challenge("mia", schema={"required": ["mfa_token"]}),
    }
    return backend(url, **{**known, **api})


def backend(url: str, **api: Any) -> Backend:
    """Describe the people and the login, with an API of these fields; without one, None."""
    people = [Account(n, password=Secret.seen(PASSWORD.format(n))) for n in ("ops", "bob", "mia")]
    refresh = Refresh(f"{url}/refresh", body="json", fields={"refresh_token": "{refresh}"})
    login = Login(
        f"{url}/login", "ops", body="json", fields=CREDENTIALS, refresh=refresh,
        protected=f"{url}/me",
    )  # fmt: skip
    declared = Api(**api) if api else None
    return Backend("hub", accounts=Accounts(present=people), login=login, api=declared)


def probed(backend: Backend, *, limits: bool = True) -> Probed:
    found = probe(HOST, backend, SEEN, limits=limits)
    assert isinstance(found, Probed), found
    return found


def failed(found: Probed) -> list[tuple[str, str]]:
    """Give kind and subject of what failed."""
    return [(one.kind, one.subject) for one in found.tried if one.ok is False]


def findings(backend: Backend, found: Probed) -> list[Finding]:
    seen = Observation(Unreadable("nothing is looked at"), api=found)
    return [finding for fault in FAULTS for finding in fault.found(backend, seen)]


def told(found: Probed, subject: str) -> list[Tried]:
    return [one for one in found.tried if one.subject == subject]
