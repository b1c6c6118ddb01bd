"""HTTP requests as the host itself makes them, each on a connection of its own."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
from paramiko import SSHException

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


def request(
    tunnel: Tunnel,
    method: str,
    url: str,
    *,
    deadline: float,
    headers: Mapping[str, str | bytes],
    data: Mapping[str, str] | None = None,
    json: Any = None,
) -> Reply:
    """Send one request, with a form or JSON as its body; never raises for what comes of it.

    `deadline` is in seconds, for each time that something is waited for. A redirect is an answer.
    """
    started = time.monotonic()
    sent = [(_bytes(name), _bytes(value)) for name, value in headers.items()]
    try:
        with _client(tunnel, url, deadline) as client:
            answer = client.request(method, url, headers=sent, data=data, json=json)
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        OSError,
        EOFError,
        ValueError,
        SSHException,
    ) as error:
        return _failed(error, time.monotonic() - started)
    return Reply(
        answer.status_code,
        time.monotonic() - started,
        json=_json(answer),
        headers=dict(answer.headers),
        text=answer.text,
    )


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _failed(error: Exception, seconds: float) -> Reply:
    """Say what went wrong, by its kind: an error's own text may repeat a header that was sent."""
    causes = list(_chain(error))
    if any(isinstance(cause, Refused | ConnectionRefusedError) for cause in causes):
        return Reply(None, seconds, "nobody listens there", refused=True)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Reply(None, seconds, "the certificate is not trusted")
    if any(isinstance(cause, httpx.TimeoutException | TimeoutError) for cause in causes):
        return Reply(None, seconds, "no answer in time")
    if type(error) is OSError:  # the tunnel's own words
        return Reply(None, seconds, f"could not be asked: {error}")
    if isinstance(error, ValueError | httpx.InvalidURL | httpx.LocalProtocolError):
        return Reply(None, seconds, "could not be asked: a header or the URL cannot be sent")
    return Reply(None, seconds, f"the connection broke ({type(error).__name__})")


def _chain(error: BaseException | None) -> Iterable[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


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
