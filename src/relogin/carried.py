"""What a carrier can hold: limits that no quoting gets around, each as its own manual has it.

Each function says what is wrong with a value, without the value, or None.
"""

from __future__ import annotations

import re
import unicodedata

# systemd.unit(5), "Description": a name has a prefix and a suffix, 255 characters at most.
_UNIT = re.compile(r"(?=.{1,255}\Z)[A-Za-z0-9:_.\\@-]+")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2


def text(value: str) -> str | None:
    """Say why no program takes this text: an argument ends at a NUL, and all are UTF-8."""
    if "\0" in value:
        return "holds a NUL"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "is not UTF-8"
    return None


def sql_name(value: str) -> str | None:
    """Say why PostgreSQL has no such name: it cuts them at 63 bytes (PostgreSQL docs, 4.1.1)."""
    length = len(value.encode())
    return f"has {length} bytes, and PostgreSQL's names 63 at most" if length > 63 else None


def header(value: str) -> str | None:
    """Say why no HTTP header has this value (RFC 9110, 5.5)."""
    if re.search(r"[\r\n\0]", value):
        return "has a line break, which no HTTP header holds"
    if value != value.strip(" \t"):
        return "begins or ends in a blank, which HTTP takes off"
    return None


def header_name(value: str) -> str | None:
    """Say why this is no name of an HTTP header."""
    return None if _FIELD_NAME.fullmatch(value) else "is not a header's name"


def unit_name(value: str) -> str | None:
    """Say why systemd has no unit of this name."""
    return None if _UNIT.fullmatch(value) else "is not a unit's name (systemd-escape makes one)"


def unit_path(value: str) -> str | None:
    """Say why no unit file can hold this path: a line ends at CR or LF, and there is no escape."""
    if re.search(r"[\r\n]", value):
        return "has a line break, which no unit file can hold"
    return "is not a path that systemd takes" if any(map(no_character, value)) else None


def os_user(value: str) -> str | None:
    """Say why there is no such user (systemd.io/USER_NAMES, "relaxed mode"; passwd(5))."""
    controls = any(unicodedata.category(character) == "Cc" for character in value)
    if controls or value != value.strip() or value[:1] == "-" or set(":/") & set(value):
        return "is not a user's name"
    return None


def no_character(character: str) -> bool:
    """Tell what systemd takes for no UTF-8, and refuses the whole file for (src/basic/utf8.c)."""
    code = ord(character)
    return 0xD800 <= code < 0xE000 or 0xFDD0 <= code < 0xFDF0 or code & 0xFFFE == 0xFFFE
