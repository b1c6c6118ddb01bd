"""What every exec on a lab host was given: the records that `files/execs.c` writes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

EXECS = "/var/log/execs"
# A script: what was recorded is no more, and files that are written from now on are new.
FORGET = f"\n: >{EXECS}/log; rm -f {EXECS}/from; touch {EXECS}/since\n"


@dataclass(frozen=True)
class Exec:
    """One program that was started; `uid` is the real one, also of a setuid program."""

    pid: int
    parent: int
    uid: int
    argv: list[str]
    environ: list[str]
    cgroup: str

    def holds(self, text: str) -> bool:
        """Tell whether the text is in an argument or in the environment."""
        return any(text in part for part in (*self.argv, *self.environ))

    def is_of(self, unit: str) -> bool:
        """Tell whether systemd started it for this unit, such as `halext-api.service`."""
        return f"/{unit}" in self.cgroup


def parse(log: bytes) -> Iterator[Exec]:
    """Give the records of a log, oldest first; not one at its end that is still being written."""
    at = 0
    while (end := log.find(b"\n", at)) >= 0:
        pid, parent, uid, *lengths = (int(number) for number in log[at:end].split())
        at = end + 1
        if at + sum(lengths) > len(log):
            return
        parts = []
        for length in lengths:
            parts.append(os.fsdecode(log[at : at + length]))
            at += length
        argv, environ, cgroup = parts
        yield Exec(pid, parent, uid, _texts(argv), _texts(environ), cgroup)


def _texts(joined: str) -> list[str]:
    return joined.removesuffix("\0").split("\0") if joined else []
