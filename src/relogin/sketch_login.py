"""How one logs in, guessed from a backend's own openapi.json."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from relogin.facts.openapi import read, resolved
from relogin.values import dataclass

_LOGIN = re.compile(r"(?i)(^|[/_-])(log-?in|sign-?in|token|session|jwt)([/_-]|$)")
_NAME = re.compile(r"(?i)user(_?name)?|e?-?mail|login|name|identifier")
_TOKENS = ("access_token", "access", "token", "jwt", "id_token")
_NAMES = ("username", "email", "login", "name", "email_address", "user_name")


@dataclass(frozen=True)
class Asked:
    """What a login asks for and gives: paths, body, fields by name, where the token is.

    `cookie` is one that the protected route takes for a token; `sure` says that the document itself
    names the login (its tokenUrl).
    """

    login: str
    body: str = "form"
    fields: tuple[tuple[str, str], ...] = ()
    token: str = ""
    headers: tuple[str, ...] = ()
    cookie: str = ""
    protected: str = ""
    identity: str = ""
    sure: bool = False


def asked(document: Any) -> Asked | None:
    """Give how one logs in by an OpenAPI document; None where it names no login."""
    paths = document.get("paths")
    if not isinstance(paths, dict):
        return None
    routes = read("http://host/openapi.json", "http://host/", document)
    named = routes.token_url if routes else None
    path = next((one for one in paths if named and one.strip("/") == named.strip("/")), "")
    path = path or max(routes.logins if routes else (), key=_likely, default="")
    if not path:
        return None
    post = paths[path].get("post") or {}
    media, schema = _content(document, post.get("requestBody"))
    protected, identity = _protected(document, paths)
    required = [str(name) for name in schema.get("required") or schema.get("properties") or ()]
    return Asked(
        path,
        "json" if "json" in media else "form",
        tuple(_fields(required)),
        _path_to(document, _answer(document, post), _TOKENS),
        tuple(_headers(document, paths[path], post)),
        _cookie(document, paths[protected].get("get")) if protected else "",
        protected,
        identity,
        sure=bool(named) and named is not None and path.strip("/") == named.strip("/"),
    )


def _likely(path: str) -> tuple[bool, bool, int]:
    return (
        bool(_LOGIN.search(path)),
        not re.search("(?i)refresh|register|reset|logout", path),
        -len(path),
    )


def _content(document: Any, value: Any) -> tuple[str, Mapping[str, Any]]:
    """Give a body's or an answer's first media type, and its schema."""
    content = resolved(document, value) or {}
    content = content.get("content") if isinstance(content, dict) else None
    for media, one in (content or {}).items():
        schema = resolved(document, one.get("schema"))
        return media, schema if isinstance(schema, dict) else {}
    return "", {}


def _fields(required: list[str]) -> Iterator[tuple[str, str]]:
    for name in required:
        if re.search("(?i)pass|secret|pw", name):
            yield name, "{password}"
        elif _NAME.fullmatch(name):
            yield name, "{login}"
        elif name == "grant_type":
            yield name, "password"


def _answer(document: Any, operation: Mapping[str, Any]) -> Mapping[str, Any]:
    answers = operation.get("responses") or {}
    good = next((answers[one] for one in ("200", "201") if one in answers), None)
    return _content(document, good)[1]


def _path_to(document: Any, schema: Any, names: tuple[str, ...], depth: int = 3) -> str:
    """Give the dotted path to the first property of one of these names that is no object."""
    schema = resolved(document, schema)
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or depth == 0:
        return ""
    for name in (*(one for one in names if one in properties), *properties):
        inner = resolved(document, properties[name])
        plain = isinstance(inner, dict) and "properties" not in inner
        if name in names and plain:
            return str(name)
        if below := _path_to(document, inner, names, depth - 1):
            return f"{name}.{below}"
    return ""


def _headers(document: Any, *operations: Mapping[str, Any]) -> Iterator[str]:
    for operation in operations:
        for one in operation.get("parameters") or ():
            parameter = resolved(document, one)
            if isinstance(parameter, dict) and parameter.get("in") == "header":
                yield str(parameter.get("name"))


def _protected(document: Any, paths: Mapping[str, Any]) -> tuple[str, str]:
    """Give a GET route that needs a token, best one's own, and where its answer has the name."""
    found = [
        path
        for path, one in paths.items()
        if "{" not in path and isinstance(one, dict) and _secured(document, one.get("get"))
    ]
    whose = re.compile(r"(?i)(^|/)(me|self|profile|whoami|account|user)/?$")
    path = max(found, key=lambda one: (bool(whose.search(one)), -len(one)), default="")
    return path, _path_to(document, _answer(document, paths[path]["get"]), _NAMES) if path else ""


def _secured(document: Any, operation: Any) -> bool:
    if not isinstance(operation, dict):
        return False
    carries = bool(_cookie(document, operation)) or any(
        name.lower() in {"authorization"} for name in _headers(document, operation)
    )
    return carries or bool(operation.get("security") or document.get("security"))


def _cookie(document: Any, operation: Any) -> str:
    """Give the cookie that a route takes for a token."""
    for one in operation.get("parameters") or () if isinstance(operation, dict) else ():
        parameter = resolved(document, one)
        name = str(parameter.get("name")) if isinstance(parameter, dict) else ""
        if name and parameter.get("in") == "cookie" and re.search("(?i)token|session", name):
            return name
    return ""
