"""What a token of a login says of itself, and whether the protected route opens to it."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from relogin import tokens
from relogin.facts import login_answer
from relogin.facts.proof import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from relogin.parts.proof import Jwt
    from relogin.web import Reply


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


def opened(url: str | None, replies: Sequence[Reply]) -> Check:
    """Judge the protected route's answers to the good token, each by a connection of its own."""
    first = replies[0]
    judged = [one for one in replies if one.status not in {None, 429}] or [first]
    good = [one for one in judged if one.ok]
    if len(good) == len(judged):
        times = f", {len(good)} times" if len(good) > 1 else ""
        return Check("protected", True, f"GET {url}: {good[0].shown} with the token{times}")
    refused = next(one for one in judged if not one.ok)
    said = f"GET {url}: {refused.shown} with the token"
    if good:
        some = f"{said}, {len(judged) - len(good)} of {len(judged)} times"
        return Check("protected", False, some, kind="works-by-some-workers")
    stripped = "unauthenticated" in login_answer.read(refused).told
    if stripped and refused.status in {401, 403}:
        said = f"{said}, as if none had been sent"
        return Check("protected", False, said, kind="authorization-stripped")
    return Check("protected", False, said)
