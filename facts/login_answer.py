"""What the answer to a login request is like, never its text: that may repeat the password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from relogin.facts import login_form
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.web import Reply

_LOOKED_AT = 20_000
_SHOWN = 12
_DEEP = 4
# starlette's TrustedHostMiddleware; Django with and without DEBUG.
_PHRASES = {
    "host": re.compile(r"invalid host header|invalid http_host|<title>bad request \(400\)</title>"),
    "csrf": re.compile(r"csrf"),
    "plain-http": re.compile(r"plain http request was sent to https port"),  # nginx, with its 400
    "unauthenticated": re.compile(
        r"not authenticated|credentials were not provided|missing authorization"
    ),
}
_SECOND_FACTOR = re.compile(
    r"(?<![a-z])(mfa|2fa|t?otp|webauthn|passkey|(?:one[-_ ]time|two[-_ ]factor|multi[-_ ]factor"
    r"|second[-_ ]factor)(?:[-_ ]\w+)?|verification[-_ ]code|challenge)(?![a-z])"
)
_NEW_PASSWORD = re.compile(
    r"(?:must|needs? to|required?|forced?)[-_ a-z]{0,12}(?:change|reset)[-_ a-z]{0,12}password"
    r"|password[-_ a-z]{0,12}(?:expired|(?:change|reset)[-_ ](?:is[-_ ])?required)"
    r"|(?<![a-z])change[-_ ]password(?![a-z])|new[-_ ]password[-_ ]required"
)
_HEADER = re.compile(r"\b(X(?:-[A-Za-z0-9]{1,20}){1,5})\b|[Hh]eader:? ['\"`]?([a-z]+(?:-[a-z]+)+)")


@dataclass(frozen=True)
class Problem:
    """An entry of a validation error: FastAPI's `type` and `loc`; DRF's field is in the body."""

    kind: str
    where: tuple[str, ...]

    @property
    def missing(self) -> bool:
        return self.kind.removeprefix("value_error.") == "missing"  # pydantic 1 says it so


@dataclass(frozen=True)
class LoginAnswer:
    """What came back: `status` is None where nothing did, and `trouble` (relogin.trouble) says why.

    `media` is the body's type; `keys` are the names in its JSON, four levels deep; `told` are those
    of the known phrases that it holds (host, csrf, plain-http, unauthenticated); `asks_for` is the
    word by which it asks for more than a password; `headers` are names of headers in its text,
    `fields` those of a form in it that asks for a password, `cookies` those of what it sets.
    `allow`, `location` (without query) and `retry_after` are of its headers.
    """

    status: int | None
    trouble: str = ""
    failure: str = ""
    media: str = ""
    keys: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    told: frozenset[str] = frozenset()
    asks_for: str = ""
    headers: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    allow: str = ""
    location: str = ""
    retry_after: str = ""

    @property
    def shown(self) -> str:
        """Say in a few words what came."""
        if self.status is None:
            return self.failure
        return " ".join(("answered", str(self.status), *self._more()))

    def _more(self) -> Iterator[str]:
        if self.location and 300 <= (self.status or 0) < 400:
            yield f"to {self.location}"
        if self.status in {400, 404, 405} and self.media not in {"", "application/json"}:
            yield f"with {self.media}"
        if self.status == 405 and self.allow:
            yield f"(it allows {self.allow})"
        if self.status == 429:
            yield f"(Retry-After: {self.retry_after or 'none'})"
        wanted = [".".join(problem.where) for problem in self.problems]
        if wanted:
            yield f"because of {', '.join(wanted)}"


def read(reply: Reply) -> LoginAnswer:
    """Take from a reply what can be judged and shown."""
    text = reply.text[:_LOOKED_AT]
    lower = text.lower()
    headers = reply.headers
    return LoginAnswer(
        reply.status,
        reply.trouble,
        reply.failure,
        media=_short(headers.get("content-type", "").partition(";")[0].strip().lower()),
        keys=tuple(_names(reply.json))[:_SHOWN],
        problems=tuple(_problems(reply.json))[:_SHOWN],
        told=frozenset(name for name, phrase in _PHRASES.items() if phrase.search(lower)),
        asks_for=_asks_for(reply.json, strict=not reply.ok),
        headers=tuple(dict.fromkeys(one or two for one, two in _HEADER.findall(text)))[:_SHOWN],
        fields=tuple(map(_short, login_form.fields(text)))[:_SHOWN],
        cookies=tuple(map(_short, reply.cookies))[:_SHOWN],
        allow=_short(headers.get("allow", "")),
        location=_location(headers.get("location", "")),
        retry_after=_short(headers.get("retry-after", "")),
    )


def wait_for(reply: Reply) -> float | None:
    """Give the seconds after which a 429 may be asked again, where it tells them.

    They are told as a number, or as a date by the clock of who names it (RFC 9110, 10.2.3).
    """
    after = reply.headers.get("retry-after", "") if reply.status == 429 else ""
    if after.isdigit():
        return float(after)
    try:
        now = parsedate_to_datetime(reply.headers["date"])
        return max((parsedate_to_datetime(after) - now).total_seconds(), 0)
    except (KeyError, ValueError, TypeError):
        return None


def _short(text: str) -> str:
    return text[:80]


def _location(url: str) -> str:
    try:
        pieces = urlsplit(url)
        host, port = pieces.hostname, pieces.port
    except ValueError:
        return "?"
    at = f"{pieces.scheme}://{host}{f':{port}' if port else ''}" if host else ""
    return _short(at + pieces.path)


def _pairs(found: Any, depth: int = 2) -> Iterator[tuple[str, Any]]:
    """Give names and values of a JSON object, and of the objects in it; dotted."""
    for name, value in found.items() if isinstance(found, dict) else ():
        yield str(name), value
        if depth > 1:
            yield from ((f"{name}.{inner}", deeper) for inner, deeper in _pairs(value, depth - 1))


def _names(found: Any) -> Iterator[str]:
    names = [name for name, _ in _pairs(found, _DEEP)]
    return map(_short, sorted(names, key=lambda name: name.count(".")))


def _problems(found: Any) -> Iterator[Problem]:
    detail = found.get("detail") if isinstance(found, dict) else None
    for entry in detail if isinstance(detail, list) else ():
        where = entry.get("loc") if isinstance(entry, dict) else None
        if isinstance(where, list):
            yield Problem(_short(str(entry.get("type"))), tuple(_short(str(w)) for w in where))
    for name, said in found.items() if isinstance(found, dict) else ():
        texts = [one for one in said if isinstance(one, str)] if isinstance(said, list) else []
        if any("required" in text for text in texts):
            yield Problem("missing", ("body", _short(str(name))))


def _asks_for(found: Any, *, strict: bool) -> str:
    """Give the word that asks for more: in the name of what is set, or in a short text.

    An error's text (`strict`) may speak of a challenge or of a forgotten password as well.
    """
    for name, value in _pairs(found):
        told = value if isinstance(value, str) and len(value) < 200 else ""
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", f"{name if value else ''} {told}").lower()
        if (said := _NEW_PASSWORD.search(words) or _SECOND_FACTOR.search(words)) is None:
            continue
        if not (strict and said[0] == "challenge"):
            return said[0]
    return ""
