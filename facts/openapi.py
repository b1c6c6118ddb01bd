"""What a backend's own openapi.json says of its login route, where it publishes one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from relogin.values import dataclass

_METHODS = ("get", "post", "put", "patch", "delete")
_LOGIN = re.compile(r"(?i)(^|[/_-])(log-?in|sign-?in|token|auth|session|jwt)s?([/_-]|$)")
_ENOUGH = 4


@dataclass(frozen=True)
class Route:
    """A route: `encodings` and `fields` (the required ones) are those of its POST's body.

    `headers` are its header parameters: name to whether one is required.
    """

    methods: tuple[str, ...]
    encodings: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    headers: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Routes:
    """What the document says: of the login's own path, or None, and where else one may log in.

    `token_url` is the tokenUrl of its OAuth2 password flow, as it stands there.
    """

    url: str
    at: Route | None = None
    logins: tuple[str, ...] = ()
    token_url: str | None = None


def urls(login: str) -> tuple[str, ...]:
    """Give where the document may be: at the root, and in each folder above the login's path."""
    pieces = urlsplit(login)
    folders = pieces.path.split("/")[1:-1][:3]
    paths = ["/".join(["", *folders[:depth], "openapi.json"]) for depth in range(len(folders) + 1)]
    return tuple(urlunsplit((pieces.scheme, pieces.netloc, path, "", "")) for path in paths)


def read(url: str, login: str, document: Any) -> Routes | None:
    """Take what concerns the login from a document; None if it is no OpenAPI document.

    Behind a proxy that strips a prefix the document's paths lack it: its own address has it.
    """
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict):
        return None
    prefix = urlsplit(url).path.removesuffix("/openapi.json")
    path = urlsplit(login).path
    found = next((paths[one] for one in (path, path.removeprefix(prefix)) if one in paths), None)
    at = _route(document, found) if isinstance(found, dict) else None
    logins = tuple(_logins(document, paths))[:_ENOUGH]
    return Routes(url, at, logins, _token_url(document))


def _token_url(document: Any) -> str | None:
    """Give the first password flow's (OpenAPI 3, Security Scheme Object)."""
    schemes = _at(_at(document, "components"), "securitySchemes")
    for scheme in schemes.values() if isinstance(schemes, dict) else ():
        found = _at(_at(_at(scheme, "flows"), "password"), "tokenUrl")
        if isinstance(found, str):
            return found[:200]
    return None


def _logins(document: Any, paths: Mapping[str, Any]) -> Iterator[str]:
    for path, found in paths.items():
        if not isinstance(found, dict) or not isinstance(found.get("post"), dict):
            continue
        route = _route(document, found)
        if "password" in route.fields or _LOGIN.search(path):
            yield path[:80]


def _route(document: Any, found: Mapping[str, Any]) -> Route:
    post = found.get("post")
    post = post if isinstance(post, dict) else {}
    content = _at(resolved(document, post.get("requestBody")), "content")
    content = content if isinstance(content, dict) else {}
    schemas = [resolved(document, _at(one, "schema")) for one in content.values()]
    required = [_at(schema, "required") for schema in schemas]
    names = [str(name) for one in required if isinstance(one, list) for name in one]
    return Route(
        tuple(method.upper() for method in _METHODS if method in found),
        tuple(content),
        tuple(dict.fromkeys(names)),
        tuple(_headers(document, found, post)),
    )


def _headers(
    document: Any, found: Mapping[str, Any], post: Mapping[str, Any]
) -> Iterator[tuple[str, bool]]:
    for parameters in (found.get("parameters"), post.get("parameters")):
        for one in parameters if isinstance(parameters, list) else ():
            parameter = resolved(document, one)
            if _at(parameter, "in") == "header":
                yield str(_at(parameter, "name")), _at(parameter, "required") is True


def resolved(document: Any, value: Any) -> Any:
    """Follow a reference into the document, one step: nothing here needs a second one."""
    reference = _at(value, "$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return value
    for name in reference[2:].split("/"):
        document = _at(document, name)
    return document


def _at(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
