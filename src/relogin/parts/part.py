"""How a part of a description refuses bad input: one line, with the reader's own file and line."""

from __future__ import annotations

import dataclasses
import difflib
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any, NoReturn, TypeVar, dataclass_transform
from urllib.parse import urlsplit

from relogin import carried
from relogin.parts import mistakes
from relogin.values import dataclass

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=False)
def part(cls: type[T]) -> type[T]:
    """Make a frozen dataclass that answers an unknown field with the nearest known one."""
    made = dataclass(frozen=True)(cls)
    fields = [field.name for field in dataclasses.fields(made)]  # type: ignore[arg-type] # it is one
    texts = [field.name for field in dataclasses.fields(made) if field.type == "str"]  # type: ignore[arg-type]
    init: Callable[..., None] = made.__init__

    def judged(self: Any, *args: Any, **kwargs: Any) -> None:
        for unknown in kwargs.keys() - set(fields):
            refuse(f"{cls.__name__} has no field {unknown!r}{suggest(unknown, fields)}")
        for name, value in (*zip(fields, args, strict=False), *kwargs.items()):
            fits(f"{cls.__name__}: {name}", carried.text, *_texts_in(value))
            if name in texts and not (isinstance(value, str) and value):
                refuse(f"{cls.__name__}: {name} is {value!r}, expected a text")
        try:
            init(self, *args, **kwargs)
        except TypeError as error:
            refuse(str(error).replace(f"{cls.__name__}.__init__()", cls.__name__))

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        mistakes.made(self, judged, args, kwargs)

    made.__init__ = __init__  # type: ignore[method-assign] # the check must come before the real one
    return made


def suggest(given: str, known: Iterable[str], listed: Iterable[str] | None = None) -> str:
    """Give a `did you mean`, or the list of what there is (`listed`: a shorter one)."""
    known = sorted(known)
    near = difflib.get_close_matches(given, known, n=1)
    there = ", ".join(known if listed is None else listed) or "none"
    return f"; did you mean {near[0]!r}?" if near else f"; there is {there}"


def refuse(problem: str) -> NoReturn:
    """Raise a ProfileError that names the file and line of the inventory."""
    from relogin.errors import ProfileError

    raise ProfileError(f"{_place()}{problem}")


def refuse_unless(holds: object, problem: str) -> None:
    """Refuse where the condition does not hold."""
    if not holds:
        refuse(problem)


def fits(what: str, problem_of: Callable[[str], str | None], *values: str | None) -> None:
    """Refuse values that their carrier cannot hold (see `carried`)."""
    for value in values:
        problem = None if value is None else problem_of(value)
        if value is not None and problem is not None:
            refuse(f"{what}: {_brief(value)} {problem}")


def _brief(value: str) -> str:
    return repr(value) if len(value) < 80 else f"{value[:40]!r}…"


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts_in((*value, *value.values()))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _texts_in(one)


def mapped(what: str, value: object, example: str) -> None:
    """Refuse what is no dictionary, and show how one is written."""
    refuse_unless(
        isinstance(value, Mapping), f"{what} is a {type(value).__name__}; it is written {example}"
    )


def fillable(what: str, template: str, known: tuple[str, ...]) -> None:
    """Refuse a template that holds other names in braces than the known ones."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError as error:
        refuse(f"{what}: {error}; a brace that means itself is written twice")
    for name in names:
        refuse_unless(name in known, f"{what}: there is no {{{name}}}{suggest(name, known)}")


def command(what: str, text: str) -> None:
    """Refuse a command that cannot be taken apart into words as sh does."""
    try:
        shlex.split(text)
    except ValueError as error:
        refuse(f"{what}: {_brief(text)} is not a command: {error}")


def absolute(what: str, *paths: str | None) -> None:
    """Refuse paths that are relative: on the host there is nothing for them to be relative to."""
    for path in paths:
        if path is not None and not path.startswith("/"):
            refuse(f"{what}: {path!r} is not an absolute path")


def listed(self: object, *names: str) -> None:
    """Let a single value stand for a tuple of one, and a list for a tuple."""
    for name in names:
        value = getattr(self, name)
        whole = (value,) if not isinstance(value, tuple | list) else tuple(value)
        object.__setattr__(self, name, whole)


def web_address(what: str, url: str) -> None:
    """Refuse what is not an http or https URL with a host and a possible port."""
    if not all(character.isprintable() and character != " " for character in url):
        refuse(f"{what}: {_brief(url)} has a blank or a control character; write it with %")
    try:
        pieces = urlsplit(url)
        port = pieces.port
    except ValueError:
        refuse(f"{what}: {url!r} has no valid port; expected http://HOST[:PORT]/PATH")
    if pieces.scheme not in {"http", "https"} or not pieces.hostname or port == 0:
        refuse(f"{what}: {url!r} is not a web address; expected http://HOST[:PORT]/PATH")


def _place() -> str:
    frame = sys._getframe()
    here = str(Path(__file__).parent.parent)
    while frame.f_back is not None:
        frame = frame.f_back
        name = frame.f_code.co_filename
        if not name.startswith((here, "<")):
            return f"{name} line {frame.f_lineno}: "
    return ""
