"""What `stat` says of a file (the `meta` helper of every script)."""

from __future__ import annotations

from datetime import datetime

from relogin.finding import Unreadable
from relogin.values import dataclass


@dataclass(frozen=True)
class FileMeta:
    """A file's kind, mode and owner; times are epoch seconds of the host's clock.

    `changed` is the inode's change time: `cp -p`, `mv` and `rsync -t` keep old modification times,
    so only this one says when the file got here (inode(7)).
    """

    kind: str
    mode: int
    owner: str
    group: str
    uid: int
    gid: int
    size: int
    changed: float


def parse(line: str) -> FileMeta | Unreadable | None:
    """Take a `meta` line apart; None where there is no such file."""
    if line in {"none", "dangling"}:
        return None
    fields = line.split("|")
    if len(fields) != 9:
        return Unreadable("its folder cannot be entered by the user we are on the host")
    kind, mode, owner, group, uid, gid, size, _, changed = fields
    return FileMeta(kind, int(mode, 8), owner, group, int(uid), int(gid), int(size), epoch(changed))


def epoch(stamp: str) -> float:
    """Read `2026-11-21 10:04:35.123456789 +0000`, to the microsecond."""
    day, time, zone = stamp.split(" ")
    return datetime.fromisoformat(f"{day}T{time}{zone}").timestamp()
