"""What a login's answers prove: pure judgements of what was asked and what came back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from relogin import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from relogin.parts.proof import Jwt, Probe
    from relogin.secret import Secret
    from relogin.web import Reply


@dataclass(frozen=True)
class Check:
    """One thing that was checked: `ok` is None where it could not be, and `said` says why."""

    name: str
    ok: bool | None
    said: str


@dataclass(frozen=True)
class Proof:
    """What a login brought: who logged in where, the answer, and every check in order."""

    account: str
    url: str
    checks: tuple[Check, ...]
    status: int | None = None
    refused: bool = False
    token: Secret | None = field(default=None, repr=False)

    @property
    def proven(self) -> bool:
        """True where the login and every check that could be made are right."""
        return self.check("login") is True and all(check.ok is not False for check in self.checks)

    def check(self, name: str) -> bool | None:
        return next((check.ok for check in self.checks if check.name == name), None)

    def said(self, name: str) -> str:
        return next((check.said for check in self.checks if check.name == name), "")


def logged_in(account: str, url: str, reply: Reply, path: str) -> Check:
    """Judge the answer to the login request; `path` is where its token should be."""
    if token_in(path, reply) is not None:
        said = f"{account} logged in at {url} ({reply.status}, {reply.seconds:.2f} s)"
        return Check("login", True, said)
    said = f"answered {reply.status}" if reply.status else reply.failure
    if reply.ok:
        keys = sorted(reply.json) if isinstance(reply.json, dict) else []
        there = f"it has {', '.join(keys)}" if keys else "it is no JSON object"
        said += f" without {path!r}: {there}"
    unasked = reply.failure.startswith("could not be asked")
    return Check("login", None if unasked else False, f"POST {url}: {said}")


def of_token(
    token: str, declared: Jwt, key: str | None, identity: str | None, reply: Reply
) -> Iterator[Check]:
    """Check a JWT: algorithm, signature, subject and expiry.

    `key` is the configured secret or public key (None: not known), `identity` what the subject
    should be (None: not known).
    """
    read = tokens.read(token)
    if read is None:
        yield Check("token", False, "the token is not a JWT")
        return
    right = read.algorithm == declared.algorithm
    said = f"{read.algorithm}" + ("" if right else f", declared {declared.algorithm}")
    yield Check("algorithm", right, said)
    yield _signature(token, read.algorithm, key)
    yield _subject(read.claims, declared, identity)
    yield _expiry(read.claims, declared, reply)


def _signature(token: str, algorithm: str, key: str | None) -> Check:
    """Judge by the token's own algorithm: that it is another one is said already."""
    if key is None:
        return Check("signature", None, "signature not checked: the key has no value")
    if tokens.signed_by(token, key, algorithm):
        return Check("signature", True, "signature good")
    variant = tokens.secret_variant(token, key, algorithm)
    said = f"the configured secret {variant} fits" if variant else "another secret signed it"
    return Check("signature", False, said)


def _subject(claims: Mapping[str, Any], declared: Jwt, identity: str | None) -> Check:
    if identity is None:
        return Check("subject", None, "subject not checked")
    found = claims.get(declared.claim)
    if found == identity:
        return Check("subject", True, f"{declared.claim} {identity}")
    return Check("subject", False, f"{declared.claim} is {found!r}, expected {identity!r}")


def _expiry(claims: Mapping[str, Any], declared: Jwt, reply: Reply) -> Check:
    """Judge by the host's own clock, which its answer's Date header tells (RFC 9110, 6.6.1)."""
    expires = claims.get("exp")
    if not isinstance(expires, int | float):
        return Check("expiry", None, "it never expires" if expires is None else "exp is no number")
    try:
        now = parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (KeyError, ValueError):
        now = time.time()
    left = expires - now
    if left <= 0:
        return Check("expiry", False, f"it expired {-left:.0f} s before it was issued")
    if declared.lifetime is not None and abs(left - declared.lifetime) > 60:
        return Check("expiry", False, f"expires in {left:.0f} s, declared {declared.lifetime:g} s")
    return Check("expiry", True, f"expires in {_duration(left)}")


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def opened(url: str | None, reply: Reply) -> Check:
    """Judge the protected route's answer to the good token."""
    return Check("protected", reply.ok, f"GET {url}: {reply.shown} with the token")


def answers_as(path: str, names: set[str], account: str, reply: Reply) -> Check:
    """Judge whom the protected route takes us for."""
    found = str(at(path, reply.json))
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
    right = reply.status == probe.expect and (probe.body is None or probe.body in reply.text)
    host = f" as {probe.host_header}" if probe.host_header else ""
    wanted = "" if right else f", expected {probe.expect}"
    if not right and reply.status == probe.expect:
        wanted = " without the declared text"
    return Check(f"probe: {probe.url}", right, f"GET {probe.url}{host}: {reply.shown}{wanted}")


def token_in(path: str, reply: Reply) -> str | None:
    """Give the token of a login's answer, where there is one."""
    found = at(path, reply.json) if reply.ok else None
    return found if isinstance(found, str) and found else None


def at(path: str, value: Any) -> Any:
    """Follow a dotted path into JSON; None where it leads nowhere."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
