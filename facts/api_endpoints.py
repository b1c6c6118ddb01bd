"""What each endpoint of an API answers: with a token, without one, and to whom it is forbidden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts import api_schema, login_answer
from relogin.facts.api_ask import Asker
from relogin.facts.api_document import Document
from relogin.facts.api_state import API, AUTHENTICATION, Tried
from relogin.finding import Unreadable

if TYPE_CHECKING:
    from relogin.parts.api import Endpoint
    from relogin.web import Reply

_REFUSED = (401, 403)
_HIDDEN = 404
_NOT_THERE = ("not-answered", "path-wrong", "method-wrong")  # whoever asks


def of(asker: Asker, endpoint: Endpoint, document: Document | None) -> Iterator[Tried]:
    """Ask an endpoint all that is declared of it."""
    if not endpoint.is_sent:
        yield _route(asker, endpoint, document)
        return
    answered = list(_answered(asker, endpoint, document))
    yield from answered
    if endpoint.account is None or answered[0].kind in _NOT_THERE:
        return
    if endpoint.protected:
        yield from _without_token(asker, endpoint)
    for account in endpoint.forbidden:
        yield from _forbidden(asker, endpoint, account)


def named(endpoint: Endpoint) -> str:
    """Give what a finding about an endpoint's own answer is about."""
    who = f" as {endpoint.account}" if endpoint.account else ""
    other = f" ({endpoint.status})" if endpoint.status != 200 else ""
    return f"{endpoint.name}{who}{other}"


def status_kind(reply: Reply, expected: int, *, there: bool, token: bool) -> str:
    """Name what is wrong with a status; `there` says that the route is known to be there.

    RFC 9110, 15.5.6: 405 says that the method is known, and that this target does not take it.
    """
    status = reply.status
    if status is None:
        return "not-answered"
    if status == expected:
        return ""
    if status == 405:
        return "method-wrong"
    if status == 404 and not there:
        return "path-wrong"
    if status >= 500:
        return "server-error"
    return "token-refused" if token and status in _REFUSED else "status-wrong"


def _answered(asker: Asker, endpoint: Endpoint, document: Document | None) -> Iterator[Tried]:
    name = named(endpoint)
    part = AUTHENTICATION if asker.is_of_login(endpoint.path) else API
    if endpoint.account is not None and asker.session(endpoint.account).token is None:
        yield Tried(part, name, None, f"{name}: not asked ({endpoint.account} is not logged in)")
        return
    reply = _sent(asker, endpoint, endpoint.account)
    if reply.status == 429:
        yield Tried(part, name, None, f"{name}: {login_answer.read(reply).shown}")
        return
    there = bool(document and endpoint.method in document.methods.get(_path(endpoint), ()))
    token = endpoint.account is not None
    kind = status_kind(reply, endpoint.status, there=there, token=token)
    said = f"{name}: {login_answer.read(reply).shown} ({reply.seconds * 1000:.0f} ms)"
    yield Tried(part, name, not kind, said, kind, "" if not kind else f"{endpoint.status}")
    if not kind and endpoint.schema is not None:
        yield body(part, name, reply, endpoint.schema)


def body(part: str, name: str, reply: Reply, schema: object) -> Tried:
    """Judge the body of an answer by its schema."""
    wrong = api_schema.wrong(schema, reply)  # type: ignore[arg-type] # a declared one
    if isinstance(wrong, Unreadable):
        return Tried(part, name, None, f"{name}: the body is not checked ({wrong.reason})")
    said = f"{name}: {wrong or 'the body is as its schema says'}"
    return Tried(part, name, not wrong, said, "body-wrong" if wrong else "", "its schema")


def _without_token(asker: Asker, endpoint: Endpoint) -> Iterator[Tried]:
    name = f"{endpoint.name} without a token"
    reply = _sent(asker, endpoint, None)
    yield _kept_out(name, reply, "not-protected")
    yield from _error_body(asker, name, reply)


def _forbidden(asker: Asker, endpoint: Endpoint, account: str) -> Iterator[Tried]:
    name = f"{endpoint.name} as {account}, who may not"
    if asker.session(account).token is None:
        yield Tried(AUTHENTICATION, name, None, f"{name}: not asked ({account} is not logged in)")
        return
    reply = _sent(asker, endpoint, account)
    if reply.status == 401:  # not known at all: this says nothing of roles
        said = f"{name}: answered 401 with a token"
        yield Tried(AUTHENTICATION, name, False, said, "token-refused", "403")
        return
    yield _kept_out(name, reply, "role-not-checked", hides=True)
    yield from _error_body(asker, name, reply)


def _kept_out(name: str, reply: Reply, kind: str, *, hides: bool = False) -> Tried:
    """Judge what should be a refusal; a redirect is one, to a page that logs people in."""
    shown = login_answer.read(reply).shown
    status = reply.status
    if status is None or status == 429:
        return Tried(AUTHENTICATION, name, None, f"{name}: not checked ({shown})")
    expected = "403" if hides else "401"
    if status >= 500:
        return Tried(AUTHENTICATION, name, False, f"{name}: {shown}", "server-error", expected)
    refused = status in _REFUSED or 300 <= status < 400 or (hides and status == _HIDDEN)
    if refused:
        return Tried(AUTHENTICATION, name, True, f"{name}: {shown}")
    wrong = kind if status < 300 else "status-wrong"
    return Tried(AUTHENTICATION, name, False, f"{name}: {shown}", wrong, expected)


def _error_body(asker: Asker, name: str, reply: Reply) -> Iterator[Tried]:
    if asker.api.error is not None and 400 <= (reply.status or 0) < 500 and reply.status != 429:
        yield body(API, name, reply, asker.api.error)


def _route(asker: Asker, endpoint: Endpoint, document: Document | None) -> Tried:
    """Look whether there is a route, without sending what could change something.

    Frameworks answer OPTIONS by 405 with `Allow`, or by what is allowed; some name there only
    what the first of several routes takes, so that the document has the last word.
    """
    name = f"{endpoint.name}"
    methods = document.methods.get(_path(endpoint)) if document else None
    if methods is not None and endpoint.method in methods:
        return Tried(API, name, True, f"{name}: not sent; openapi.json has it")
    reply = asker.ask("OPTIONS", endpoint.path)
    allowed = {one.strip() for one in reply.headers.get("allow", "").upper().split(",") if one}
    if reply.status is None:
        return Tried(API, name, False, f"{name}: {reply.shown}", "not-answered", "an answer")
    if reply.status == 404:
        said = f"{name}: not sent; OPTIONS answered 404"
        return Tried(API, name, False, said, "path-wrong", "a route")
    if endpoint.method in allowed:
        return Tried(API, name, True, f"{name}: not sent; the route takes it")
    if methods is None:
        told = f"OPTIONS answered {reply.status}, allowing {', '.join(sorted(allowed))[:80] or '?'}"
        return Tried(API, name, None, f"{name}: not sent; no telling if the route takes it: {told}")
    said = f"{name}: not sent; openapi.json has {', '.join(methods)} there"
    return Tried(API, name, False, said, "method-wrong", endpoint.method)


def _sent(asker: Asker, endpoint: Endpoint, account: str | None) -> Reply:
    carried = asker.session(account).headers if account else {}
    headers = {**asker.declared(endpoint.headers), **carried}
    return asker.ask(
        endpoint.method, endpoint.path, headers, fields=endpoint.fields, body=endpoint.body
    )


def _path(endpoint: Endpoint) -> str:
    return endpoint.path.partition("?")[0]
