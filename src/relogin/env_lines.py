"""The statements of a .env file, by python-dotenv's grammar: their places and what they bind."""

import io
import re
from collections.abc import Iterator
from functools import lru_cache

from relogin.env_readers import READERS
from relogin.values import dataclass

BOM = "\ufeff"
_BLANK = r"[^\S\r\n]"
_NEWLINE = re.compile(r"\r\n|\n|\r")
_BROKEN_ASSIGNMENT = re.compile(rf"(?:export{_BLANK}+)?([A-Za-z_][A-Za-z0-9_]*){_BLANK}*=")


@dataclass(frozen=True)
class Binding:
    """A statement from `start` to `end` of a text without its BOM; a comment has no key.

    A broken one cannot be parsed; its key is the one that it seems to assign to.
    """

    key: str | None
    start: int
    end: int
    broken: bool


@dataclass(frozen=True)
class Problem:
    """A statement that cannot be parsed: its line, and the key that it seems to bind.

    It ends where a quote does that it has opened: `hides` are the keys that its further lines seem
    to bind, and that nobody reads.
    """

    line: int
    key: str | None
    hides: tuple[str, ...] = ()


@lru_cache(4)  # of one file in several ways
def bindings(body: str) -> tuple[Binding, ...]:
    """Give the statements of a text that has no BOM, in their order."""
    return tuple(_bindings(body))


def _bindings(body: str) -> Iterator[Binding]:
    from dotenv.parser import parse_stream

    end = 0
    for binding in parse_stream(io.StringIO(body)):
        source = binding.original.string
        start = end + len(source) - len(source.lstrip())
        end += len(source)
        broken = _BROKEN_ASSIGNMENT.match(body, start) if binding.error else None
        yield Binding(broken[1] if broken else binding.key, start, end, binding.error)


def end_of_first_line(body: str, binding: Binding) -> int:
    """Give where the first line of a statement ends, its line end included."""
    found = _NEWLINE.search(body, binding.start, binding.end)
    return found.end() if found else binding.end


def newline(body: str) -> str:
    """Give the line end that the text uses."""
    return "\r\n" if "\r\n" in body else "\n"


def problems(text: str) -> tuple[Problem, ...]:
    """Give what python-dotenv cannot parse."""
    body = text.removeprefix(BOM)
    return tuple(_problem(body, binding) for binding in bindings(body) if binding.broken)


def _problem(body: str, binding: Binding) -> Problem:
    further = _NEWLINE.split(body[binding.start : binding.end])[1:]
    found = (_BROKEN_ASSIGNMENT.match(line.lstrip()) for line in further)
    hides = tuple(match[1] for match in found if match)
    return Problem(_line(body, binding), binding.key, hides)


def duplicates(text: str) -> dict[str, dict[int, str | None]]:
    """Give each key that is bound more than once: its lines, and what each one binds."""
    body = text.removeprefix(BOM)
    bound: dict[str, list[Binding]] = {}
    for binding in bindings(body):
        if binding.key is not None and not binding.broken:
            bound.setdefault(binding.key, []).append(binding)
    return {
        key: {_line(body, one): _value(body, one) for one in several}
        for key, several in bound.items()
        if len(several) > 1
    }


def _value(body: str, binding: Binding) -> str | None:
    return READERS["python-dotenv"](body[binding.start : binding.end]).get(binding.key or "")


def hidden_by_bom(text: str) -> str | None:
    """Give the key that stands right behind a BOM, so that some readers do not know its name."""
    body = text.removeprefix(BOM)
    first = _BROKEN_ASSIGNMENT.match(body)
    return first[1] if first and body != text else None


def ending_in_crlf(text: str) -> int:
    r"""Count the statements that bind a key and end in `\r\n`."""
    body = text.removeprefix(BOM)
    bound = (binding for binding in bindings(body) if binding.key is not None)
    return sum(body[binding.start : binding.end].endswith("\r\n") for binding in bound)


def with_unix_line_ends(text: str) -> str:
    r"""Give the text with `\n` where a line ends in `\r\n`, but not inside of a quoted value."""
    body = text.removeprefix(BOM)
    changed, at = text[: len(text) - len(body)], 0
    for start, end in _values_of_several_lines(body):
        changed += body[at:start].replace("\r\n", "\n") + body[start:end]
        at = end
    return changed + body[at:].replace("\r\n", "\n")


def _values_of_several_lines(body: str) -> Iterator[tuple[int, int]]:
    for binding in bindings(body):
        whole = body[binding.start : binding.end].rstrip("\r\n")
        if "\r\n" in whole and binding.key is not None and not binding.broken:
            yield binding.start, binding.start + len(whole)


def _line(body: str, binding: Binding) -> int:
    return 1 + len(_NEWLINE.findall(body, 0, binding.start))
