"""HTTP requests as the host itself makes them, each on a connection of its own."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from relogin.tunnel import Refused, as_socket

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from relogin.tunnel import Pipe, Tunnel


@dataclass(frozen=True)
class Reply:
    """What a request brought: `status` is None where none came, and `failure` then says why.

    The body and the headers are never shown: an error page may repeat what was sent.
    """

    status: int | None
    seconds: float
    failure: str = ""
    refused: bool = False
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)

    @property
    def ok(self) -> bool:
        return self.status is not None and self.status < 300

    @property
    def shown(self) -> str:
        return f"{self.status}" if self.status is not None else self.failure


def request(tunnel: Tunnel, method: str, url: str, *, deadline: float, **what: Any) -> Reply:
    """Send one request; never raises for what the network or the server does."""
    started = time.monotonic()
    try:
        with _client(tunnel, url, deadline) as client:
            answer = client.request(method, url, **what)
    except (httpx.TransportError, OSError, EOFError) as error:
        return _failed(error, time.monotonic() - started)
    return Reply(
        answer.status_code,
        time.monotonic() - started,
        json=_json(answer),
        headers=dict(answer.headers),
        text=answer.text,
    )


def _failed(error: Exception, seconds: float) -> Reply:
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    refused = any(isinstance(link, Refused | ConnectionRefusedError) for link in chain)
    if refused:
        return Reply(None, seconds, "nobody listens there", refused=True)
    if any(isinstance(link, ssl.SSLCertVerificationError) for link in chain):
        return Reply(None, seconds, "the certificate is not trusted")
    if isinstance(error, httpx.TimeoutException):
        return Reply(None, seconds, "no answer in time")
    if type(error) is OSError:  # the tunnel's own words
        return Reply(None, seconds, f"could not be asked: {error}")
    return Reply(None, seconds, f"the connection broke ({type(error).__name__})")


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _client(tunnel: Tunnel, url: str, deadline: float) -> httpx.Client:
    timeout = httpx.Timeout(deadline, connect=min(deadline, 10))
    transport = _Through(tunnel, tls=url.startswith("https:"))
    return httpx.Client(transport=transport, trust_env=False, timeout=timeout)


class _Through(httpx.HTTPTransport):
    """httpx over a tunnel. Its own initialiser would make a TLS context, which costs 12 ms."""

    def __init__(self, tunnel: Tunnel, *, tls: bool) -> None:
        context = ssl.create_default_context() if tls else None
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=_Network(tunnel))


class _Network(httpcore.NetworkBackend):
    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel = tunnel

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._tunnel.open(host, port, timeout or 10))


class _Stream(httpcore.NetworkStream):
    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._pipe.settimeout(timeout)
        try:
            return self._pipe.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._pipe.settimeout(timeout)
        try:
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
        plain.settimeout(timeout)
        return _Stream(ssl_context.wrap_socket(plain, server_hostname=server_hostname))

    def get_extra_info(self, info: str) -> Any:
        return None
