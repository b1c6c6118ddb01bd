"""Read and change the text of a .env file as each of its readers reads it."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping

from relogin.carried import no_character
from relogin.env_lines import (
    BOM,
    Binding,
    bindings,
    end_of_first_line,
    newline,
    problems,
)
from relogin.env_readers import NAME, READERS, Values

_BLANK = r"[^\S\r\n]"
_BARE = re.compile(r"[A-Za-z0-9_./:@%+,=^?-]*")

# A statement of python-dotenv's grammar. In `K= # note` the blank belongs to the note.
_STATEMENT = re.compile(
    rf"""
    (?P<head>(?:export{_BLANK}+)?(?:'[^']+'|[^=\#\s]+){_BLANK}*=(?:(?={_BLANK}+\#)|{_BLANK}*))
    (?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\r\n]*?(?={_BLANK}+\#|{_BLANK}*(?:[\r\n]|\Z)))
    (?P<tail>{_BLANK}*(?:\#[^\r\n]*)?(?:\r\n|\n|\r)?)
    """,
    re.VERBOSE | re.DOTALL,
)


class Unwritable(ValueError):
    """Say that no form of a value, or no place for it, is read alike by every reader."""


def values(text: str, reader: str = "python-dotenv") -> Values:
    """Give what a reader makes of the text: key to value, the last binding of a key winning.

    None is a key without `=`. `${NAME}` is expanded from earlier keys of the same text only: the
    environment of the process that will read the file is not known here. Line ends must be
    those of the file (decode its bytes, or open it with `newline=""`).
    """
    if reader not in READERS:
        raise ValueError(f"unknown reader {reader!r}: known are {', '.join(READERS)}")
    return READERS[reader](text)


def encode(value: str, readers: Collection[str]) -> str:
    r"""Give the right-hand side of `KEY=` that every named reader reads as this value.

    The first that fits of bare, single-quoted, double-quoted, and quoted in pieces (sh, systemd).
    Raises Unwritable, which never holds the value, if none does (python-dotenv has no escape for
    `${`), or for what is not safe in any reader: control characters other than tab, newline and
    U+0085, and lone surrogates.
    """
    if any(_unsafe(character) for character in value):
        raise Unwritable("a value with a control character (or not UTF-8) has no safe form")
    for form in _forms(value):
        expected = {"K": value, "Z": "end"}
        if all(values(f"K={form}\nZ=end\n", reader) == expected for reader in readers):
            return form
    raise Unwritable(
        f"no form of the value is read alike by {_listed(readers)}: choose one {_better(value)}"
    )


def _better(value: str) -> str:
    if any(map(no_character, value)):
        return "of characters that Unicode has"
    if "${" in value:
        return "without ${"
    return "that does not end in \\" if value.endswith("\\") else "without quotes, $ and \\"


def unfit(value: str, readers: Collection[str]) -> str | None:
    """Say why a value has no form that every named reader reads alike, or None."""
    try:
        if not _BARE.fullmatch(value):
            encode(value, readers)
    except Unwritable as error:
        return str(error)
    return None


def with_values(text: str, new: Mapping[str, str], readers: Collection[str]) -> str:
    """Give the text with these values in it, as every named reader reads it, and nothing else new.

    The last binding of a key is changed in place, with its `export`, blanks, note and line end,
    unless a reader stumbles over one of them: then the line becomes `KEY=value` and its note
    moves to a line of its own. A key that a reader does not see is appended. What every reader
    already reads stays as it is, to the byte. Raises Unwritable where this would change what a
    reader makes of another key; only a key that a broken line hid may come to be read.
    """
    changed = text
    for key, value in new.items():
        if not _all_read(changed, {key: value}, readers):
            changed = _with_value(changed, key, value, readers, expendable=new.keys())
    if not _all_read(changed, new, readers):
        raise Unwritable(f"{', '.join(new)} refer to each other: write them without ${{}}")
    return changed


def _with_value(
    text: str, key: str, value: str, readers: Collection[str], *, expendable: Collection[str]
) -> str:
    if not NAME.fullmatch(key):
        raise Unwritable(f"{key!r} is not a name that every reader takes")
    try:
        encoded = encode(value, readers)
    except Unwritable as error:
        raise Unwritable(f"{key}: {error}") from None
    unseen = any(key not in values(text, reader) for reader in readers)
    hidden = {each for problem in problems(text) if problem.key == key for each in problem.hides}
    for candidate in _candidates(text, key, encoded, append=unseen):
        if _all_read(candidate, {key: value}, readers) and _others_kept(
            text, candidate, readers, but={key, *hidden, *expendable}
        ):
            return candidate
    lines = ", ".join(str(problem.line) for problem in problems(text))
    raise Unwritable(
        f"{key} cannot be set so that {_listed(readers)} read it and every other key as before"
        + (f": first mend line {lines}, which cannot be parsed" if lines else "")
    )


def _all_read(text: str, wanted: Mapping[str, str], readers: Collection[str]) -> bool:
    return all(wanted.items() <= values(text, reader).items() for reader in readers)


def _others_kept(before: str, after: str, readers: Collection[str], *, but: set[str]) -> bool:
    views = {reader: values(before, reader) for reader in readers}
    for reader, old in views.items():
        new = values(after, reader)
        for key in (old.keys() | new.keys()) - but:
            known = [view[key] for view in views.values() if key in view]
            if key not in new or new[key] not in known:
                return False
    return True


def _candidates(text: str, key: str, encoded: str, *, append: bool) -> Iterator[str]:
    body = text.removeprefix(BOM)
    bom = text[: len(text) - len(body)]
    bound = [binding for binding in bindings(body) if binding.key == key]
    rewritten = list(_rewritten(body, bound[-1], encoded)) if bound else []
    yield from (bom + candidate for candidate in rewritten)
    yield from rewritten if bom else ()
    if append:
        yield from (bom + candidate for candidate in _appended(body, key, encoded))


def _rewritten(body: str, binding: Binding, encoded: str) -> Iterator[str]:
    # What a quote that is not closed has swallowed stays: it comes to be read.
    end = end_of_first_line(body, binding) if binding.broken else binding.end
    before, after = body[: binding.start], body[end:]
    statement = body[binding.start : end]
    match = None if binding.broken else _STATEMENT.fullmatch(statement)
    if match:
        yield before + match["head"] + encoded + match["tail"] + after
    note = match["tail"].strip() if match else ""
    ending = statement[len(statement.rstrip("\r\n")) :]
    moved = note + newline(body) if note else ""
    yield f"{before}{moved}{binding.key}={encoded}{ending}{after}"
    if ending == "\r\n":  # of which sh takes the first for a part of the value
        yield f"{before}{moved}{binding.key}={encoded}\n{after}"


def _appended(body: str, key: str, encoded: str) -> Iterator[str]:
    end_of_line = newline(body)
    start = body if not body or body.endswith(("\n", "\r")) else body + end_of_line
    yield f"{start}{key}={encoded}{end_of_line}"
    # A backslash at the end of the last line takes the next line along in some readers.
    yield f"{start}{end_of_line}{key}={encoded}{end_of_line}"
    if end_of_line == "\r\n":
        yield f"{start}{key}={encoded}\n"


def _forms(value: str) -> Iterator[str]:
    if _BARE.fullmatch(value):
        yield value
    if "'" not in value:
        yield f"'{value}'"
    # python-dotenv until 1.2.2 takes the quote after `\\` for escaped and reads on.
    if not value.endswith("\\"):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        yield f'"{escaped}"'
    yield "'" + value.replace("'", "'\"'\"'") + "'"
    if "\n" not in value:
        yield value


def _unsafe(character: str) -> bool:
    return character not in "\t\n\x85" and unicodedata.category(character) in ("Cc", "Cs")


def _listed(readers: Collection[str]) -> str:
    return " and ".join(readers)
