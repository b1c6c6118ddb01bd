"""Which pages of other origins an API lets in: the declared one, and no invented one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from relogin.facts.api_ask import Asker
from relogin.facts.api_state import INTEGRATION, Tried
from relogin.facts.proof_web import cors
from relogin.parts.proof import Cookie

if TYPE_CHECKING:
    from relogin.parts.api import Endpoint

_STRANGER = "https://relogin.invalid"  # RFC 2606: nobody's, ever
_SIMPLE = {"accept", "accept-language", "content-language", "host"}


def crossed(asker: Asker, endpoints: Sequence[Endpoint]) -> Iterator[Tried]:
    """Ask, for a page of the declared origin, whether its scripts may send each request."""
    if asker.origin is None:
        return
    seen: set[tuple[str, str]] = set()
    for endpoint in endpoints:
        at = endpoint.method, endpoint.path.partition("?")[0]
        if at not in seen:
            seen.add(at)
            yield _let_in(asker, endpoint, asker.origin)
    if endpoints:
        yield _stranger(asker, endpoints[0])


def _let_in(asker: Asker, endpoint: Endpoint, origin: str) -> Tried:
    names = _names(asker, endpoint)
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": endpoint.method,
        **({"Access-Control-Request-Headers": ",".join(sorted(names))} if names else {}),
    }
    reply = asker.ask("OPTIONS", endpoint.path, asked, public=True)
    check = cors(endpoint.method, endpoint.path, origin, names, reply, cookie=_by_cookie(asker))
    subject = f"{endpoint.name} for a page of {origin}"
    kind = "cors-refused" if check.ok is False else ""
    return Tried(INTEGRATION, subject, check.ok, check.said, kind, "allowed")


def _names(asker: Asker, endpoint: Endpoint) -> set[str]:
    """Give the headers that a script sends and a browser asks about, in lower case."""
    own = {name.lower() for name in (*asker.headers(), *endpoint.headers)} - _SIMPLE
    own |= {"authorization"} if endpoint.account and not _by_cookie(asker) else set()
    json = endpoint.fields is not None and endpoint.body == "json"
    return own | ({"content-type"} if json else set())


def _stranger(asker: Asker, endpoint: Endpoint) -> Tried:
    """See that no other page may use the cookies of who is logged in."""
    asked = {"Origin": _STRANGER, "Access-Control-Request-Method": endpoint.method}
    reply = asker.ask("OPTIONS", endpoint.path, asked, public=True)
    subject = f"{endpoint.name} for a page of {_STRANGER}"
    if reply.status is None or reply.status == 429:
        return Tried(INTEGRATION, subject, None, f"{subject}: not checked ({reply.shown})")
    allowed = reply.headers.get("access-control-allow-origin", "")
    with_cookies = reply.headers.get("access-control-allow-credentials") == "true"
    is_open = reply.ok and allowed == _STRANGER and with_cookies
    said = f"{subject}: {'let in, with cookies' if is_open else 'not let in with cookies'}"
    return Tried(INTEGRATION, subject, not is_open, said, "cors-open" if is_open else "", "refused")


def _by_cookie(asker: Asker) -> bool:
    return asker.login is not None and isinstance(asker.login.token, Cookie)
