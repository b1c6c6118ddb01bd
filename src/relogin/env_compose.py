"""What Docker Compose makes of an env file: a model of compose-go's dotenv parser (Compose 2.26).

It reads `env_file:` and `--env-file` alike. One line that it does not take, and it takes none.
"""

from __future__ import annotations

import re

Values = dict[str, str | None]

_BLANK = " \t\v\f\r\x85\xa0"
_START = re.compile(r"(?:\s|#[^\n]*(?:\n|\Z))*")
_KEY = re.compile(rf"(?:export\s+)?(?P<key>[^=:\n]*)(?P<ends>[=:\n]|\Z)[{_BLANK}]*")
_NAME = re.compile(r"[\w.\[\]-]+")
_QUOTED = {
    '"': re.compile(r'"(?P<text>(?:\\.|[^"\\])*)"', re.DOTALL),
    "'": re.compile(r"'(?P<text>(?:\\.|[^'\\])*)'", re.DOTALL),
}
_ESCAPE = re.compile(r'\\(?:[abfnrtv$"\\]|0[0-7]{1,3})')
_MEANT = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True)) | {"$": "$$", '"': '"', "\\": "\\"}
_REFERENCE = re.compile(r"\$(?:(?P<escaped>\$)|(?P<named>[A-Za-z_]\w*)|(?P<braced>\{))", re.ASCII)
_BRACED = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-+?])(?P<word>.*))?", re.DOTALL)


class _Refused(Exception):
    """Say that Compose refuses the file."""


def values(text: str) -> Values:
    """Give what Compose reads: key to value, nothing at all where it refuses the file.

    None is a key without `=`: it is taken from the caller's environment, which is not known here;
    nor is it for `$NAME`, of which only earlier keys of the file are expanded.
    """
    found: Values = {}
    try:
        _parse(text.removeprefix("\ufeff").replace("\r\n", "\n"), found)
    except _Refused:
        return {}
    return found


def _parse(text: str, found: Values) -> None:
    at = _after(_START, text, 0)
    while at < len(text):
        said = _KEY.match(text, at)
        assert said is not None  # noqa: S101 # it matches everywhere
        key = said["key"].rstrip()
        if not _NAME.fullmatch(key):
            raise _Refused
        if said["ends"] in {"=", ":"}:
            found[key], at = _value(text, said.end(), found)
        else:
            found[key], at = None, said.end()
        at = _after(_START, text, at)


def _after(shape: re.Pattern[str], text: str, at: int) -> int:
    found = shape.match(text, at)
    return found.end() if found is not None else at


def _value(text: str, at: int, known: Values) -> tuple[str, int]:
    quote = text[at : at + 1]
    if quote in _QUOTED:
        quoted = _QUOTED[quote].match(text, at)
        if quoted is None:
            raise _Refused
        plain = quoted["text"].replace(f"\\{quote}", quote)
        if quote == '"':
            plain = _expanded(_ESCAPE.sub(_unescaped, plain), known)
        return plain, quoted.end()
    line, _, _ = text[at:].partition("\n")
    return _expanded(line.partition(" #")[0].rstrip(), known), at + len(line)


def _unescaped(found: re.Match[str]) -> str:
    word = found[0][1:]
    return chr(int(word[1:], 8)) if word[0] == "0" else _MEANT[word]


def _expanded(text: str, known: Values) -> str:
    """Substitute variables as in a compose file; a `$` before anything else is itself."""
    out, at = "", 0
    while (found := _REFERENCE.search(text, at)) is not None:
        out += text[at : found.start()]
        at = found.end()
        if found["escaped"]:
            out += "$"
        elif found["named"]:
            out += known.get(found["named"]) or ""
        else:
            end = _closing(text, at)
            out += _substituted(text[at:end], known)
            at = end + 1
    return out + text[at:]


def _closing(text: str, at: int) -> int:
    """Give where the brace is closed that was opened before `at`."""
    depth = 1
    for place in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return place
    raise _Refused


def _substituted(inside: str, known: Values) -> str:
    said = _BRACED.fullmatch(inside)
    if said is None:
        raise _Refused
    value, how, word = known.get(said["name"]), said["how"] or "", said["word"] or ""
    there = bool(value) if how.startswith(":") else value is not None
    if how.endswith("+"):
        return _expanded(word, known) if there else ""
    if there or not how:
        return value or ""
    if how.endswith("?"):
        raise _Refused
    return _expanded(word, known)
