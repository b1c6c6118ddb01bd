"""HTTP requests as the host itself makes them, each on a connection of its own."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from paramiko import SSHException

from relogin.tunnel import Refused, as_socket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relogin.tunnel import Tunnel

_READY_MADE = (
    "/%:=&?~+!$,;'@()*[]"  # what quote() leaves alone: a declared URL may be quoted already
)


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
    pieces = urlsplit(url)
    kind, body = _body(data, json)
    connection = _Connection(tunnel, pieces, deadline)
    try:
        connection.request(method, _target(pieces), body, {**_HEADERS, **kind, **headers})
        answer = connection.getresponse()
        return _reply(answer, answer.read(), time.monotonic() - started)
    except (OSError, EOFError, ValueError, SSHException, http.client.HTTPException) as error:
        return _failed(error, time.monotonic() - started)
    finally:
        connection.close()


class _Connection(http.client.HTTPConnection):
    """An HTTP connection that begins on the host; httpx would take longer to import than to ask."""

    def __init__(self, tunnel: Tunnel, pieces: SplitResult, deadline: float) -> None:
        self._tunnel = tunnel
        self._tls = pieces.scheme == "https"
        self.default_port = 443 if self._tls else 80
        super().__init__(pieces.hostname or "", pieces.port or self.default_port, timeout=deadline)

    def connect(self) -> None:
        pipe = self._tunnel.open(self.host, self.port, min(self.timeout or 10, 10))
        if self._tls:
            plain = as_socket(pipe)
            plain.settimeout(self.timeout)
            context = ssl.create_default_context()  # costs 12 ms, so only here
            self.sock = context.wrap_socket(plain, server_hostname=self.host)
        else:
            pipe.settimeout(self.timeout)
            self.sock = pipe


_HEADERS = {"Accept": "*/*", "User-Agent": "relogin"}


def _body(data: Mapping[str, str] | None, value: Any) -> tuple[dict[str, str], bytes | None]:
    if data is not None:
        return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(data).encode()
    if value is not None:
        return {"Content-Type": "application/json"}, json.dumps(value).encode()
    return {}, None


def _target(pieces: SplitResult) -> str:
    query = f"?{pieces.query}" if pieces.query else ""
    return quote((pieces.path or "/") + query, safe=_READY_MADE)


def _reply(answer: http.client.HTTPResponse, raw: bytes, seconds: float) -> Reply:
    headers: dict[str, str] = {}
    for name, value in answer.getheaders():
        known = headers.get(name.lower())
        headers[name.lower()] = f"{known}, {value}" if known else value
    text = _decoded(raw, answer.headers.get_content_charset("utf-8"))
    return Reply(answer.status, seconds, json=_json(raw), headers=headers, text=text)


def _decoded(raw: bytes, charset: str) -> str:
    try:
        return raw.decode(charset, "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _failed(error: Exception, seconds: float) -> Reply:
    """Say what went wrong, by its kind: an error's own text may repeat a header that was sent."""
    if isinstance(error, Refused | ConnectionRefusedError):
        return Reply(None, seconds, "nobody listens there", refused=True)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Reply(None, seconds, "the certificate is not trusted")
    if isinstance(error, TimeoutError):
        return Reply(None, seconds, "no answer in time")
    if type(error) is OSError:  # the tunnel's own words
        return Reply(None, seconds, f"could not be asked: {error}")
    if isinstance(error, ValueError | http.client.InvalidURL):
        return Reply(None, seconds, "could not be asked: a header or the URL cannot be sent")
    return Reply(None, seconds, f"the connection broke ({type(error).__name__})")
