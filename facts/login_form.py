"""What a login form's own page gives along: its cookies and its CSRF token."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from relogin.parts.proof import Csrf
    from relogin.web import Reply

_NOT_TYPED = {"hidden", "submit", "button", "checkbox", "radio", "image", "reset", "search"}
_INPUT = re.compile(r"(?is)<input\b[^>]*>")
_ATTRIBUTE = re.compile(r"""(?is)\b(name|type|value)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""")


def page_of(csrf: Csrf, login: str) -> str:
    """Give the URL of the form's page: the declared path where the login itself is asked."""
    if csrf.page is None:
        return login
    at, path = urlsplit(login), urlsplit(csrf.page)
    return urlunsplit((at.scheme, at.netloc, path.path, path.query, ""))


def token_of(csrf: Csrf, page: Reply) -> str:
    """Give the form's token: that of its hidden field, else the cookie's; empty where is none.

    Django takes its cookie's value too ("How Django's CSRF protection works"); with
    CSRF_USE_SESSIONS, and in Flask-WTF, it is in the page alone.
    """
    return _hidden(csrf.field, page.text) or page.cookies.get(csrf.cookie, "")


def _hidden(field: str, text: str) -> str:
    found = (tag for tag in _inputs(text) if tag.get("name") == field)
    return html.unescape(next(found, {}).get("value", ""))


def fields(text: str) -> tuple[str, ...]:
    """Give the names that a page's form asks a person for; none where it asks for no password."""
    shown = [tag for tag in _inputs(text) if tag.get("type", "").lower() not in _NOT_TYPED]
    asks = any(tag.get("type", "").lower() == "password" for tag in shown)
    return tuple(html.unescape(tag["name"]) for tag in shown if "name" in tag) if asks else ()


def _inputs(text: str) -> Iterator[dict[str, str]]:
    for tag in _INPUT.findall(text):
        yield {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(tag)}


def headers(csrf: Csrf, url: str, host: str | None, page: Reply) -> dict[str, str | bytes]:
    """Give the headers that go with the login: the page's cookies, where we come from, the token.

    By https Django refuses a login without a Referer of its own host.
    """
    asked = urlsplit(url)
    came_from = urlunsplit((asked.scheme, host or asked.netloc, asked.path, "", ""))
    token = token_of(csrf, page)
    return {
        "Referer": came_from,
        **({"Cookie": _cookies(page.cookies)} if page.cookies else {}),
        **({csrf.header: token.encode()} if token else {}),
    }


def _cookies(found: Mapping[str, str]) -> bytes:
    return "; ".join(f"{name}={value}" for name, value in found.items()).encode()
