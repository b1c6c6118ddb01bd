"""The refresh token of a login: the new token that it gives has to open the protected route."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.facts import login_answer
from relogin.facts.proof import Check, token_in
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.facts.login_requests import Requests
    from relogin.parts.proof import Refresh
    from relogin.web import Reply


def refreshed(requests: Requests, how: Refresh, login: Reply) -> list[Check]:
    """Ask for a new token by the login's refresh token, and open the protected route with it."""
    token = token_in(how.token, login)
    if token is None:
        keys = ", ".join(sorted(login_answer.read(login).keys))
        said = f"the login's answer has no {how.token!r}" + (f": it has {keys}" if keys else "")
        return [Check("refresh", False, said)]
    Secret.seen(token)
    reply = requests.refresh(how, token)
    if reply.status is None or reply.status == 429:
        return [Check("refresh", None, f"POST {how.url}: not checked ({reply.shown})")]
    return [_judged(requests, how, reply)]


def _judged(requests: Requests, how: Refresh, reply: Reply) -> Check:
    new = token_in(requests.login.token, reply)
    asked = f"POST {how.url} with the refresh token"
    if new is None:
        answer = login_answer.read(reply).shown
        without = f" without {requests.login.token!r}" if reply.ok else ""
        return Check("refresh", False, f"{asked}: {answer}{without}")
    Secret.seen(new)
    if requests.login.protected is None:
        return Check("refresh", True, f"{asked}: {reply.shown}, a new token")
    opened = requests.get(new)
    said = f"{asked}: {reply.shown}, and GET {requests.login.protected} with the new token"
    return Check("refresh", opened.ok, f"{said}: {opened.shown}")
