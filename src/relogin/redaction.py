"""Text without secrets: whatever this process revealed, and what looks like a secret.

A run over a fleet reveals some values of each host, in all the forms that a text may have them in:
what of all those a text can hold at all is found by how they begin, not by a search for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PATTERNS = (
    (re.compile(r"(://[^:@/\s]*:)[^@/\s]*(@)"), r"\1***\2"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "***"),
    (re.compile(r"\$(2[abxy]|argon2\w*|scrypt|pbkdf2[\w-]*)\$[^\s'\"]+"), "***"),
    (re.compile(r"\b(pbkdf2_\w+|scrypt|argon2|bcrypt\w*)\$[^\s'\"]+"), "***"),
    (re.compile(r"SCRAM-SHA-256\$\S+"), "***"),
    (re.compile(r"input_value=.*"), "input_value=***"),
)
# But for "missing secrets: SECRET_KEY": what is lacking is named, and has no value.
_NAMED = re.compile(
    r"(?i)((?:password|passwd|secret|token|(?:api|private)_?key)\w*['\"]?\s*[=:]\s*)"
    r"(?!(?<=secrets: )(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:[\s,;.)]|$))\S+"
)
# Of a line of an env file that it cannot read, Docker Compose prints the value.
_UNREAD = re.compile(
    r"(unterminated quoted value |unexpected character .+? in variable name |Invalid template: "
    r"|required variable \S+ is missing a value: ).+"
)
_BEGIN = 4  # characters; a value has them at least: shorter ones would blot out ordinary words
_FEW = 100  # beginnings; so few are looked for as they are, which takes less than an index
_known: dict[str, set[str]] = {}  # the values, by how they begin


def redact(text: str) -> str:
    """Give the text without any value that this process revealed, or what looks like one."""
    for value in sorted(_in(text), key=len, reverse=True):  # one may hold another
        text = text.replace(value, "***")
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact_foreign(text: str) -> str:
    """Redact text that others wrote (logs, command output): also whatever is named a secret."""
    return _unnamed(redact(text))


def redact_lines(text: str) -> str:
    """Redact others' text line by line: a name at a line's end says nothing of the next line."""
    return "\n".join(map(_unnamed, redact(text).split("\n")))


def revealed() -> frozenset[str]:
    """Give the values that this process revealed, in every form in which a text has them."""
    return frozenset().union(*_known.values())


def remember(value: str) -> str:
    """Have a value redacted from now on, unless it is too short for that; give it as it is."""
    if len(value) >= _BEGIN and value not in _known.get(value[:_BEGIN], ()):
        for one in (*_as_written(value), *(one for one in value.splitlines() if len(one) >= 8)):
            _known.setdefault(one[:_BEGIN], set()).add(one)
    return value


def _in(text: str) -> set[str]:
    """Give the known values that a text can hold: it has their beginnings somewhere."""
    if len(_known) < _FEW:
        return set().union(*_known.values())
    begin = {text[at : at + _BEGIN] for at in range(len(text) - _BEGIN + 1)}
    return set().union(*(_known[one] for one in begin & _known.keys()))


def _unnamed(text: str) -> str:
    return _NAMED.sub(r"\1***", _UNREAD.sub(r"\1***", text))


def _as_written(value: str) -> Iterator[str]:
    """Give a value as logs have it: also in a URL, a form, a Python literal, JSON and sh."""
    import json
    from urllib.parse import quote, quote_plus

    yield value
    if not (value.isascii() and value.isalnum()):
        raw = value.encode("utf-8", "surrogateescape")
        yield from (quote(raw, safe=""), quote(raw), quote_plus(raw))
        yield from (repr(value)[1:-1], ascii(value)[1:-1])
        yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
        yield value.replace("'", "'\"'\"'")
