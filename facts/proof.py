"""What a login's answers prove: pure judgements of what was asked and what came back."""

from __future__ import annotations

import time
from dataclasses import field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from relogin.facts.login_answer import read
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.facts.login_answer import LoginAnswer
    from relogin.facts.openapi import Routes
    from relogin.parts.proof import Cookie, Probe
    from relogin.secret import Secret
    from relogin.web import Reply

# Whoever accepts that these fail has no login: they stand for the login itself.
CORE = ("login", "protected")
_FAULTS = {
    "token": "token-not-a-jwt",
    "algorithm": "algorithm-wrong",
    "signature": "signature-wrong",
    "subject": "subject-wrong",
    "expiry": "expiry-wrong",
    "protected": "protected-refused",
    "identity": "identity-wrong",
    "refresh": "refresh-refused",
    "unprotected": "open-without-token",
    "forged": "forged-token-accepted",
    "wrong-password": "wrong-password-accepted",
    "probe": "probe-failed",
    "cors": "cors-refused",
    "token-url": "token-url-differs",
}
# What is wrong there keeps nobody out who logs in as people do.
_HARMLESS = {"token-url"}


@dataclass(frozen=True)
class Check:
    """One thing that was checked: `ok` is None where it could not be, and `said` says why.

    `kind` tells apart in which way it failed, where there are several. `accepted` is the reason why
    the profile lets a failure be, or empty.
    """

    name: str
    ok: bool | None
    said: str
    kind: str = ""
    accepted: str = ""

    @property
    def family(self) -> str:
        """Give the name without what tells checks of one kind apart."""
        return self.name.partition(":")[0]

    @property
    def fault(self) -> str:
        """Give the id of the fault that it is where it failed."""
        return f"login.{self.kind or _FAULTS.get(self.family, '')}"

    @property
    def part_of(self) -> str:
        """Give the wider fault, where it has one: whatever is wrong with the public URL."""
        return "login.public-url" if self.family == "public" else ""

    @property
    def failed(self) -> bool:
        """Tell whether it fails the proof: what is accepted, or keeps nobody out, does not."""
        harmless = self.family in _HARMLESS or (self.accepted and self.family not in CORE)
        return self.ok is False and not harmless


@dataclass(frozen=True)
class Proof:
    """What a login brought: who logged in where, the answer, and every check in order.

    `answer` is what came of the login request, `routes` what the backend says of its own routes:
    asked for only where the login was not understood. `seconds` is how long the login took,
    `at` when that was (Unix time).
    """

    account: str
    url: str
    checks: tuple[Check, ...]
    status: int | None = None
    answer: LoginAnswer | None = field(default=None, repr=False)
    routes: Routes | None = field(default=None, repr=False)
    token: Secret | None = field(default=None, repr=False)
    seconds: float | None = None
    at: float = field(default_factory=time.time, compare=False)

    @property
    def works(self) -> bool:
        """True where the login worked, and its token opened the protected route, if any."""
        return self.check("login") is True and self.check("protected") is not False

    @property
    def proven(self) -> bool:
        """True where the login worked, and no check failed but for what the profile accepts.

        The login itself and the protected route cannot be accepted away.
        """
        return self.check("login") is True and not any(check.failed for check in self.checks)

    def check(self, name: str) -> bool | None:
        return next((check.ok for check in self.checks if check.name == name), None)

    def said(self, name: str) -> str:
        return next((check.said for check in self.checks if check.name == name), "")


def logged_in(
    account: str, url: str, reply: Reply, where: str | Cookie, answer: LoginAnswer
) -> Check:
    """Judge the answer to the login request; `where` its token should be."""
    if token_in(where, reply) is not None:
        said = f"{account} logged in at {url} ({reply.status}, {reply.seconds:.2f} s)"
        return Check("login", True, said)
    said = answer.shown
    if reply.ok:
        kind = f"it is {answer.media}" if answer.media else "it has no body"
        has = f"it has {', '.join(sorted(answer.keys))}" if answer.keys else kind
        said += f" without {where!r}: {has}"
    unasked = answer.trouble in {"untried", "unsendable"}
    return Check("login", None if unasked else False, f"POST {url}: {said}")


def answers_as(path: str, names: set[str], account: str, reply: Reply) -> Check:
    """Judge whom the protected route takes us for."""
    value = at(path, reply.json)
    if value is None:
        has = ", ".join(read(reply).keys) or "no names"
        return Check("identity", False, f"names nobody at {path!r}: it has {has}")
    found = str(value)
    if found in names:
        return Check("identity", True, f"answers as {found}")
    return Check("identity", False, f"answers as {found!r}, not as {account}")


def kept_out(name: str, what: str, reply: Reply, *, let_in: bool) -> Check:
    """Judge an answer that should have been a refusal; 429 and silence prove nothing."""
    if reply.status is None or reply.status == 429:
        return Check(name, None, f"{what}: not checked ({reply.shown})")
    return Check(name, not let_in, f"{what} ({reply.shown})")


def probed(probe: Probe, reply: Reply) -> Check:
    """Judge a declared probe's answer."""
    host = f" as {probe.host_header}" if probe.host_header else ""
    wrong = _wrong(probe, reply)
    return Check(f"probe: {probe.url}", not wrong, f"GET {probe.url}{host}: {reply.shown}{wrong}")


def _wrong(probe: Probe, reply: Reply) -> str:
    if reply.status != probe.expect:
        return f", expected {probe.expect}"
    if probe.body is not None and probe.body not in reply.text:
        return " without the declared text"
    found = {path: at(path, reply.json) for path in probe.fields}
    other = [
        f"{path} is {str(found[path])[:40]!r}, expected {str(wanted)!r}"
        for path, wanted in probe.fields.items()
        if found[path] != wanted
    ]
    return f", {'; '.join(other)}" if other else ""


def documented(url: str, routes: Routes | None) -> Check:
    """Judge what the backend's own document says of where one logs in; it may publish none."""
    if routes is None or routes.token_url is None:
        return Check("token-url", None, "openapi.json: not checked (it names no tokenUrl)")
    named = urlsplit(urljoin(routes.url, routes.token_url)).path
    said = f"{routes.url} names {named} as tokenUrl"
    path = urlsplit(url).path
    right = path == named or (path.endswith(named) and named.count("/") > 1)
    return Check("token-url", right, said if right else f"{said}, and the login is at {url}")


def token_in(where: str | Cookie, reply: Reply) -> str | None:
    """Give the token of a login's answer, where there is one; with a cookie it may redirect."""
    if not isinstance(where, str):
        welcome = reply.status is not None and reply.status < 400
        return reply.cookies.get(where.name) or None if welcome else None
    found = at(where, reply.json) if reply.ok else None
    return found if isinstance(found, str) and found else None


def at(path: str, value: Any) -> Any:
    """Follow a dotted path into JSON; None where it leads nowhere."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
