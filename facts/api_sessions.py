"""Logins, second factors, cookies, renewed tokens and logouts of an API."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from relogin.facts import login_answer
from relogin.facts.api_ask import Asker, Session
from relogin.facts.api_endpoints import body, status_kind
from relogin.facts.api_state import AUTHENTICATION, Tried
from relogin.facts.proof import token_in
from relogin.facts.proof_refresh import refreshed
from relogin.parts.proof import Cookie
from relogin.secret import Secret, SecretMissing
from relogin.web import set_cookies

if TYPE_CHECKING:
    from relogin.parts.api import Challenge, Logout
    from relogin.parts.proof import Login


def logins(asker: Asker) -> Iterator[Tried]:
    """Log in whoever is named, each once, and look at the cookies that this sets."""
    login, api = asker.login, asker.api
    if login is None:
        return
    challenged = {one.account: one for one in api.challenges}
    asked = {login.account, *challenged, *api.accounts}
    needed = {one.account for one in api.endpoints}.union(*(one.forbidden for one in api.endpoints))
    travellers = {one.account for one in api.journeys} - needed
    for account in sorted(asked - (travellers - challenged.keys() - {login.account})):
        try:
            session = asker.session(account)
        except SecretMissing as missing:
            yield Tried(AUTHENTICATION, f"login of {account}", None, str(missing))
            continue
        if account in challenged:
            yield from _challenge(login, challenged[account], session)
        else:
            yield _login(login, account, session)
    yield from _cookies(asker, login)


def _login(login: Login, account: str, session: Session) -> Tried:
    reply, path = session.reply, urlsplit(login.url).path
    name = f"POST {path} as {account}"
    if session.token is not None:
        took = f"{reply.seconds * 1000:.0f} ms"
        return Tried(AUTHENTICATION, name, True, f"{name}: logged in ({reply.status}, {took})")
    answer = login_answer.read(reply)
    said = f"{name}: {answer.shown}"
    if answer.trouble in {"untried", "unsendable"} or reply.status == 429:
        return Tried(AUTHENTICATION, name, None, said)
    kind = status_kind(reply, 200, there=False, token=False)
    if kind in {"", "status-wrong"}:
        kind = "login-refused"
        said += f"; it asks for more: {answer.asks_for}" if answer.asks_for else ""
        said += f" without {login.token!r}" if reply.ok else ""
    return Tried(AUTHENTICATION, name, False, said, kind, "a token")


def _challenge(login: Login, declared: Challenge, session: Session) -> Iterator[Tried]:
    reply = session.reply
    name = f"POST {urlsplit(login.url).path} as {declared.account}"
    shown = f"{name}: {login_answer.read(reply).shown}"
    if reply.status in {None, 429}:
        yield Tried(AUTHENTICATION, name, None, f"{shown}: the second factor is not checked")
    elif session.token is not None:
        said = f"{shown} with a token"
        yield Tried(AUTHENTICATION, name, False, said, "second-factor-skipped", "a challenge")
    elif reply.status != declared.status:
        wanted = f"{declared.status}"
        kind = status_kind(reply, declared.status, there=False, token=False)
        kind = "second-factor-broken" if kind == "status-wrong" else kind
        yield Tried(AUTHENTICATION, name, False, shown, kind, wanted)
    else:
        yield Tried(AUTHENTICATION, name, True, f"{shown} with a challenge, without a token")
        if declared.schema is not None:
            yield body(AUTHENTICATION, name, reply, declared.schema)


def _cookies(asker: Asker, login: Login) -> Iterator[Tried]:
    """Look at the cookies of the login; that of a CSRF token is there for scripts to read."""
    open_ones = {login.csrf.cookie} if login.csrf else set()
    for name, said in set_cookies(asker.session(login.account).reply.set_cookie).items():
        if not said.value:
            continue
        wanted = [one for one in asker.api.cookies if one != "HttpOnly" or name not in open_ones]
        lacking = [one for one in wanted if not said[one.lower()]]
        if said["samesite"].lower() == "none" and not said["secure"]:
            lacking.append("Secure, which SameSite=None needs")
        subject = f"cookie {name}"
        told = f"lacks {', '.join(dict.fromkeys(lacking))}" if lacking else "has what it must have"
        kind = "cookie-unsafe" if lacking else ""
        yield Tried(
            *(AUTHENTICATION, subject, not lacking, f"{subject} {told}", kind),
            f"{', '.join(wanted)}",
        )


def renewed(asker: Asker) -> Iterator[Tried]:
    """Have the refresh token give a new one that opens the protected route."""
    login = asker.login
    if login is None or login.refresh is None:
        return
    session = asker.session(login.account)
    if session.token is None:
        return
    name = f"POST {urlsplit(login.refresh.url).path}"
    for asked in (name, f"GET {urlsplit(login.protected or '').path}"):
        asker.take(asked)
    for check in refreshed(session.requests, login.refresh, session.reply):
        kind = "" if check.ok is not False else "refresh-refused"
        yield Tried(AUTHENTICATION, name, check.ok, check.said, kind, "a new token that is good")


def lasted(asker: Asker) -> Iterator[Tried]:
    """Ask with the token of the beginning once more, at the end of a probe."""
    login = asker.login
    if login is None or login.protected is None:
        return
    session = asker.session(login.account)
    if session.token is None:
        return
    good = opens(asker, session)
    told = {True: "good", False: "refused", None: "not tried"}[good]
    said = f"the token of the beginning is {told} at the end"
    kind = "session-lost" if good is False else ""
    yield Tried(AUTHENTICATION, "the first token", good, said, kind)


def opens(asker: Asker, session: Session) -> bool | None:
    """Tell whether a token opens the protected route; None where that cannot be told."""
    assert asker.login is not None  # noqa: S101 # there is a session
    asker.take(f"GET {urlsplit(asker.login.protected or '').path}")
    reply = session.requests.get(session.token)
    return None if reply.status in {None, 429} else reply.ok


def ended(asker: Asker, how: Logout | None) -> Iterator[Tried]:
    """Log in anew, log out, and see the token refused, if it is to be; it is done last of all."""
    login = asker.login
    if how is None or login is None or asker.session(login.account).token is None:
        return
    session = asker.logged_in(login.account)
    name = f"{how.method} {how.path}"
    refresh = token_in(login.refresh.token, session.reply) if login.refresh else None
    if refresh is not None:
        Secret.seen(refresh)
    fields = _filled(how.fields, refresh or "")
    headers = {**session.headers, **_refresh_cookie(login, session, refresh)}
    reply = asker.ask(how.method, how.path, headers, fields=fields, body=how.body)
    shown = f"{name}: {login_answer.read(reply).shown}"
    if reply.status is None or reply.status == 429:
        yield Tried(AUTHENTICATION, name, None, f"{shown}: the logout is not checked")
        return
    if reply.status >= 400:
        kind = status_kind(reply, 200, there=False, token=False)
        kind = "logout-refused" if kind == "status-wrong" else kind
        yield Tried(AUTHENTICATION, name, False, shown, kind, "a logout")
        return
    yield Tried(AUTHENTICATION, name, True, shown)
    if how.ends and login.protected is not None:
        good = opens(asker, session)
        if good and opens(asker, dataclasses.replace(session, token=None)):
            good = None  # it opens to everybody, which is a finding of its own
        told = {True: "still good", False: "refused", None: "not to be told"}[good]
        said = f"the token is {told} after {name}"
        kind = "session-survives-logout" if good else ""
        yield Tried(
            AUTHENTICATION,
            f"the token after {name}",
            None if good is None else not good,
            said,
            kind,
        )


def _refresh_cookie(login: Login, session: Session, refresh: str | None) -> dict[str, bytes]:
    """Give the login's cookies where one of them is the refresh token: a browser sends them all."""
    if login.refresh is None or not isinstance(login.refresh.token, Cookie) or not refresh:
        return {}
    cookies = {login.refresh.token.name: refresh}
    if isinstance(login.token, Cookie) and session.token:
        cookies[login.token.name] = session.token
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()}


def _filled(value: Any, refresh: str) -> Any:
    if isinstance(value, str):
        return value.format_map({"refresh": refresh})
    if isinstance(value, list | tuple):
        return [_filled(one, refresh) for one in value]
    if hasattr(value, "items"):
        return {name: _filled(one, refresh) for name, one in value.items()}
    return value
