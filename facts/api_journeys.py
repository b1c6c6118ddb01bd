"""Journeys of a page through an API: each request as its scripts send it, with its origin."""

from __future__ import annotations

import base64
import hmac
import struct
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from relogin.facts import api_schema, login_answer
from relogin.facts.api_ask import Asker
from relogin.facts.api_state import INTEGRATION, Tried
from relogin.facts.proof_web import cors
from relogin.finding import Unreadable
from relogin.secret import Secret, SecretMissing
from relogin.web import set_cookies

if TYPE_CHECKING:
    from relogin.parts.journey import Journey, Step
    from relogin.web import Reply


def gone(asker: Asker, journey: Journey) -> Iterator[Tried]:
    """Go through a journey, up to its first step that fails."""
    try:
        given = _given(asker, journey)
    except SecretMissing as missing:
        yield Tried(INTEGRATION, journey.name, None, f"{journey.name}: {missing}")
        return
    traveller = _Traveller(asker, journey, given)
    for number, step in enumerate(journey.steps, 1):
        tried = traveller.taken(number, step)
        yield tried
        if tried.ok is not True:
            left = len(journey.steps) - number
            if left:
                said = f"{journey.name}: {left} more step{'s' * (left > 1)} not tried"
                yield Tried(INTEGRATION, f"{journey.name}, the rest", None, said)
            return


def _given(asker: Asker, journey: Journey) -> dict[str, str]:
    account = asker.backend.account(journey.account)
    password = account.password.reveal() if account.password else ""
    known = {"login": account.login, "email": account.email or "", "password": password}
    return known | ({"totp": totp(journey.totp.reveal(), time.time())} if journey.totp else {})


class _Traveller:
    """What a page knows on its way: what it kept, and its cookies."""

    def __init__(self, asker: Asker, journey: Journey, known: dict[str, str]) -> None:
        self.asker, self.journey, self.known = asker, journey, known
        self.jar: dict[str, tuple[str, str]] = {}  # value and path, by name
        self.crossing = asker.origin not in {None, origin_of(asker.outside)}

    def taken(self, number: int, step: Step) -> Tried:
        name = f"{self.journey.name}, step {number}"
        what = f"{name}: {step.name}"
        headers = self._headers(step)
        if self.crossing and (wrong := self._preflight(step, headers)):
            return Tried(INTEGRATION, name, False, f"{what}: {wrong}", "journey-broken", "")
        reply = self.asker.ask(
            step.method,
            self._path(step),
            headers,
            fields=filled(step.fields, self.known),
            body=step.body,
            public=True,
        )
        shown = f"{what}: {login_answer.read(reply).shown} ({reply.seconds * 1000:.0f} ms)"
        if reply.status == 429 and step.status != 429:
            return Tried(INTEGRATION, name, None, shown)
        wrong = self._wrong(step, reply)
        said = f"{shown}{f'; {wrong}' if wrong else ''}"
        expected = f"{step.status}" if wrong else ""
        return Tried(
            INTEGRATION, name, not wrong, said, "journey-broken" if wrong else "", expected
        )

    def _at(self, step: Step) -> str:
        return urlsplit(self.asker.outside + self._path(step)).path

    def _path(self, step: Step) -> str:
        return step.path.format_map({name: quote(text, "") for name, text in self.known.items()})

    def _headers(self, step: Step) -> dict[str, str | bytes]:
        texts = {name: filled(value, self.known) for name, value in step.headers.items()}
        declared = self.asker.declared(texts)
        carried: dict[str, str | bytes] = {}
        if self.asker.origin:
            carried["Origin"] = self.asker.origin
        if "token" in self.known:
            carried["Authorization"] = f"Bearer {self.known['token']}".encode()
        if cookies := self._cookies(step):
            carried["Cookie"] = "; ".join(cookies).encode()
        return {**carried, **declared}

    def _preflight(self, step: Step, headers: Mapping[str, str | bytes]) -> str:
        """Ask as a browser does before what is not simple (Fetch standard, 4.8)."""
        names = {name.lower() for name in self.asker.headers(headers)}
        names -= {"origin", "cookie", "host", "accept", "accept-language"}
        names |= {"content-type"} if step.fields is not None and step.body == "json" else set()
        if not names and step.method in {"GET", "HEAD", "POST"}:
            return ""
        origin = self.asker.origin or ""
        asked = {"Origin": origin, "Access-Control-Request-Method": step.method}
        if names:
            asked["Access-Control-Request-Headers"] = ",".join(sorted(names))
        reply = self.asker.ask("OPTIONS", self._path(step), asked, public=True)
        cookie = bool(self._cookies(step))
        check = cors(step.method, step.path, origin, names, reply, cookie=cookie)
        return f"the browser sends it not: {check.said}" if check.ok is False else ""

    def _wrong(self, step: Step, reply: Reply) -> str:
        """Say what is wrong with an answer, and keep of it what is to be kept."""
        if reply.status != step.status:
            return f"expected {step.status}"
        if self.crossing and (hidden := self._hidden(reply)):
            return hidden
        if step.schema is not None:
            wrong = api_schema.wrong(step.schema, reply)
            if isinstance(wrong, Unreadable) or wrong:
                return wrong.reason if isinstance(wrong, Unreadable) else wrong
        self._take_cookies(step, reply)
        return self._kept(step, reply)

    def _take_cookies(self, step: Step, reply: Reply) -> None:
        folder = self._at(step).rpartition("/")[0] or "/"
        for name, one in set_cookies(reply.set_cookie).items():
            if one.value and one["max-age"] != "0":
                self.jar[name] = Secret.seen(one.value).reveal(), one["path"] or folder
            else:
                self.jar.pop(name, None)

    def _cookies(self, step: Step) -> list[str]:
        """Give the cookies that go to a step's path (RFC 6265, 5.1.4)."""
        path = self._at(step)
        return [
            f"{name}={value}"
            for name, (value, at) in self.jar.items()
            if path == at or path.startswith(at if at.endswith("/") else f"{at}/")
        ]

    def _hidden(self, reply: Reply) -> str:
        """Say why a browser would keep an answer from the page (Fetch standard, CORS check)."""
        allowed = reply.headers.get("access-control-allow-origin", "")
        if (allowed == "*" and not self.jar) or allowed == self.asker.origin:
            return ""
        return f"a page of {self.asker.origin} may not read it: Access-Control-Allow-Origin is " + (
            allowed[:80] or "not there"
        )

    def _kept(self, step: Step, reply: Reply) -> str:
        for name, path in step.keep.items():
            value = at(path, reply.json)
            if not isinstance(value, str | int) or isinstance(value, bool):
                return f"the answer has no {path}"
            text = str(value)
            if len(text) >= 8:
                Secret.seen(text)
            self.known[name] = text
        return ""


def origin_of(url: str) -> str:
    """Give the origin of a URL, as a browser has it (RFC 6454, 6.2)."""
    pieces = urlsplit(url)
    default = {"http": 80, "https": 443}.get(pieces.scheme)
    port = f":{pieces.port}" if pieces.port not in {None, default} else ""
    return f"{pieces.scheme}://{pieces.hostname}{port}"


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """Fill in the names in braces of a text, or of all texts in a JSON value."""
    if isinstance(value, str):
        return value.format_map(known)
    if isinstance(value, list | tuple):
        return [filled(one, known) for one in value]
    if isinstance(value, Mapping):
        return {name: filled(one, known) for name, one in value.items()}
    return value


def at(path: str, value: Any) -> Any:
    """Follow a dotted path into JSON, by names and places in lists; None where it leads nowhere."""
    for name in path.split("."):
        if isinstance(value, list) and name.isdecimal():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def totp(key: str, moment: float) -> str:
    """Give the code of a second factor (RFC 6238 with SHA-1, 30 s and 6 digits).

    Raises:
        SecretMissing: the key is no base32.
    """
    padded = key.replace(" ", "").upper()
    try:
        raw = base64.b32decode(padded + "=" * (-len(padded) % 8))
    except ValueError:
        raise SecretMissing("the key of the second factor is no base32") from None
    digest = hmac.digest(raw, struct.pack(">Q", int(moment // 30)), "sha1")
    at_byte = digest[-1] & 15
    number = int.from_bytes(digest[at_byte : at_byte + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
