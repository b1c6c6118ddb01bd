"""What is known of a release: the working tree, what is meant, what ran last, what is under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from relogin.secret import Secret
from relogin.values import dataclass


@dataclass(frozen=True)
class Tree:
    """The working tree on the host; `problem` is why it is none.

    `moved` is when HEAD last changed (epoch seconds), `dirty` what of the tracked files is not as
    HEAD has it, `locked` that git works in it, or was killed there. `wanted` is the commit that is
    meant ('': not found), `ref` its full name there, `present` that the host has it already, and
    `unfetched` why the other end could not be asked.
    """

    problem: str = ""
    head: str = ""
    owner: str = ""
    branch: str = ""
    moved: float = 0.0
    dirty: tuple[str, ...] = ()
    locked: bool = False
    wanted: str = ""
    ref: str = ""
    present: bool = False
    unfetched: str = ""


@dataclass(frozen=True)
class UnderWay:
    """A release that began and did not end: from which commit to which, and which steps are done.

    `phase` is `forward` or `back`, `failed` the step for which it goes back; `recorded` is the
    schema's revision before, `token` one that was made before.
    """

    run: str
    old: str
    new: str
    phase: str
    steps: tuple[str, ...] = ()
    branch: str = ""
    recorded: str = ""
    backup: str = ""
    failed: str = ""
    token: Secret | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Backup:
    """A backup that lies in the release's folder, `made` in epoch seconds."""

    path: str
    made: float
    size: int


@dataclass(frozen=True)
class Room:
    """How many KiB are left on which file system, and how many the venv and the database take.

    `lacking` are programs that the host does not have.
    """

    left: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    venv: int = 0
    database: int = 0
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReleaseState:
    """All of it, as it was in one moment; `running` is the commit that was proven last."""

    tree: Tree
    under_way: UnderWay | None = None
    running: str = ""
    backups: tuple[Backup, ...] = ()
    room: Room = field(default_factory=Room)

    @property
    def old(self) -> str:
        """Give the commit that is gone back to."""
        return self.under_way.old if self.under_way else self.tree.head
