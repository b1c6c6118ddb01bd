"""What each reader of .env files makes of a text: models of the real ones."""

import io
import re
from collections.abc import Callable

from relogin.carried import no_character

Values = dict[str, str | None]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SINGLE = r"'[^']*(?:'|\Z)"
_DOUBLE = r'"(?:\\.|[^"\\])*(?:"|\\?\Z)'
# systemd/src/basic/env-file.c. A comment that ends in a backslash takes the next line along:
# so until systemd 254, and what is written for those is read alike by the later ones.
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SYSTEMD_ENTRY = re.compile(
    rf"""
    [ \t\r\n]*+
    (?: [#;] (?:\\.|[^\\\r\n])*
      | (?P<key>[^\r\n][^=\r\n]*)
        (?: (?P<assigned>=)
            (?P<quoted>(?:[ \t]*(?:{_SINGLE}|{_DOUBLE}))*) [ \t]*
            (?P<bare>(?:[ \t]*(?:\\(?:.|\Z)|[^\\ \t\r\n]))*) [ \t]*
        )?
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_SYSTEMD_QUOTED = re.compile(
    r"""'(?P<single>[^']*)(?:'|\Z)|"(?P<double>(?:\\.|[^"\\])*)(?:"|\\?\Z)""", re.DOTALL
)


def _python_dotenv(text: str) -> Values:
    from dotenv.parser import parse_stream
    from dotenv.variables import parse_variables

    found: Values = {}
    # python-dotenv opens files with universal newlines.
    for binding in parse_stream(io.StringIO(text, newline=None)):
        if binding.key is None:
            continue
        atoms = parse_variables(binding.value or "")
        expanded = "".join(atom.resolve(found) for atom in atoms)
        found[binding.key] = None if binding.value is None else expanded
    return found


def _systemd(text: str) -> Values:
    if "\0" in text:
        return {}
    found: Values = {}
    for entry in _SYSTEMD_ENTRY.finditer(text):
        key = (entry["key"] or "").rstrip(" \t")
        if not entry["assigned"]:
            continue
        value = _systemd_value(entry["quoted"], entry["bare"])
        if any(map(no_character, key + value)):
            return {}
        if NAME.fullmatch(key):
            found[key] = value
    return found


def _systemd_value(quoted: str, bare: str) -> str:
    value = ""
    for part in _SYSTEMD_QUOTED.finditer(quoted):
        double = part["double"]
        value += part["single"] if double is None else _unescaped_in_double_quotes(double)
    return value + re.sub(r"\\(?:[\r\n]|\Z|(.))", r"\1", bare)


def _unescaped_in_double_quotes(text: str) -> str:
    def meant(match: re.Match[str]) -> str:
        if match[1] in '"\\`$':
            return match[1]
        return "" if match[1] == "\n" else match[0]

    return _ESCAPED.sub(meant, text)


def _sh(text: str) -> Values:
    from relogin import env_sh

    return env_sh.values(text)


def _compose(text: str) -> Values:
    from relogin import env_compose

    return env_compose.values(text)


READERS: dict[str, Callable[[str], Values]] = {
    "python-dotenv": _python_dotenv,
    "systemd": _systemd,
    "sh": _sh,
    "compose": _compose,
}
