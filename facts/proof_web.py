"""What browsers and the rest of the world meet: cross-origin requests and the public URL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relogin.facts.proof import Check, token_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relogin.facts.login_answer import LoginAnswer
    from relogin.parts.proof import Cookie
    from relogin.web import Reply

_OF_TROUBLE = {
    "name-missing": "public-dns-missing",
    "filtered": "public-filtered",
    "refused": "public-not-listening",
    "tls-expired": "tls-expired",
    "tls-not-yet-valid": "tls-not-yet-valid",
    "tls-wrong-name": "tls-wrong-name",
    "tls-untrusted": "tls-untrusted",
}
# What says more of where we are than of the public URL.
_UNSEEN = {"name-unknown", "no-route", "untried", "unsendable"}
_PROXY_DOWN = {502, 503, 504, *range(520, 527)}  # 520 to 526 are Cloudflare's
_DISALLOWED = re.compile(r"Disallowed CORS [a-z, ]{1,40}")  # starlette's CORSMiddleware


def at_public(
    url: str, reply: Reply, where: str | Cookie, answer: LoginAnswer, *, same: bool | None
) -> Check:
    """Judge the login at the public URL, asked from the control machine.

    `same` tells whether its token has the signature of the one that the host itself was given; None
    where that cannot be told.
    """
    if token_in(where, reply) is not None:
        said = f"from here, POST {url}: {reply.shown} ({reply.seconds:.2f} s)"
        if same is False:
            said += ", with a token that another secret signed"
            return Check("public", False, said, kind="public-dns-elsewhere")
        return Check("public", True, said)
    said = f"from here, POST {url}: {answer.shown}"
    if reply.ok:
        said += f" without a token ({answer.media or 'no body'})"
    if answer.trouble in _UNSEEN or reply.status == 429:
        return Check("public", None, said)
    kind = _OF_TROUBLE.get(answer.trouble, "public-url")
    return Check(
        "public", False, said, "public-proxy-down" if reply.status in _PROXY_DOWN else kind
    )


def cors(
    method: str, url: str, origin: str, headers: set[str], reply: Reply, *, cookie: bool
) -> Check:
    """Judge a preflight as a browser does (Fetch standard, 4.8): origin, headers, credentials.

    `headers` are the names, in lower case, that the page's script would send.
    """
    asked = f"{method} {url} for a page of {origin}"
    if reply.status is None or reply.status == 429:
        return Check(f"cors: {url}", None, f"{asked}: not checked ({reply.shown})")
    wrong = "; ".join(_cors_wrong(origin, headers, reply, cookie=cookie))
    said = f"{asked}: {wrong or 'allowed'}"
    return Check(f"cors: {url}", not wrong, said)


def _cors_wrong(origin: str, headers: set[str], reply: Reply, *, cookie: bool) -> Iterator[str]:
    if not reply.ok:
        told = _DISALLOWED.search(reply.text)
        none = "no CORS middleware answers" if reply.status == 405 else "refused"
        yield f"OPTIONS answered {reply.status}, {told[0] if told else none}"
        return
    allowed = reply.headers.get("access-control-allow-origin", "")
    if allowed != origin and (cookie or allowed != "*"):
        yield f"Access-Control-Allow-Origin is {allowed[:80] or 'not there'}"
    names = reply.headers.get("access-control-allow-headers", "").lower()
    let_in = {name.strip() for name in names.split(",")}
    lacking = headers - let_in
    # The star never stands for Authorization, nor for anything where cookies are sent.
    if "*" in let_in and not cookie:
        lacking &= {"authorization"}
    if lacking:
        yield f"Access-Control-Allow-Headers lacks {', '.join(sorted(lacking))}"
    if cookie and reply.headers.get("access-control-allow-credentials") != "true":
        yield "Access-Control-Allow-Credentials is not true"
