"""How the proof asks: each request has a connection, and so a worker, of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relogin.facts import login_form, openapi
from relogin.facts.key_files import Keys
from relogin.finding import Unreadable
from relogin.parts.configuration import FromEnv
from relogin.parts.proof import Cookie, KeyFile
from relogin.secret import Secret, SecretMissing
from relogin.tunnel import Tunnel

if TYPE_CHECKING:
    import ssl

    from pyinfra.api.host import Host

    from relogin import web
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.database import Account, Register
    from relogin.parts.proof import Login, Probe

# What a browser sends to another origin without asking first (Fetch standard, 2.2.2).
_SAFE = {"accept", "accept-language", "content-language", "host"}


class Requests:
    """Sends what a backend's proof asks, as the host itself would, or from the control machine."""

    def __init__(self, host: Host, backend: Backend, seen: Observation) -> None:
        assert backend.login is not None  # noqa: S101 # only asked with one
        self.login, self.seen = backend.login, seen
        self.account = backend.account(self.login.account)
        self.inside = Tunnel.to(host, backend)
        self._trust = _trusting(self.login)

    def log_in(self, password: str, *, public: bool = False) -> web.Reply:
        """Send the login request; `public`: to the public URL, from the control machine."""
        account = self.account
        known = {"login": account.login, "email": account.email or "", "password": password}
        fields = {name: text.format_map(known) for name, text in self.login.fields.items()}
        url = (self.login.public_url or "") if public else self.login.url
        through = Tunnel(None) if public else self.inside
        headers = self._declared() if public else self._headers()
        if (csrf := self.login.csrf) is not None:
            at = login_form.page_of(csrf, url)
            page = self._ask("GET", at, through=through, headers=headers)
            if not page.ok:
                return page
            host = None if public else self.login.host_header
            headers = login_form.headers(csrf, at, host, page) | headers
            fields |= {csrf.field: login_form.token_of(csrf, page)}
        body: dict[str, Any] = {"data": fields} if self.login.body == "form" else {"json": fields}
        return self._ask("POST", url, through=through, headers=headers, **body)

    def register(self, how: Register, account: Account, password: str) -> web.Reply:
        """Send the request by which the backend makes an account."""
        known = {"login": account.login, "email": account.email or "", "password": password}
        fields = {name: text.format_map(known) for name, text in how.fields.items()}
        body: dict[str, Any] = {"data": fields} if how.body == "form" else {"json": fields}
        named = {name: self.value(value).encode() for name, value in how.headers.items()}
        return self._ask("POST", how.url, headers={**self._host(), **named}, **body)

    def get(self, token: str | None) -> web.Reply:
        """Ask the protected route with a token, or without one."""
        headers = self._headers()
        if token is not None:
            headers |= self._carrying(token)
        return self._ask("GET", self.login.protected or "", headers=headers)

    def probe(self, probe: Probe) -> web.Reply:
        """Ask a declared probe."""
        headers = {"Host": probe.host_header} if probe.host_header else {}
        return self._ask("GET", probe.url, headers=headers)

    def preflight(self, method: str, url: str, names: set[str]) -> web.Reply:
        """Ask what a browser asks before a page of the declared origin may send a request."""
        public = url == self.login.public_url
        wanted = {"Access-Control-Request-Headers": ",".join(sorted(names))} if names else {}
        asked = {
            "Origin": self.login.origin or "",
            "Access-Control-Request-Method": method,
            **wanted,
            **({} if public else self._host()),
        }
        through = Tunnel(None) if public else self.inside
        return self._ask("OPTIONS", url, through=through, headers=asked)

    def scripted(self, *, login: bool) -> set[str]:
        """Give the headers that a page's script sends and a browser asks about, in lower case."""
        own = {name.lower() for name in self.login.headers} - _SAFE
        if login:
            return own | ({"content-type"} if self.login.body == "json" else set())
        return own | (set() if isinstance(self.login.token, Cookie) else {"authorization"})

    def routes(self) -> openapi.Routes | None:
        """Give what the backend publishes of its own routes, if it does."""
        for url in openapi.urls(self.login.url):
            reply = self._ask("GET", url, headers=self._host())
            if reply.ok and (found := openapi.read(url, self.login.url, reply.json)) is not None:
                return found
        return None

    def value(self, value: str | Secret | FromEnv | KeyFile) -> str:
        """Give a declared value.

        Raises:
            SecretMissing: it has none.
        """
        if isinstance(value, Secret):
            return value.reveal()
        if isinstance(value, KeyFile):
            return self._in_file(value)
        if not isinstance(value, FromEnv):
            return value
        found = self.seen.env(value.key)
        if found is None:
            unseen = [one.reason for one in self.seen.env_files if isinstance(one, Unreadable)]
            raise SecretMissing("; ".join(unseen) or f"{value.key} has no value in the env file")
        return found

    def _in_file(self, key: KeyFile) -> str:
        keys = self.seen.keys
        if isinstance(keys, Keys) and keys.public.there and keys.pem:
            return keys.pem
        raise SecretMissing(
            keys.reason if isinstance(keys, Unreadable) else f"no key in {key.path}"
        )

    def _ask(
        self, method: str, url: str, *, through: Tunnel | None = None, **what: Any
    ) -> web.Reply:
        from relogin import web  # imported while the host was looking: see observation.look

        tunnel, deadline = through or self.inside, self.login.deadline
        return web.request(tunnel, method, url, deadline=deadline, trust=self._trust, **what)

    def _host(self) -> dict[str, str]:
        return {"Host": self.login.host_header} if self.login.host_header else {}

    def _declared(self) -> dict[str, str | bytes]:
        return {name: self.value(value).encode() for name, value in self.login.headers.items()}

    def _headers(self) -> dict[str, str | bytes]:
        return {**self._host(), **self._declared()}

    def _carrying(self, token: str) -> dict[str, bytes]:
        """Give the header that takes a token along, as the login's answer gave it.

        A cookie is sent by hand: a jar would keep a `Secure` one from plain http, and one of
        the public name from the host's own address.
        """
        if isinstance(self.login.token, Cookie):
            return {"Cookie": f"{self.login.token.name}={token}".encode()}
        return {"Authorization": f"Bearer {token}".encode()}


def _trusting(login: Login) -> ssl.SSLContext | None:
    """Give what certificates are checked by; None where nothing is TLS: it takes 12 ms to make.

    Raises:
        SecretMissing: the declared file is not there, or is no PEM file.
    """
    urls = (login.url, login.protected, login.public_url)
    if not any(url is not None and url.startswith("https:") for url in urls):
        return None
    from relogin import web

    try:
        return web.trusting(login.ca)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SecretMissing(f"Login: ca {login.ca} is no PEM file here ({why})") from None
