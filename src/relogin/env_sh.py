"""What `set -a; . FILE` makes of a .env file: where dash, busybox and bash agree, and no guess.

sh runs the file as a program. Left out is each key whose value the text alone does not settle
(`$HOME`, `~`, `$$`), and every key where a command may have changed any (POSIX, XCU 2).
"""

import itertools
import re
from collections.abc import Iterator

from relogin.values import dataclass

_Known = dict[str, str | None]

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_BLANKS = re.compile(r"(?:[ \t]|\\\n)*")
_SEPARATOR = re.compile(r"(?:#[^\n]*)?(\n|;|&|\Z)")
_ASSIGNS = re.compile(rf"({_NAME})=")
_EXPANDED = rf"\$(?:(?P<name>{_NAME})|\{{(?P<braced>{_NAME})\}})"
_WITH_DEFAULT = rf"""\{{{_NAME}:?-[^}}$"'`\\]*\}}"""
_PIECE = re.compile(
    rf"""
      \\(?P<joined>\n) | \\(?P<escaped>.) | (?P<last>\\)\Z
    | '(?P<single>[^']*)' | "(?P<double>(?:\\.|[^"\\`])*)"
    | {_EXPANDED}
    | (?P<unknown>\$(?:[0-9@*\#?$!'"-]|{_WITH_DEFAULT})|(?:(?<=[=:])|(?<=[=:]\\\n))~)
    | (?P<plain>[^ \t\n;&|<>()$'"\\`]|\$(?![A-Za-z0-9_{{(\[]))
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_DOUBLE_QUOTES = re.compile(
    rf"""
      \\(?P<joined>\n) | \\(?P<escaped>["$`\\])
    | {_EXPANDED}
    | (?P<unknown>\$(?:[0-9@*\#?$!-]|{_WITH_DEFAULT}))
    | (?P<plain>[^$]|\$(?![A-Za-z0-9_{{(\[]))
    """,
    re.VERBOSE | re.DOTALL,
)
_AS_IT_IS = ("escaped", "last", "single", "plain")
# Reserved words, and builtins that can change a variable, end the shell or read another file.
_TELLING = re.compile(
    r"\.|:|alias|break|builtin|case|cd|chdir|command|continue|coproc|declare|do|done|elif|else"
    r"|enable|esac|eval|exec|exit|fi|for|function|getopts|if|let|local|mapfile|popd|printf|pushd"
    r"|read|readarray|readonly|return|select|set|shift|shopt|source|then|time|times|trap|typeset"
    r"|unalias|unset|until|wait|while|\{|\}|!|\[\["
    rf"|{_NAME}(?:\+?=|\[).*",  # bash's own kinds of assignment, and one whose name is in pieces
    re.DOTALL,
)
_OF_THE_SHELL = {"BASHOPTS", "EUID", "OPTIND", "POSIXLY_CORRECT", "PPID", "SHELLOPTS", "UID", "_"}


class _UnclearError(Exception):
    """The text is no list of assignments, or has a syntax error, which ends the shell."""


@dataclass(frozen=True)
class _Word:
    """A word; `name` is what it would assign to, as the first of a command."""

    name: str | None
    pieces: tuple[re.Match[str], ...]


def values(text: str) -> dict[str, str | None]:
    """Give the variables that sh would have set, those alone whose value is certain."""
    found: _Known = {}
    try:
        if "\0" in text:
            return {}
        for words, separator in _commands(text):
            if separator != "&":  # then it runs in a shell of its own
                _run(words, found)
    except _UnclearError:
        return {}
    return {name: value for name, value in found.items() if value is not None}


def _commands(text: str) -> Iterator[tuple[list[_Word], str]]:
    at, words = 0, list[_Word]()
    while True:
        at = _end(_BLANKS.match(text, at), at)
        if (separator := _SEPARATOR.match(text, at)) is None:
            word, at = _word(text, at)
            words.append(word)
            continue
        if words:
            yield words, separator[1]
        elif separator[1] in {";", "&"}:
            raise _UnclearError
        if not separator[1]:
            return
        at, words = separator.end(), []


def _word(text: str, at: int) -> tuple[_Word, int]:
    name = _ASSIGNS.match(text, at)
    start = at = _end(name, at)
    pieces = []
    while piece := _PIECE.match(text, at):
        _in_double_quotes(piece["double"] or "")  # a syntax error in an unused word counts as well
        pieces.append(piece)
        at = piece.end()
    if at == start and name is None:
        raise _UnclearError
    return _Word(name[1] if name else None, tuple(pieces)), at


def _end(match: re.Match[str] | None, at: int) -> int:
    return match.end() if match else at


def _run(words: list[_Word], found: _Known) -> None:
    """Assign what one command does; one that is not there, or only prints, changes nothing."""
    assigned = list(itertools.takewhile(lambda word: word.name is not None, words))
    rest = words[len(assigned) :]
    if rest:
        command = _value(rest[0].pieces, found)
        if command is None or _TELLING.fullmatch(command):
            raise _UnclearError
        if command != "export":
            return
        if assigned:  # which of the shells keep them differs
            raise _UnclearError
        assigned = _exported(rest[1:], found)
    for word in assigned:
        if word.name is None or word.name in _OF_THE_SHELL:
            raise _UnclearError
        found[word.name] = _value(word.pieces, found)


def _exported(words: list[_Word], found: _Known) -> list[_Word]:
    plain = [_value(word.pieces, found) or "" for word in words if word.name is None]
    # bash expands braces here
    pieces = (piece["plain"] for word in words for piece in word.pieces)
    if "{" in pieces or not all(re.fullmatch(_NAME, name) for name in plain):
        raise _UnclearError
    return [word for word in words if word.name is not None]


def _value(pieces: tuple[re.Match[str], ...], found: _Known) -> str | None:
    meant = [_meant(piece.groupdict(), found) for piece in pieces]
    known = [text for text in meant if text is not None]
    return "".join(known) if len(known) == len(meant) else None


def _meant(piece: _Known, found: _Known) -> str | None:
    if (quoted := piece.get("double")) is not None:
        return _value(_in_double_quotes(quoted), found)
    if piece["unknown"] is not None:
        return None
    if (name := piece["name"] or piece["braced"]) is not None:
        return found.get(name)
    return next((text for kind in _AS_IT_IS if (text := piece.get(kind)) is not None), "")


def _in_double_quotes(text: str) -> tuple[re.Match[str], ...]:
    pieces, at = [], 0
    while piece := _IN_DOUBLE_QUOTES.match(text, at):
        pieces.append(piece)
        at = piece.end()
    if at < len(text):
        raise _UnclearError
    return tuple(pieces)
