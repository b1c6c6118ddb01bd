"""How a probe asks: as the host itself would, or from here, no faster and no more than declared."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from relogin import trace
from relogin.facts import login_answer
from relogin.facts.login_requests import Requests
from relogin.facts.proof import token_in
from relogin.parts.api import Api
from relogin.secret import Secret
from relogin.tunnel import Tunnel
from relogin.values import dataclass

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    from pyinfra.api.host import Host

    from relogin import web
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.configuration import FromEnv

_DEADLINE = 30.0


class EnoughAsked(Exception):
    """Raised before a request that would be one more than declared (Load.most)."""


@dataclass(frozen=True)
class Session:
    """A login: the answer that it had, and its token, if it has one."""

    requests: Requests
    reply: web.Reply
    token: str | None

    @property
    def headers(self) -> dict[str, bytes]:
        """Give the header that takes the token along."""
        return self.requests.carrying(self.token) if self.token else {}


class Asker:
    """Sends what a probe asks, and counts it; logs each account in once."""

    def __init__(self, host: Host, backend: Backend, seen: Observation) -> None:
        self.host, self.backend, self.seen = host, backend, seen
        self.trace = trace.requests(host)
        self.api = backend.api or Api()
        self.login = backend.login
        self.requests = Requests(host, backend, seen) if self.login else None
        self.inside = Tunnel.to(host, backend)
        self.base = (self.api.url or _root(self.login.url if self.login else "")).rstrip("/")
        self.public = self.api.public_url and self.api.public_url.rstrip("/")
        self.sent = 0
        self.times: dict[str, list[float]] = {}
        self._at = 0.0
        self._sessions: dict[str, Session] = {}
        self.trust = self._trusting()

    @property
    def outside(self) -> str:
        """Give where pages ask: the public URL, or else what the host itself sees."""
        return self.public or self.base

    @property
    def prefix(self) -> str:
        """Give the path of the API's own URL, which its document's paths may begin with."""
        return urlsplit(self.base).path

    @property
    def origin(self) -> str | None:
        return self.api.origin or (self.login.origin if self.login else None)

    def is_of_login(self, path: str) -> bool:
        """Tell whether a path is one that people log in, go on or log out by."""
        login = self.login
        urls = [login.url, login.protected] if login else []
        urls += [login.refresh.url] if login and login.refresh else []
        out = [self.base + self.api.logout.path] if self.api.logout else []
        wanted = urlsplit(self.base + path).path
        return wanted in {urlsplit(url).path for url in (*urls, *out) if url}

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str | bytes] | None = None,
        *,
        fields: Any = None,
        body: str = "json",
        public: bool = False,
    ) -> web.Reply:
        """Send one request, on a connection of its own.

        Raises:
            EnoughAsked: it would be one too many.
        """
        from relogin import web

        public = public and bool(self.public)
        self.take(f"{method} {path}")
        url = f"{self.outside if public else self.base}{path}"
        reply = web.request(
            Tunnel(None) if public else self.inside,
            method,
            url,
            deadline=self.deadline,
            headers=self.headers(headers, public=public),
            trust=self.trust,
            **sent_as(fields, body),
        )
        self.trace(method, url, reply)
        return reply

    def headers(
        self, more: Mapping[str, str | bytes] | None = None, *, public: bool = False
    ) -> dict[str, str | bytes]:
        """Give the headers of a request: those that the login has, and more."""
        own = self.requests.headers(public=public) if self.requests else {}
        return {**own, **(more or {})}

    def declared(self, headers: Mapping[str, str | Secret | FromEnv]) -> dict[str, str | bytes]:
        """Give the values of declared headers.

        Raises:
            SecretMissing: one has none.
        """
        value = self.requests.value if self.requests else str
        return {
            name: (one.reveal() if isinstance(one, Secret) else value(one)).encode()
            for name, one in headers.items()
        }

    @property
    def deadline(self) -> float:
        return self.login.deadline if self.login else _DEADLINE

    def take(self, name: str) -> None:
        """Wait until one more request may be sent, and count it.

        Raises:
            EnoughAsked: it would be one too many.
        """
        if self.sent >= self.api.load.most:
            raise EnoughAsked
        wait = self._at - time.monotonic()
        if wait > 0:
            time.sleep(wait)  # cooperative: other hosts go on
        self._at = max(self._at, time.monotonic()) + 1 / self.api.load.rate
        self.sent += 1
        self.times.setdefault(name, []).append(time.monotonic())

    def session(self, account: str) -> Session:
        """Give an account's login, which is tried once."""
        if account not in self._sessions:
            self._sessions[account] = self.logged_in(account)
        return self._sessions[account]

    def logged_in(self, account: str) -> Session:
        """Log an account in, once more.

        Raises:
            SecretMissing: what the login needs has no value.
        """
        assert self.login is not None  # noqa: S101 # the description sees to it
        requests = Requests(self.host, self.backend, self.seen, account=account)
        self.take(f"POST {urlsplit(self.login.url).path}")
        reply = requests.log_in(requests.password)
        told = login_answer.wait_for(reply)
        if told is not None and told <= self.login.deadline:
            time.sleep(told)
            self.take(f"POST {urlsplit(self.login.url).path}")
            reply = requests.log_in(requests.password)
        for value in reply.cookies.values():
            Secret.seen(value)
        token = token_in(self.login.token, reply)
        if token is not None:
            Secret.seen(token)
        return Session(requests, reply, token)

    @contextlib.contextmanager
    def kept(self) -> Iterator[Any]:
        """Give what sends requests on one connection, which `take` has to be asked for each."""
        from relogin import web

        with web.kept(self.inside, self.base, trust=self.trust) as send:
            yield send

    def _trusting(self) -> ssl.SSLContext | None:
        from relogin import web

        if self.requests is not None and self.requests.trust is not None:
            return self.requests.trust
        urls = (self.base, self.outside)
        ca = self.login.ca if self.login else None
        return web.trusting(ca) if any(url.startswith("https:") for url in urls) else None


def sent_as(fields: Any, body: str) -> dict[str, Any]:
    """Give a body as a request takes it: a form, JSON, or none."""
    if fields is None:
        return {}
    return {"data": fields} if body == "form" else {"json": fields}


def _root(url: str) -> str:
    pieces = urlsplit(url)
    return f"{pieces.scheme}://{pieces.netloc}"
