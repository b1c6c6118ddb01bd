"""What the parts that describe requests have in common: how they refuse what cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from relogin import carried
from relogin.parts.configuration import FromEnv
from relogin.parts.part import fillable, fits, refuse, refuse_unless, suggest
from relogin.secret import Secret, inventory_folder

Schema = Mapping[str, Any] | str | None
"""A JSON Schema, or the name of a file with one; a file's path is absolute once it is declared."""
SAFE = ("GET", "HEAD", "OPTIONS")
_METHODS = (*SAFE, "POST", "PUT", "PATCH", "DELETE")


def at_path(what: str, method: str, path: str) -> None:
    """Refuse methods that there are not, and paths that no URL can end in."""
    refuse_unless(method in _METHODS, f"{what}: method {method!r}{suggest(method, _METHODS)}")
    refuse_unless(path.startswith("/"), f"{what}: path {path!r} does not begin with /")
    plain = all(one.isprintable() and one != " " for one in path) and "#" not in path
    refuse_unless(plain, f"{what}: path {path!r} has what no URL holds; write it with %")


def status_of(what: str, status: int) -> None:
    """Refuse what is no status of an answer (RFC 9110, 15)."""
    right = isinstance(status, int) and 200 <= status < 600
    refuse_unless(right, f"{what}: status {status!r} is none; expected 200 to 599")


def body_of(what: str, body: str) -> None:
    """Refuse other forms of a body than the two that are sent."""
    refuse_unless(body in {"form", "json"}, f"{what}: body is {body!r}; it is form or json")


def headers_of(what: str, headers: Mapping[str, str | Secret | FromEnv]) -> None:
    """Refuse headers that cannot be sent."""
    fits(f"{what}: headers", carried.header_name, *headers)
    texts = (value for value in headers.values() if isinstance(value, str))
    fits(f"{what}: header", carried.header, *texts)


def schema_of(what: str, schema: Schema) -> Schema:
    """Give the schema, with the file's path as the inventory has it.

    Whether it is a sound one is told when it is used: the library for it takes 0.15 s to import.
    """
    if isinstance(schema, str):
        refuse_unless(schema, f"{what}: schema is empty, expected a schema or a file's path")
        return str(((inventory_folder() or Path()) / Path(schema).expanduser()).absolute())
    if schema is not None and not isinstance(schema, Mapping):
        refuse(f"{what}: schema is a {type(schema).__name__}, expected a dict or a file's path")
    return schema


def fields_fillable(what: str, fields: Mapping[str, Any] | None, known: tuple[str, ...]) -> None:
    """Refuse texts in a body, however deep, that hold other names in braces than the known ones."""
    for name, text in texts_in(fields or {}):
        fillable(f"{what}: field {name!r}", text, known)


def texts_in(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Give the texts of a JSON value, each with the dotted path to it."""
    if isinstance(value, str):
        yield name, value
        return
    inner: Any = ()
    if isinstance(value, Mapping):
        inner = value.items()
    elif isinstance(value, list | tuple):
        inner = enumerate(value)
    for key, one in inner:
        yield from texts_in(one, f"{name}.{key}" if name else str(key))
