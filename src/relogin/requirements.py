"""Requirements files: what their lines ask for, read as pip reads them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from relogin.values import dataclass

# pip's own order (pip/_internal/utils/encoding.py): a byte order mark, a PEP 263 line, UTF-8.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
_OPTION = re.compile(r"\s-")
_COMMENT, _COMMENT_BEHIND = re.compile(r"\s*#"), re.compile(r"(^|\s+)#.*$")
_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")


@dataclass(frozen=True)
class Requirement:
    """One requirement: canonical name, specifier and marker as text, and where it stands."""

    name: str
    specifier: str
    marker: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.name}{self.specifier}"

    @property
    def place(self) -> str:
        return f"{self.file} line {self.line}"

    def applies(self, environment: Mapping[str, str]) -> bool:
        """Tell whether the marker holds in an environment, which needs all of PEP 508's keys."""
        from packaging.markers import Marker

        return not self.marker or Marker(self.marker).evaluate(dict(environment, extra=""))

    def met_by(self, version: str) -> bool | None:
        """Tell whether a version will do; None where it is no PEP 440 version.

        A pre-release that is installed counts: what it should be is not asked here.
        """
        return _met(self.specifier, version)


@dataclass(frozen=True)
class NotJudged:
    """A line that only pip can judge: an editable install, a path, a URL, a variable.

    Its text is left out: it may hold a token.
    """

    file: str
    line: int
    why: str


def dependency(line: str) -> Requirement | None:
    """Give what a distribution's `Requires-Dist` asks for; None where that cannot be judged."""
    asked = _requirement("", 0, line)
    return asked if isinstance(asked, Requirement) else None


def parse(path: str, raw: bytes) -> Iterator[Requirement | NotJudged]:
    """Give what a file's lines ask for.

    Options of the whole file (indexes, `-c` bounds) ask for nothing; included files are read on
    their own.

    Raises:
        UnicodeDecodeError, LookupError: it cannot be decoded, as pip could not.
    """
    for number, line in _lines(_decoded(raw)):
        if line.startswith(("-e", "--editable")):
            yield NotJudged(path, number, "an editable install")
        elif not line.startswith("-"):
            yield _requirement(path, number, line)


@lru_cache(1024)  # of many hosts with one backend
def _met(specifier: str, version: str) -> bool | None:
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return None


@lru_cache(1024)
def _requirement(path: str, number: int, line: str) -> Requirement | NotJudged:
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed
    from packaging.utils import canonicalize_name

    if _VARIABLE.search(line):
        return NotJudged(path, number, "a variable of pip's environment")
    try:
        asked = Parsed(_OPTION.split(line)[0])
    except InvalidRequirement:
        return NotJudged(path, number, "no name and version")
    name = canonicalize_name(asked.name)
    return Requirement(name, str(asked.specifier), str(asked.marker or ""), path, number)


def _decoded(raw: bytes) -> str:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding)
    for line in raw.split(b"\n")[:2]:
        if line.startswith(b"#") and (coding := _CODING.search(line)):
            return raw.decode(coding[1].decode())
    return raw.decode()


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Give logical lines (continued ones joined, no comments) and where each begins."""
    whole, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        comment = _COMMENT.match(line) is not None
        first = number if not whole else first
        if line.endswith("\\") and not comment:
            whole += line[:-1]
            continue
        logical = _COMMENT_BEHIND.sub("", whole + (" " + line if comment else line)).strip()
        whole = ""
        if logical:
            yield first, logical
    if whole.strip():
        yield first, whole.strip()
