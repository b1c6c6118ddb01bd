"""Env files: their keys, owner, mode and times."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import env_lines, env_text, shell, undo, unit_text
from relogin.facts import alone, file
from relogin.finding import Unreadable
from relogin.parts.configuration import DatabaseUrl
from relogin.secret import Secret
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.backend import Backend
    from relogin.parts.configuration import EnvFile
    from relogin.remote import Answer


@dataclass(frozen=True)
class EnvFileState:
    """An env file as it is; its text and values are secrets and stay out of every output.

    `real_path` is where a symlink leads. `values` is what `reader`, the first, reads. `kept` are
    values of keys that must be kept and are not there, from copies in the undo store.
    """

    path: str
    real_path: str
    meta: file.FileMeta
    raw: bytes = field(repr=False)
    values: Mapping[str, str | None] = field(repr=False)
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)
    reader: str = "python-dotenv"

    @property
    def text(self) -> str:
        return self.raw.decode()

    @property
    def changed(self) -> float:
        return self.meta.changed

    def value(self, key: str) -> str | None:
        """Give a key's value; None where the key is missing or empty."""
        return self.values.get(key) or None

    @property
    def is_unit(self) -> bool:
        return self.reader == "systemd-unit"

    @cached_property
    def problems(self) -> tuple[env_lines.Problem, ...]:
        """What python-dotenv cannot parse; nothing of a unit file, which has another grammar."""
        return () if self.is_unit else env_lines.problems(self.text)

    @cached_property
    def duplicates(self) -> Mapping[str, Mapping[int, str | None]]:
        """The keys that are bound more than once: their lines, and what each one binds."""
        return {} if self.is_unit else env_lines.duplicates(self.text)

    @property
    def hidden(self) -> set[str]:
        """The keys that nobody reads since a quote before them is not closed.

        Docker Compose reads none at all then.
        """
        bound = self.reading("python-dotenv").items() if self.refused else ()
        hides = {key for problem in self.problems for key in problem.hides if not self.value(key)}
        return hides | {key for key, value in bound if value}

    @property
    def refused(self) -> bool:
        """Tell whether its reader is Docker Compose, which does not take a line of it."""
        return self.reader == "compose" and not self.values and bool(self.text.strip())

    def reading(self, reader: str) -> Mapping[str, str | None]:
        """Give what a reader makes of it: one of `all_readers`."""
        if reader not in self._readings:
            known = self.is_unit and reader == self.reader
            self._readings[reader] = self.values if known else env_text.values(self.text, reader)
        return self._readings[reader]

    @property
    def all_readers(self) -> tuple[str, ...]:
        """The known readers; a unit file has but one."""
        return (self.reader,) if self.is_unit else tuple(env_text.READERS)

    @cached_property
    def _readings(self) -> dict[str, Mapping[str, str | None]]:
        return {}


@dataclass(frozen=True)
class UndecodableEnvFile:
    """An env file that no reader takes: these of its lines are no UTF-8, or hold a NUL byte."""

    path: str
    lines: tuple[int, ...]


@dataclass(frozen=True)
class MissingEnvFile:
    """The place of an env file that is not there.

    `link` is where a dangling symlink says that it is, `real_path` where it would really be;
    `folder` is that one's folder (None: not there), and `beside` are the files there that bear its
    name with something behind it. `kept` is as in EnvFileState, for every key that must be kept.
    """

    path: str
    link: str
    real_path: str
    folder: file.FileMeta | Unreadable | None
    beside: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)


Seen = EnvFileState | UndecodableEnvFile | MissingEnvFile


def script(path: str) -> str:
    """Give the part of the look that fetches one env file, whole: it travels encoded."""
    return _SCRIPT.format(path=shell.quote(path), most=_MOST + 1)


_MOST = 1_000_000
_SCRIPT = """\
meta {path}; readlink -f {path} || echo
if [ -f {path} ]; then head -c {most} {path}; return; fi
[ ! -e {path} ] || return 1
readlink {path} || echo
real=$(readlink -f {path})
[ -n "$real" ] || return 1
meta "${{real%/*}}/"; ls -1d "$real"?* 2>/dev/null
return 1"""


def parse(
    path: str, answer: Answer, *, public: Collection[str] = (), reader: str = "python-dotenv"
) -> Seen | Unreadable:
    """Take the part's answer apart, as a reader reads it; a value is secret unless it is public."""
    head, real_path, content = (*answer.text.split(b"\n", 2), b"", b"")[:3]
    meta = file.parse(head.decode())
    if meta is None:
        return _missing(path, answer.lines)
    if isinstance(meta, Unreadable):
        return meta
    if not meta.kind.startswith("regular"):
        return Unreadable(f"{path} is a {meta.kind}")
    if answer.status != 0:
        return Unreadable(f"{path} cannot be read by the user we are on the host")
    if len(content) > _MOST:
        return Unreadable(f"{path} has {meta.size} bytes: that is no env file")
    if len(content) != meta.size:
        return Unreadable(f"{path} was written to while it was read; look again")
    if wrong := tuple(_undecodable(content)):
        return UndecodableEnvFile(path, wrong)
    values = _values(content.decode("utf-8-sig"), reader, public)
    return EnvFileState(path, real_path.decode(), meta, content, values, reader=reader)


def _undecodable(content: bytes) -> Iterator[int]:
    """Give the numbers of the lines for which systemd and python-dotenv refuse a whole file."""
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            if "\0" in line.decode():
                yield number
        except UnicodeDecodeError:
            yield number


def _values(text: str, reader: str, public: Collection[str] = ()) -> dict[str, str | None]:
    in_unit = reader == "systemd-unit"
    values = unit_text.values(text) if in_unit else env_text.values(text, reader)
    for value in filter(None, values.values()):
        if (
            len(value) >= 8 and value not in public
        ):  # a port or a flag is no secret, and blotting it out helps nobody
            Secret.seen(value)
    return values


def _missing(path: str, lines: list[str]) -> MissingEnvFile:
    _, real_path, link, folder, *beside = [*lines, *[""] * 4]
    names = tuple(name.rpartition("/")[2] for name in beside if name)
    there = file.parse(folder) if folder else None
    return MissingEnvFile(path, link, real_path, there, names)


def kept_script(backend: Backend, declared: EnvFile) -> str:
    """Give the part of the look that fetches lost values of keys that must be kept.

    Up to five copies in the undo store that have one of them, the newest first; none is read while
    the file has all of these keys.
    """
    keys = must_be_kept(declared)
    return _KEPT.format(
        copies=undo.copies(backend, declared.path),
        most=_MOST + 1,
        path=shell.quote(declared.path),
        patterns=shell.words(f"{_BINDS.format(key=key)}" for key in keys),
        any=shell.quote(_BINDS.format(key=f"({'|'.join(keys)})")),
    )


_BINDS = (
    r"""^[[:space:]]*(export[[:space:]]+|Environment[[:space:]]*=(.*[[:space:]])?["']?)?"""
    r"""{key}[[:space:]]*=[[:space:]]*["']?[^"'#[:space:]]"""
)
_KEPT = """\
{copies}lost=
for binds in {patterns}; do grep -qE -e "$binds" {path} 2>/dev/null || lost=yes; done
[ -n "$lost" ] || return 0
n=0; copies | while IFS= read -r copy; do
  ! grep -qE -e {any} "$copy" || {{ n=$((n + 1)); part "$n" head -c {most} "$copy"; }}
  [ "$n" -lt 5 ] || break
done"""


def must_be_kept(declared: EnvFile) -> list[str]:
    """Give the keys whose value nobody may make up."""
    return [
        key
        for key, value in declared.keys.items()
        for secret in [value.password if isinstance(value, DatabaseUrl) else value]
        if isinstance(secret, Secret) and secret.source == "kept"
    ]


def with_kept(
    state: EnvFileState | MissingEnvFile,
    declared: EnvFile,
    answer: Answer,
    *,
    public: Collection[str] = (),
) -> EnvFileState | MissingEnvFile:
    """Add the values that `kept_script` found for keys which the file has not."""
    found = alone.answers(answer.lines)
    kept: dict[str, str] = {}
    for name in sorted(found, reverse=True):
        text = found[name].text.decode("utf-8-sig", "replace")
        copy = _values(text, declared.readers[0], public)
        kept.update({key: value for key, value in copy.items() if value})
    lost = [
        key
        for key in must_be_kept(declared)
        if not (isinstance(state, EnvFileState) and state.value(key))
    ]
    return replace(state, kept={key: kept[key] for key in lost if key in kept})


class EnvKeys(FactBase[Any]):
    """Give an env file's keys with their lengths, its owner and its mode; never a value.

    + path: the env file
    """

    def command(self, path: str) -> StringCommand:
        quoted = shell.quote(path)
        keys = f"meta {quoted}; [ -r {quoted} ] && sed -n {shell.quote(_KEYS)} {quoted} | "
        keys += """awk '{ at = index($0, "="); print substr($0, 1, at - 1), length($0) - at }'"""
        return alone.command({"env_file": keys})

    def process(self, output: Iterable[str]) -> dict[str, Any] | Unreadable | None:
        return alone.parsed(output, "env_file", _keys)


_KEYS = (
    r"s/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}"
    r"\([A-Za-z_][A-Za-z0-9_]*\)[[:space:]]*=/\2=/p"
)


def _keys(answer: Answer) -> dict[str, Any] | Unreadable | None:
    meta = file.parse(answer.lines[0] if answer.lines else "")
    if not isinstance(meta, file.FileMeta):
        return meta
    lengths = {line.split(" ")[0]: int(line.split(" ")[1]) for line in answer.lines[1:]}
    return {"owner": meta.owner, "mode": f"{meta.mode:04o}", "keys": lengths}
