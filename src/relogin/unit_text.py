"""Text of unit files: what their `Environment=` sets, as systemd reads it, and sandboxes.

Both by systemd.exec(5).
"""

import re
from collections.abc import Iterator, Mapping

from relogin.env_text import Unwritable
from relogin.values import dataclass

# "Sandboxing", for what needs the network, and no device or kernel: of a user who is not root each
# line, but the control groups, implies NoNewPrivileges=.
NO_KERNEL = (
    "NoNewPrivileges=yes",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "SystemCallArchitectures=native",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
)
NO_OTHERS = (
    "PrivateTmp=yes",
    "ProtectProc=invisible",
    "RestrictNamespaces=yes",
    "RestrictSUIDSGID=yes",
)
FEW_CALLS = (
    "AmbientCapabilities=",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BLANKS = " \t\r\n"  # systemd knows no others
# Not possessive: before 3.11.5 Python gets that wrong (gh-106052). No two alternatives begin alike.
_WORD = re.compile(
    r"""[ \t\r\n]*((?:[^ \t\r\n"'\\]|\\.|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')+)(?=[ \t\r\n]|\Z)""",
    re.DOTALL,
)
_PIECE = re.compile(
    r"""(?P<quote>["'])|\\(?:(?P<letter>[abfnrtv\\"'s])|x(?P<byte>[0-9A-Fa-f]{2})
    |u(?P<short>[0-9A-Fa-f]{4})|U(?P<long>[0-9A-Fa-f]{8})|(?P<octal>[0-3][0-7]{2}))
    |(?P<wrong>\\)|(?P<plain>[^\\"']+)""",
    re.VERBOSE,
)
# systemd.unit(5), "Specifiers"; an assignment with any other letter or digit is ignored, and what
# is neither stays as it is (systemd's specifier.c).
_NO_SPECIFIER = re.compile(r"%(?![aAbBCdDEfgGhHiIjJlLmMnNopPqsStTuUvVwWyY])[0-9A-Za-z]")
_LETTERS = dict(zip("abfnrtv\\\"'s", "\a\b\f\n\r\t\v\\\"' ", strict=True))
_ESCAPES = {"\\": "\\\\", '"': '\\"', "%": "%%", "\n": "\\n", "\t": "\\t"}


@dataclass(frozen=True)
class _Line:
    """A line, or several of which each but the last ends with a backslash; and where it ends."""

    start: int
    text: str
    end: int
    goes_on: bool


@dataclass(frozen=True)
class _Setting:
    """An `Environment=` of section Service: where its line ends, and the place of its words.

    `start` is None where it goes on over several lines, so that no word of it has a place.
    """

    end: int
    words: str
    start: int | None


@dataclass(frozen=True)
class _Bound:
    """A word that binds a key; `start` and `end` are its place in the text, if it has one."""

    key: str
    value: str
    start: int | None
    end: int


def values(text: str) -> dict[str, str | None]:
    """Give what the unit file sets, the last of a key winning; an empty setting takes all back.

    A specifier that systemd replaces (`%h`) stays as it is written: only it knows. An assignment
    with another one (an unescaped `%40`) is ignored, as systemd does.
    """
    found: dict[str, str | None] = {}
    for setting in _settings(text):
        if not setting.words:
            found.clear()
        found.update({bound.key: bound.value for bound in _bound(setting)})
    return found


def unfit(value: str) -> str | None:
    """Say why systemd takes no such value, or None."""
    if any(ord(character) < 32 and character not in "\t\n" for character in value):
        return "systemd takes no value with a control character"
    return None


def with_values(text: str, new: Mapping[str, str]) -> str:
    """Give the text with these values in it, and every other byte kept.

    The last assignment of a key is replaced; one that has no place of its own is overruled by a
    line behind the last `Environment=`.

    Raises:
        Unwritable: systemd takes no such value, or another key would change.
    """
    changed = text
    for key, value in new.items():
        if values(changed).get(key) != value:
            changed = _with_value(changed, key, value)
    if values(changed) != {**values(text), **new}:
        raise Unwritable(f"{', '.join(new)} cannot be set without changing another key")
    return changed


def _with_value(text: str, key: str, value: str) -> str:
    if problem := unfit(value):
        raise Unwritable(f"{key}: {problem}")
    escaped = "".join(_ESCAPES.get(character, character) for character in value)
    word = f'"{key}={escaped}"'
    bound = [one for setting in _settings(text) for one in _bound(setting) if one.key == key]
    if bound and bound[-1].start is not None and key in values(text):
        return text[: bound[-1].start] + word + text[bound[-1].end :]
    return _added(text, f"Environment={word}")


def _added(text: str, line: str) -> str:
    """Add a line to the section Service, behind the last setting of its kind."""
    settings = list(_settings(text))
    header = re.search(r"^[ \t]*\[Service\][ \t]*$", text, re.MULTILINE)
    at = settings[-1].end if settings else header.end() if header else None
    if at is not None:
        return f"{text[:at]}\n{line}{text[at:]}"
    start = text if not text or text.endswith("\n") else f"{text}\n"
    return f"{start}[Service]\n{line}\n"


def _settings(text: str) -> Iterator[_Setting]:
    """Give the settings, in order."""
    section = ""
    for line in _lines(text):
        name, equals, words = line.text.partition("=")
        if header := re.fullmatch(r"\s*\[(.*)\]\s*", line.text):
            section = header[1]
        elif equals and (section, name.strip(_BLANKS)) == ("Service", "Environment"):
            first = line.start + len(line.text) - len(words.lstrip(_BLANKS))
            yield _Setting(line.end, words.strip(_BLANKS), None if line.goes_on else first)


def _lines(text: str) -> Iterator[_Line]:
    """Give the lines (systemd.syntax(7): comments, lines that go on, even to the file's end)."""
    place = last = end = 0
    begun, joined = 0, ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        start, place = place, place + len(line)
        bare = line.rstrip("\r\n")
        if bare.lstrip(" \t")[:1] in {"#", ";"} or not (joined or bare.strip(_BLANKS)):
            continue
        begun, last = begun if joined else start, start
        joined += bare
        end = start + len(bare)
        if (len(bare) - len(bare.rstrip("\\"))) % 2:
            joined, end = joined[:-1] + " ", end - 1
            continue
        yield _Line(begun, joined, end, begun != start)
        joined = ""
    if joined:
        yield _Line(begun, joined, end, begun != last)


def _bound(setting: _Setting) -> Iterator[_Bound]:
    """Give the assignments of a setting, up to what systemd cannot parse."""
    end = 0
    while word := _WORD.match(setting.words, end):
        end = word.end()
        if (assignment := _unquoted(word[1])) is None:
            return
        key, equals, value = assignment.partition("=")
        if equals and _NAME.fullmatch(key) and not _NO_SPECIFIER.search(value.replace("%%", "")):
            at = None if setting.start is None else setting.start + word.start(1)
            yield _Bound(key, value.replace("%%", "%"), at, (at or 0) + len(word[1]))


def _unquoted(word: str) -> str | None:
    """Give a word without quotes and escapes; None for an escape that there is not."""
    raw, quote = b"", ""
    for piece in _PIECE.finditer(word):
        kind = piece.lastgroup or ""
        if kind == "wrong":
            return None
        if kind == "quote":
            raw += piece[0].encode() if quote not in {"", piece[0]} else b""
            quote = quote if quote not in {"", piece[0]} else "" if quote else piece[0]
        elif kind in {"byte", "octal"}:
            raw += bytes([int(piece[kind], 16 if kind == "byte" else 8)])
        elif kind in {"short", "long"}:
            raw += chr(int(piece[kind], 16)).encode(errors="replace")
        else:
            raw += _LETTERS.get(piece["letter"], piece["plain"] or "").encode(errors="replace")
    return raw.decode(errors="replace")
