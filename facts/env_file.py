"""Env files: their keys, owner, mode and times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import env_text, shell
from relogin.facts import alone, file
from relogin.finding import Unreadable
from relogin.secret import Secret

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.remote import Answer


@dataclass(frozen=True)
class EnvFileState:
    """An env file as it is; its text and values are secrets and stay out of every output.

    `real_path` is where a symlink leads. `values` is what python-dotenv reads.
    """

    path: str
    real_path: str
    meta: file.FileMeta
    raw: bytes = field(repr=False)
    values: Mapping[str, str | None] = field(repr=False)

    @property
    def text(self) -> str:
        return self.raw.decode()

    @property
    def changed(self) -> float:
        return self.meta.changed

    def value(self, key: str) -> str | None:
        """Give a key's value; None where the key is missing or empty."""
        return self.values.get(key) or None


def script(path: str) -> str:
    """Give the part of the look that fetches one env file, whole: it travels encoded."""
    quoted = shell.quote(path)
    return f"meta {quoted}; readlink -f {quoted}; [ -e {quoted} ] && cat {quoted}"


def parse(path: str, answer: Answer) -> EnvFileState | Unreadable | None:
    """Take the part's answer apart; None where there is no such file."""
    head, real_path, content = (*answer.text.split(b"\n", 2), b"", b"")[:3]
    meta = file.parse(head.decode())
    if not isinstance(meta, file.FileMeta):
        return meta
    if meta.kind == "directory":
        return Unreadable(f"{path} is a directory")
    if answer.status != 0:
        return Unreadable(f"{path} cannot be read by the user we are on the host")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Unreadable(f"{path} is not UTF-8")
    values = env_text.values(text)
    for value in filter(None, values.values()):
        if len(value) >= 8:  # a port or a flag is no secret, and blotting it out helps nobody
            Secret.seen(value)
    return EnvFileState(path, real_path.decode(), meta, content, values)


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
