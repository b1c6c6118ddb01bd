"""How the proof asks: each request has a connection, and so a worker, of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relogin import trace
from relogin.facts import login_form, openapi
from relogin.facts.key_files import Keys
from relogin.facts.observation import Observation
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
    from relogin.parts.database import Account, Register
    from relogin.parts.proof import Login, Probe, Refresh

# What a browser sends to another origin without asking first (Fetch standard, 2.2.2).
_SAFE = {"accept", "accept-language", "content-language", "host"}


class Requests:
    """Sends what a backend's proof asks, as the host itself would, or from the control machine."""

    def __init__(
        self,
        host: Host,
        backend: Backend,
        seen: Observation | None,
        instead: Mapping[str, str] | None = None,
        account: str | None = None,
    ) -> None:
        """Ask with what was seen on the host; without a look, with what it is declared to have.

        `instead` are values for keys of the env file that are another one's, `account` another one
        than the login's own.
        """
        assert backend.login is not None  # noqa: S101 # only asked with one
        self.login, self.backend, self.seen = backend.login, backend, seen
        self.trace = trace.requests(host)
        self.account = backend.account(account or self.login.account)
        self.inside = Tunnel.to(host, backend)
        self.instead = instead or {}
        self.trust = _trusting(self.login)

    @property
    def password(self) -> str:
        """Give the account's own password; empty where none is declared."""
        return self.account.password.reveal() if self.account.password else ""

    def log_in(self, password: str, *, public: bool = False) -> web.Reply:
        """Send the login request; `public`: to the public URL, from the control machine."""
        account = self.account
        known = {"login": account.login, "email": account.email or "", "password": password}
        fields = {name: text.format_map(known) for name, text in self.login.fields.items()}
        url = (self.login.public_url or "") if public else self.login.url
        through = Tunnel(None) if public else self.inside
        headers = self.headers(public=public)
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
        headers = self.headers()
        if token is not None:
            headers |= self.carrying(token)
        return self._ask("GET", self.login.protected or "", headers=headers)

    def refresh(self, how: Refresh, token: str) -> web.Reply:
        """Ask for a new token by the refresh token of a login."""
        fields = {name: text.format_map({"refresh": token}) for name, text in how.fields.items()}
        body: dict[str, Any] = {"data": fields} if how.body == "form" else {"json": fields}
        carried = _cookie(how.token, token) if isinstance(how.token, Cookie) else {}
        return self._ask("POST", how.url, headers={**self.headers(), **carried}, **body)

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
        if value.key in self.instead:
            return self.instead[value.key]
        if self.seen is None:
            return declared(self.backend, value)
        found = self.seen.env(value.key)
        if found is None:
            unseen = [one.reason for one in self.seen.env_files if isinstance(one, Unreadable)]
            raise SecretMissing("; ".join(unseen) or f"{value.key} has no value in the env file")
        return found

    def _in_file(self, key: KeyFile) -> str:
        keys = self.seen.keys if self.seen else Unreadable("the host was not looked at yet")
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
        reply = web.request(tunnel, method, url, deadline=deadline, trust=self.trust, **what)
        self.trace(method, url, reply)
        return reply

    def _host(self) -> dict[str, str]:
        return {"Host": self.login.host_header} if self.login.host_header else {}

    def _declared(self) -> dict[str, str | bytes]:
        return {name: self.value(value).encode() for name, value in self.login.headers.items()}

    def headers(self, *, public: bool = False) -> dict[str, str | bytes]:
        """Give what goes along with every request: from outside, the Host header is the URL's."""
        return {**({} if public else self._host()), **self._declared()}

    def carrying(self, token: str) -> dict[str, bytes]:
        """Give the header that takes a token along, as the login's answer gave it.

        A cookie is sent by hand: a jar would keep a `Secure` one from plain http, and one of
        the public name from the host's own address.
        """
        if isinstance(self.login.token, Cookie):
            return _cookie(self.login.token, token)
        return {"Authorization": f"Bearer {token}".encode()}


def _cookie(cookie: Cookie, value: str) -> dict[str, bytes]:
    return {"Cookie": f"{cookie.name}={value}".encode()}


def unasked(host: Host, backend: Backend) -> web.Reply:
    """Send the login of a backend that was not looked at yet, with what is declared.

    Raises:
        SecretMissing: something of it has no value before the look, or none at all.
    """
    requests = Requests(host, backend, None)
    return requests.log_in(requests.password)


def declared(backend: Backend, named: FromEnv) -> str:
    """Give the value that a key of the env file is declared to have.

    Raises:
        SecretMissing: that is not known before the host is looked at.
    """
    value = backend.declared(named.key)
    if isinstance(value, str):
        return value
    if isinstance(value, Secret) and value.declared:
        return value.reveal()
    raise SecretMissing(f"{named.key} has a value on the host alone")


def as_declared(backend: Backend, seen: Observation) -> bool:
    """Tell whether the host has what a login was sent with that was sent before the look."""
    headers = backend.login.headers.values() if backend.login else ()
    named = [value for value in headers if isinstance(value, FromEnv)]
    return all(seen.env(one.key) == declared(backend, one) for one in named)


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
