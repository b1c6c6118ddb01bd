"""The endpoints that a backend's own openapi.json names: what may be asked of them, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relogin.facts.openapi import resolved
from relogin.parts.api import Endpoint
from relogin.parts.asked import SAFE
from relogin.values import dataclass

_METHODS = ("get", "head", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Document:
    """What it names: methods by path, and the endpoints that can be asked.

    `unasked` are the others by name, each with the reason.
    """

    methods: Mapping[str, tuple[str, ...]]
    endpoints: tuple[Endpoint, ...]
    unasked: tuple[tuple[str, str], ...]


def read(found: Any, account: str | None, prefix: str = "") -> Document | None:
    """Take a document apart; None if it is no OpenAPI document.

    What needs a token is asked as `account`, if there is one. `prefix` is the path of the API's own
    URL, where the document's paths begin with it.
    """
    paths = found.get("paths") if isinstance(found, dict) else None
    if not isinstance(paths, dict):
        return None
    methods: dict[str, tuple[str, ...]] = {}
    endpoints, unasked = [], []
    for path, item in paths.items():
        if not isinstance(item, dict) or not isinstance(path, str) or not path.startswith("/"):
            continue
        here = path.removeprefix(prefix) or "/"
        methods[here] = tuple(one.upper() for one in _METHODS if isinstance(item.get(one), dict))
        for method in methods[here]:
            operation = item[method.lower()]
            if why := _why_not(found, method, path, operation, account):
                unasked.append((f"{method} {here}", why))
            else:
                endpoints.append(_endpoint(found, method, here, operation, account))
    return Document(methods, tuple(endpoints), tuple(unasked))


def _why_not(found: Any, method: str, path: str, operation: Any, account: str | None) -> str:
    if method not in SAFE:
        return "it can change something"
    parameters = _parameters(found, found["paths"][path], operation)
    if wanted := [name for name, required in parameters if required]:
        return f"it needs {', '.join(wanted)}"
    if not all(one.isprintable() and one not in " #{" for one in path):
        return "its path is a pattern"
    untold = _secured(found, operation) and not account
    return "it needs a token, and no login is declared" if untold else ""


def _parameters(found: Any, item: Any, operation: Any) -> Iterator[tuple[str, bool]]:
    for listed in (item.get("parameters"), operation.get("parameters")):
        for one in listed if isinstance(listed, list) else ():
            parameter = resolved(found, one)
            if isinstance(parameter, dict):
                yield str(parameter.get("name"))[:40], parameter.get("required") is True


def _secured(found: Any, operation: Any) -> bool:
    """Tell whether one of the ways to be let in is demanded (OpenAPI 3.1, Operation Object)."""
    rules = operation.get("security", found.get("security"))
    return isinstance(rules, list) and bool(rules) and {} not in rules


def _endpoint(found: Any, method: str, path: str, operation: Any, account: str | None) -> Endpoint:
    status, answer = _answer(found, operation)
    content = answer.get("content") if isinstance(answer, dict) else None
    media = content.get("application/json") if isinstance(content, dict) else None
    schema = media.get("schema") if isinstance(media, dict) else None
    return Endpoint(
        method,
        path,
        account=account if _secured(found, operation) else None,
        status=status,
        schema=_whole(found, schema) if isinstance(schema, dict) and method != "HEAD" else None,
    )


def _answer(found: Any, operation: Any) -> tuple[int, Any]:
    """Give the first good answer that it names, and what that one is."""
    answers = operation.get("responses")
    for status, answer in answers.items() if isinstance(answers, dict) else ():
        if str(status).isdecimal() and 200 <= int(status) < 400:
            return int(status), resolved(found, answer)
    return 200, None


def _whole(found: Any, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a schema with what it refers to: `#/components/…` is looked up from its own root."""
    is_old = str(found.get("openapi", "")).startswith("3.0")
    parts = schema, found.get("components", {})
    whole, components = map(_of_today, parts) if is_old else parts
    return {**whole, "components": components}


def _of_today(schema: Any) -> Any:
    """Give a schema of OpenAPI 3.0 as JSON Schema has it: what may be null says so by its type."""
    if isinstance(schema, list):
        return [_of_today(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _of_today(value) for name, value in schema.items() if name != "nullable"}
    for edge, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(edge), bool):  # draft 4 has flags, and today's drafts numbers
            made |= {edge: made.pop(bound)} if made.pop(edge) and bound in made else {}
    if schema.get("nullable") is not True:
        return made
    return {"anyOf": [{"type": "null"}, made]}
