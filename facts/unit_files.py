"""A unit's files as they lie on disk: systemd runs on what it read at its last daemon-reload."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import lru_cache
from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts import file
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.remote import Answer

OURS = "zz-relogin.conf"
# systemd.unit(5), "Unit File Load Path", those that people and packages write to.
_FOLDERS = "/etc /run /usr/local/lib /usr/lib /lib"
# The loop begins with what is more specific, and so wins. /lib is mostly a link to /usr/lib.
_SCRIPT = """\
files() {{
  set --; links=
  for name in {names}; do
    for folder in {folders}; do
      [ "$folder" != /lib ] || [ ! -L /lib ] || continue
      for f in "$folder/systemd/system/$name" "$folder/systemd/system/$name.d"/*.conf; do
        [ -f "$f" ] || [ -c "$f" ] || continue
        [ ! -L "$f" ] || links=1
        set -- "$@" "$f"
      done
    done
  done
  [ $# -gt 0 ] || return 0
  stat -Lc '%z|%n' "$@"
  [ -z "$links" ] || stat -c '%z|%n|%N' "$@"
  grep -HE '^[[:space:]]*(\\[|({settings})[[:space:]]*=)' "$@" /dev/null
  return 0
}}"""
SETTINGS = ("WorkingDirectory", "EnvironmentFile")
_MORE = ("User", "ExecStart")  # only asked for where they are declared: a command may hold secrets
_STAT = re.compile(r"(?P<changed>\d+-\d+-\d+ [^|]*)\|(?P<path>/[^|]*)(?:\|(?P<link>.*))?")
_LINE = r"(?P<path>{paths}):\s*(?:\[(?P<section>.*)\]|(?P<name>\w+)\s*=(?P<value>.*))"
# What only systemd can tell: a specifier, a pattern, a line that goes on, a path that it refuses.
_UNCLEAR_WORDS = re.compile(r"[$%\\]|(^|\s);(\s|$)|^@")
_SLASHES = re.compile(r"/+")
_UNCLEAR_PATH = re.compile(r"[%*?\[\\]|^-?[^-/]|(^|/)\.\.?(/|$)")
_UNCLEAR = {
    "WorkingDirectory": _UNCLEAR_PATH,
    "EnvironmentFile": _UNCLEAR_PATH,
    "User": re.compile(r"[%\s]"),
}


@dataclass(frozen=True)
class UnitFile:
    """A fragment or a drop-in; `changed` is its ctime, or that of the link to it, if later.

    `masks` says that it is a link to /dev/null; `settings` are (name, value) of those that a
    description can declare, in order.
    """

    path: str
    changed: float
    masks: bool = False
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Settings:
    """What the files say together: the settings, and which file said each last.

    `commands` are the words of each ExecStart, a blank between two; None: only systemd can tell.
    """

    working_directory: str = ""
    environment_files: tuple[str, ...] = ()
    said_by: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    commands: tuple[str, ...] | None = ()


def script(unit: str, settings: tuple[str, ...] = SETTINGS) -> str:
    """Give the shell function `files`, which shows these settings of each."""
    return _SCRIPT.format(
        names=shell.words(_names(unit)), folders=_FOLDERS, settings="|".join(settings)
    )


def _names(unit: str) -> Iterator[str]:
    """Give the names whose file or drop-in folder counts, the most specific first.

    systemd.unit(5): `a@1.service` has those of `a@.service`, `a-b.service` those of `a-.service`,
    and each service those of `service`.
    """
    yield unit
    stem, dot, kind = unit.rpartition(".")
    if "@" in stem and not stem.endswith("@"):
        stem = f"{stem.partition('@')[0]}@"
        yield f"{stem}{dot}{kind}"
    while "-" in stem.rstrip("-"):
        stem = stem.rstrip("-").rpartition("-")[0] + "-"
        yield f"{stem}{dot}{kind}"
    yield kind


def parse(answer: Answer | None) -> tuple[UnitFile, ...]:
    """Take apart what `files` wrote: the fragment first, then the drop-ins as they apply.

    Of two of one name the one that was found first counts.
    """
    lines = answer.text.decode("utf-8", "replace").split("\n") if answer is not None else []
    stats = [found for line in lines if (found := _STAT.fullmatch(line))]
    settings = _settings(_of_files(lines, {stat["path"] for stat in stats}))
    by_name: dict[str, UnitFile] = {}
    for path in dict.fromkeys(stat["path"] for stat in stats):
        mine = [stat for stat in stats if stat["path"] == path]
        known = UnitFile(
            path,
            max(file.epoch(stat["changed"]) for stat in mine),
            any("'/dev/null'" in (stat["link"] or "") for stat in mine),
            tuple(settings.get(path, ())),
        )
        by_name.setdefault("" if not path.endswith(".conf") else known.name, known)
    return tuple(by_name[name] for name in sorted(by_name))


def _of_files(lines: list[str], paths: set[str]) -> list[re.Match[str]]:
    """Give the lines that these files have; a unit's name may have a colon in it."""
    shown = re.compile(_LINE.format(paths="|".join(map(re.escape, sorted(paths)))))
    return [found for line in lines if (found := shown.match(line))]


def _settings(lines: list[re.Match[str]]) -> dict[str, list[tuple[str, str]]]:
    """Give each file's settings in its section Service; in another one systemd ignores them."""
    found: dict[str, list[tuple[str, str]]] = {}
    section: dict[str, str] = {}
    for line in lines:
        path = line["path"]
        if line["section"] is not None:
            section[path] = line["section"]
        elif section.get(path) == "Service":
            found.setdefault(path, []).append((line["name"], line["value"].strip()))
    return found


def together(files: tuple[UnitFile, ...]) -> Settings | None:
    """Give what the files say together, or None where only systemd can tell.

    An empty value takes back what was said before it (systemd.exec(5), systemd.service(5)).
    """
    said: dict[str, list[str]] = {name: [] for name in (*SETTINGS, *_MORE)}
    said_by: dict[str, str] = {}
    for one in files:
        for name, value in one.settings:
            if name != "ExecStart" and _UNCLEAR[name].search(value):
                return None
            said_by[name] = one.path
            said[name] = [*said[name], value] if value else []
    if not files or files[0].name.endswith(".conf"):
        return None
    return Settings(
        working_directory=plain("".join(said["WorkingDirectory"][-1:])),
        environment_files=tuple(map(plain, said["EnvironmentFile"])),
        said_by=said_by,
        user="".join(said["User"][-1:]),
        commands=_commands(said["ExecStart"]),
    )


def _commands(values: list[str]) -> tuple[str, ...] | None:
    words = [words_of(value) for value in values]
    return None if None in words else tuple(filter(None, words))


@lru_cache(256)  # of many hosts with one backend, and of the same unit again and again
def words_of(command: str) -> str | None:
    """Give the words of an ExecStart, a blank between two, as systemd shows its argv.

    None where only systemd can tell: variables, specifiers, escapes, several commands, a line that
    goes on (systemd.service(5), "Command lines").
    """
    plain_command = command.lstrip("@-:+!|")
    if _UNCLEAR_WORDS.search(plain_command):
        return None
    try:
        return " ".join(shlex.split(plain_command))
    except ValueError:
        return None


def plain(path: str) -> str:
    """Give a path as systemd shows it: without `-` or `!`, doubled and final slashes."""
    return _SLASHES.sub("/", path.lstrip("-!")).rstrip("/") or path.lstrip("-!")[:1]


def unglobbed(path: str) -> str:
    """Give the file that a pattern without wildcards names: EnvironmentFile= is one (glob(7))."""
    if _WILD.search(path):
        return path
    return re.sub(r"\\(.)|\[([ \t])\]$", lambda found: found[1] or found[2], path)


# A wildcard that no backslash escapes; in brackets stands a blank that would be taken off the end.
_WILD = re.compile(r"(?<!\\)(?:\\\\)*(?:[*?]|\[(?![ \t]\]$))")
