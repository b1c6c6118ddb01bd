"""What a command of the user's prints on this machine: in time, and asked for by one at a time."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

DEADLINE = 60  # seconds: a vault may wait for a person to confirm it


class Overdue(Exception):
    """Raised where a command did not end in time, and was ended; the message says so."""


@functools.cache
def turn(command: str, home: Path | None) -> AbstractContextManager[object]:
    """Give what lets one host in at a time: fifty at once would ask a vault fifty times.

    It is gevent's: another lock would stop every host of a process that was not patched yet.
    """
    from gevent.lock import BoundedSemaphore

    made: AbstractContextManager[object] = BoundedSemaphore()
    return made


def text(command: str, home: Path | None) -> str:
    """Give what a command prints, without its final newline; nothing where it fails.

    It runs in the same process group, so that it may ask at the terminal, and ends with whoever
    ends the group.

    Raises:
        Overdue: it had not ended after DEADLINE seconds.
        OSError: it could not be started.
    """
    with subprocess.Popen(
        ["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=home,
        encoding="utf-8", errors="surrogateescape",
    ) as ran:  # fmt: skip
        try:
            said, _ = ran.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            end(ran.pid)
            why = (
                f"the command had not ended after {DEADLINE} s, and was ended with what it started"
            )
            raise Overdue(f"{why}; run it by hand to see why") from None
        except BaseException:
            end(ran.pid)
            raise
    return said.rstrip("\n") if ran.returncode == 0 else ""


def of_sh(word: str) -> bool:
    """Tell whether sh itself knows what to do for a word."""
    ran = subprocess.run(["sh", "-c", 'command -v -- "$0"', word], capture_output=True, check=False)
    return ran.returncode == 0


def end(pid: int) -> None:
    """End a child of ours with all that it started; what is stopped first starts nothing more."""
    stopped: set[int] = set()
    while new := {pid, *_below(pid)} - stopped:
        for one in new:
            _signal(one, signal.SIGSTOP)
        stopped |= new
    for one in stopped:
        _signal(one, signal.SIGKILL)


def _signal(pid: int, which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # sudo's are not ours to end
        os.kill(pid, which)


def _below(pid: int) -> Iterator[int]:
    """Give the processes that a process has started, and those of theirs."""
    parents = dict(_parents())
    for one in parents:
        above = one
        while above in parents and above != pid:
            above = parents[above]
        if above == pid and one != pid:
            yield one


def _parents() -> Iterator[tuple[int, int]]:
    """Give each process of this machine with its parent, as proc(5) has them, else ps."""
    if Path("/proc/self/stat").exists():
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                yield int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])
        return
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=", "-o", "ppid="], capture_output=True, text=True, check=False
    )
    for line in listed.stdout.splitlines():
        child, parent = line.split()
        yield int(child), int(parent)
