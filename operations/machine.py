"""Say what no machine can mend, and what forbids most of what one would: full disks, the clock."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin.facts.auth_log import TOKEN_EXPIRED
from relogin.facts.machine import (
    SCARCE_INODES,
    SCARCE_KIB,
    SCARCE_SHARE,
    FileSystem,
    Machine,
)
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.mend import mend
from relogin.operations.auth_evidence import told_by

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_SHOWN = 4


def _file_systems(seen: Observation) -> tuple[FileSystem, ...]:
    if isinstance(seen.machine, Machine) and isinstance(seen.machine.file_systems, tuple):
        return seen.machine.file_systems
    return ()


def _about(one: FileSystem, what: str, **said: str) -> Finding:
    there = ", ".join(one.places[:_SHOWN]) + ("…" if len(one.places) > _SHOWN else "")
    return Finding(
        f"the file system {one.mount} {what}",
        subject=one.mount,
        seen=f"{said['seen']}; on it: {there}",
        expected=said.get("expected", ""),
        remedy=said["remedy"],
        severity=Severity.WARNING if one.spare else Severity.CRITICAL,
    )


def _read_only(backend: Backend, seen: Observation) -> Iterator[Finding]:
    """Find what the kernel no longer writes to: mostly ext4's `errors=remount-ro` (mount(8))."""
    for one in _file_systems(seen):
        if one.read_only:
            yield _about(
                one,
                "has become read-only",
                seen="`ro` in /proc/self/mountinfo, not so in /etc/fstab",
                remedy="read why (dmesg | grep -i remount), save what is on it and check the disk"
                f" (smartctl, fsck); only then: mount -o remount,rw {one.mount}",
            )


def _disk_full(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for one in _file_systems(seen):
        if one.left < SCARCE_KIB and one.left * SCARCE_SHARE < one.size and not one.read_only:
            yield _about(
                one,
                "is full",
                seen=f"{_size(one.left)} of {_size(one.size)} left for others than root",
                expected=f"{_size(SCARCE_KIB)} at least: so much PostgreSQL takes at a time",
                remedy=_make_room(one),
            )


def _make_room(one: FileSystem) -> str:
    largest = ", ".join(f"{path} {_size(size)}" for path, size in one.largest)
    return (
        (f"make room on it; the largest there: {largest}" if largest else "make room on it")
        + ". Deleted files that are still open take room, too (lsof +L1); never delete anything"
        " below pg_wal"
    )


def _inodes_full(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for one in _file_systems(seen):
        few = one.inodes_left < SCARCE_INODES and one.inodes_left * SCARCE_SHARE < one.inodes
        if few and not one.read_only:
            yield _about(
                one,
                "can hold no more files",
                seen=f"{one.inodes_left} of {one.inodes} inodes left",
                expected=f"{SCARCE_INODES} at least",
                remedy="find the folder with the many small files and empty it: "
                f"du --inodes -xd 3 {one.mount} | sort -n | tail",
            )


def _size(kib: int) -> str:
    if kib < 1024:
        return f"{max(kib, 0)} KiB"
    return f"{kib / 1024:.0f} MiB" if kib < 10 * 1024**2 else f"{kib / 1024**2:.0f} GiB"


def _clock_skew(backend: Backend, seen: Observation) -> Finding | None:
    machine = seen.machine
    if backend.token is None or not isinstance(machine, Machine) or machine.ahead is None:
        return None
    if abs(machine.ahead) <= backend.token.leeway:
        return None
    which = "ahead of" if machine.ahead > 0 else "behind"
    return Finding(
        f"the host's clock is {_duration(abs(machine.ahead))} {which} this machine's",
        seen=f"at least so much: what the look itself took is left out; leeway of the tokens:"
        f" {backend.token.leeway:g} s",
        remedy="ask both machines which one is wrong (timedatectl show -p NTPSynchronized), and set"
        " that one by NTP: timedatectl set-ntp true, or chronyc makestep; tokens made until"
        " then may be refused",
    )


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


FILE_SYSTEM_READ_ONLY = Fault(
    "machine.filesystem-read-only",
    _read_only,
    about="a file system that is written to has become read-only",
    remedy="read why, save what is on it, check the disk, then mount it again; nothing is written"
    " until then",
    check=("findmnt -o TARGET,FSTYPE,OPTIONS,FS-OPTIONS -O ro", "dmesg | grep -i remount"),
)
DISK_FULL = Fault(
    "machine.disk-full",
    _disk_full,
    about="a file system that matters is full",
    remedy="make room: what is largest there is named; nothing is written until then",
    check=("df -h DIRECTORY /var/lib/postgresql /var/log /tmp", "du -xhd 3 / | sort -h | tail"),
)
INODES_FULL = Fault(
    "machine.inodes-full",
    _inodes_full,
    about="a file system that matters can hold no more files",
    remedy="empty the folder with the many small files; nothing is written until then",
    check=("df -i DIRECTORY /var/lib/postgresql /tmp", "du --inodes -xd 3 / | sort -n | tail"),
)
CLOCK_SKEW = Fault(
    "machine.clock-skew",
    told_by(_clock_skew, TOKEN_EXPIRED),
    about="the host's clock is further off than tokens may be",
    remedy="find out which of the two clocks is wrong, and set that one by NTP",
    check=("date -u; timedatectl", "curl -sI https://deb.debian.org | grep -i ^date"),
)
FAULTS = (FILE_SYSTEM_READ_ONLY, DISK_FULL, INODES_FULL, CLOCK_SKEW)


@operation()
def sound(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Say what of the host itself is broken: no machine mends that.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
