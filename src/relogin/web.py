"""HTTP requests as the host itself makes them, each on a connection of its own, or on one kept."""

from __future__ import annotations

import contextlib
import select
import ssl
import time
from dataclasses import field
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore
import httpx
from paramiko import SSHException

from relogin.trouble import trouble
from relogin.tunnel import as_socket
from relogin.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from relogin.tunnel import Pipe, Tunnel

_CONNECTING = 10.0
_BODY = 4_000_000


@dataclass(frozen=True)
class Reply:
    """What a request brought: `status` is None where none came, and `failure` then says why.

    `trouble` is its kind, as relogin.trouble has them. The body and the headers are never shown: an
    error page may repeat what was sent.
    """

    status: int | None
    seconds: float
    failure: str = ""
    trouble: str = ""
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)
    set_cookie: tuple[str, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        return self.status is not None and self.status < 300

    @property
    def refused(self) -> bool:
        return self.trouble == "refused"

    @property
    def shown(self) -> str:
        return f"{self.status}" if self.status is not None else self.failure


# What comes of a request that gets no answer, of the address, the tunnel or the TLS below it.
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, OSError, EOFError, ValueError, SSHException)


def request(
    tunnel: Tunnel,
    method: str,
    url: str,
    *,
    deadline: float,
    headers: Mapping[str, str | bytes],
    data: Mapping[str, str] | None = None,
    json: Any = None,
    trust: ssl.SSLContext | None = None,
) -> Reply:
    """Send one request, with a form or JSON as its body; never raises for what comes of it.

    `deadline` is in seconds, for all of it. A redirect is an answer. `trust` says which
    certificates are good (the system's, if None); they have to be those of the Host header's name.
    """
    with kept(tunnel, url, trust=trust) as send:
        return send(method, url, deadline=deadline, headers=headers, data=data, json=json)


@contextlib.contextmanager
def kept(
    tunnel: Tunnel, url: str, *, trust: ssl.SSLContext | None = None
) -> Iterator[Callable[..., Reply]]:
    """Give what sends requests to the host of a URL, one after another, on one connection.

    It takes what `request` does, and raises as little. The connection is opened anew where the
    server has closed it meanwhile.
    """
    until = _Until()
    with _client(tunnel, url, until, trust) as client:

        def send(
            method: str,
            url: str,
            *,
            deadline: float,
            headers: Mapping[str, str | bytes],
            **body: Any,
        ) -> Reply:
            started = time.monotonic()
            until.at = started + deadline
            try:
                answer = _asked(client, method, url, deadline, headers, body)
            except _FAILURES as error:
                kind, said = trouble(error)
                return Reply(None, time.monotonic() - started, said, kind)
            return _reply(answer, time.monotonic() - started)

        yield send


def _asked(
    client: httpx.Client,
    method: str,
    url: str,
    deadline: float,
    headers: Mapping[str, str | bytes],
    body: Mapping[str, Any],
) -> httpx.Response:
    sent = [(_bytes(name), _bytes(value)) for name, value in headers.items()]
    timeout = httpx.Timeout(deadline, connect=min(deadline, _CONNECTING))
    extensions = _server_name(headers)
    client.cookies.clear()  # what goes along is said each time
    return client.request(method, url, headers=sent, timeout=timeout, extensions=extensions, **body)


def _reply(answer: httpx.Response, seconds: float) -> Reply:
    set_cookie = tuple(answer.headers.get_list("set-cookie"))
    return Reply(
        answer.status_code,
        seconds,
        json=_json(answer),
        headers=dict(answer.headers),
        cookies={name: one.value for name, one in set_cookies(set_cookie).items()},
        text=answer.text,
        set_cookie=set_cookie,
    )


def trusting(pem: str | None = None) -> ssl.SSLContext:
    """Give what trusts the system's certificates, and those of a PEM file on this machine.

    A server's own certificate may stand in the file, whoever signed it. Every Python judges alike:
    since 3.13 it would refuse authorities that curl and browsers take (RFC 5280 to the letter).

    Raises:
        OSError: the file cannot be read, or is none.
    """
    context = ssl.create_default_context()
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    if pem is not None:
        context.load_verify_locations(pem)
    return context


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _server_name(headers: Mapping[str, str | bytes]) -> dict[str, str]:
    """Give the name that a TLS server is asked for: the Host header's, where one is chosen."""
    chosen = [_bytes(value).decode() for name, value in headers.items() if name.lower() == "host"]
    name = urlsplit(f"//{chosen[0]}").hostname if chosen else None
    return {"sni_hostname": name} if name else {}


def _json(answer: httpx.Response) -> Any:
    if not answer.content or len(answer.content) > _BODY:
        return None
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def set_cookies(headers: Iterable[str]) -> dict[str, Morsel[str]]:
    """Give the cookies of Set-Cookie headers by name, those too that a browser would not keep."""
    found: dict[str, Morsel[str]] = {}
    for header in headers:
        try:
            found |= SimpleCookie(header)
        except CookieError:
            continue
    return found


def _client(tunnel: Tunnel, url: str, until: _Until, trust: ssl.SSLContext | None) -> httpx.Client:
    context = (trust or trusting()) if url.startswith("https:") else None
    return httpx.Client(transport=_Through(tunnel, until, context), trust_env=False)


class _Until:
    """When the request that is under way has to have its answer (time.monotonic)."""

    at = 0.0


class _Through(httpx.HTTPTransport):
    """httpx over a tunnel. Its own initialiser would make a TLS context, which costs 12 ms."""

    def __init__(self, tunnel: Tunnel, until: _Until, context: ssl.SSLContext | None) -> None:
        network = _Network(tunnel, until)
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=network)


class _Network(httpcore.NetworkBackend):
    def __init__(self, tunnel: Tunnel, until: _Until) -> None:
        self._tunnel = tunnel
        self._until = until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            return _Stream(self._tunnel.open(host, port, timeout or _CONNECTING), self._until)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error


class _Stream(httpcore.NetworkStream):
    """httpx waits so long for each piece; here the whole has an end, `until`."""

    def __init__(self, pipe: Pipe, until: _Until) -> None:
        self._pipe = pipe
        self._until = until

    def _left(self, timeout: float | None) -> float:
        left = self._until.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left if timeout is None else min(left, timeout)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._pipe.settimeout(self._left(timeout))
            return self._pipe.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._pipe.settimeout(self._left(timeout))
            self._pipe.sendall(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error

    def close(self) -> None:
        self._pipe.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        plain = as_socket(self._pipe)
        try:
            plain.settimeout(self._left(timeout))
            secured = ssl_context.wrap_socket(plain, server_hostname=server_hostname)
        except BaseException:
            plain.close()
            raise
        return _Stream(secured, self._until)

    def get_extra_info(self, info: str) -> Any:
        """Tell whether there is something to read: of a connection that is idle, its end."""
        if info != "is_readable":
            return None
        ready = getattr(self._pipe, "recv_ready", None)  # a channel's
        if ready is not None:
            return ready() or getattr(self._pipe, "eof_received", False)
        return bool(select.select([as_socket(self._pipe)], [], [], 0)[0])
