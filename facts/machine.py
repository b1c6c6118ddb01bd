"""The host itself: its clock, who we are on it, and the file systems that matter."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import shell
from relogin.facts import alone
from relogin.finding import Unreadable
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.backend import Backend
    from relogin.remote import Answer

# PostgreSQL makes each WAL segment whole, of 16 MiB (its docs, 30.5), and panics where it cannot. A
# small file system may well have less than that left and be far from full.
SCARCE_KIB, SCARCE_INODES, SCARCE_SHARE = 16 * 1024, 100, 20
# What is on them can be done without for a while; without the others nothing starts.
SPARE = ("/tmp", "/var/log")  # noqa: S108 # a place to look at
_STORE = "/var/lib"  # here what is overwritten is kept, and mostly PostgreSQL's data, too
# A cluster's data may be elsewhere (Debian keeps its configuration apart), and links lead on. df
# answers in the order in which it is asked, so awk knows which line is of which place.
_SCRIPT = """\
date +%s.%N; printf '%s\\n' "$me" "$uid"; uname -srm
set -- {places}
for data in $(sed -n "s/^[ ]*data_directory *= *'\\([^' ]*\\)'.*/\\1/p" \
  /etc/postgresql/*/*/postgresql.conf 2>/dev/null) \
  /var/lib/pgsql/data /var/lib/pgsql/*/data /var/lib/postgres*/data; do
  set -- "$@" "$data" "$data/pg_wal" "$data"/pg_tblspc/*
done
n=$#; while [ "$n" -gt 0 ]; do
  place=$1; shift; n=$((n - 1)); [ ! -e "$place" ] || set -- "$@" "$place"
done
fstab=; [ ! -r /etc/fstab ] || fstab=/etc/fstab
{{ printf '%s\\n' "$@"; df -Pk "$@"; df -Pi "$@"; }} 2>/dev/null | awk '
  FILENAME == "/etc/fstab" {{ if ($1 !~ /^#/ && "," $4 "," ~ /,ro,/) meant[$2]; next }}
  FILENAME == "/proc/self/mountinfo" {{ type[$5] = $(NF - 2); ro[$5] = $NF ~ /^ro(,|$)/; next }}
  /^Filesystem/ {{ part++; n = 0; next }}
  !part {{ place[++asked] = $0; next }}
  {{ for (i = NF; i > 4 && $i !~ /^[0-9]+%$/;) i--; at = $(i + 1)
    for (j = i + 2; j <= NF; j++) at = at " " $j; n++ }}
  part == 1 {{ said = n }}
  i < 5 {{ next }}
  part == 1 {{ size[at] = $(i - 3); left[at] = $(i - 1); on[at] = on[at] "\t" place[n] }}
  part == 2 {{ most[at] = $(i - 3); free[at] = $(i - 1) }}
  END {{
    if (said != asked) exit
    for (at in on) {{
      full = left[at] < {kib} && left[at] * {share} < size[at] ||
        free[at] < {inodes} && free[at] * {share} < most[at]
      as = ro[at] && !(at in meant) && type[at] !~ /^(squashfs|erofs|iso9660|cramfs)$/ ? "ro" : "rw"
      print full ? "#full" : "#fs", at "\t" size[at] "\t" left[at] "\t" most[at] + 0 "\t" \
        free[at] + 0 "\t" as on[at]
    }}
  }}' - $fstab /proc/self/mountinfo | while IFS= read -r line; do
  printf '%s\\n' "$line"
  case $line in '#full '*)
    full=${{line#* }}; within 5 du -xakd 4 "${{full%%	*}}" 2>/dev/null | sort -rn | head -n 12 ;;
  esac
done"""


@dataclass(frozen=True)
class FileSystem:
    """A mounted file system with the places that matter on it; `size` and `left` are in KiB.

    `left` is what others than root may still use. `inodes` is 0 where their number has no limit.
    `read_only` is true of one that was not meant to be: no archive, not `ro` in fstab(5), and not
    by one of its mounts alone. `largest` are its largest files and folders in KiB, the largest
    first, only asked for where little is left.
    """

    mount: str
    places: tuple[str, ...]
    size: int
    left: int
    inodes: int = 0
    inodes_left: int = 0
    read_only: bool = False
    largest: tuple[tuple[str, int], ...] = ()

    @property
    def spare(self) -> bool:
        """True where nothing lies on it without which the backend cannot start."""
        return all(place in SPARE for place in self.places)


@dataclass(frozen=True)
class Machine:
    """`now` is the host's clock in epoch seconds; `user` and `uid` are who our scripts run as.

    `ahead` is by how many seconds its clock is ahead of ours, at least (negative: behind; 0: no
    difference can be told; None: not compared).
    """

    now: float
    user: str
    uid: int
    system: str
    file_systems: tuple[FileSystem, ...] | Unreadable = ()
    ahead: float | None = None

    @property
    def root(self) -> bool:
        return self.uid == 0

    @property
    def without_root(self) -> str:
        """Say who we were there, and how root may be had."""
        return (
            f"we were {self.user} there, without root: log in as root, let {self.user} use sudo,"
            " or, where sudo asks, give its password (sudo_password in the host's data, or"
            " --use-sudo-password)"
        )

    def to_json(self) -> dict[str, Any]:
        seen = self.file_systems
        systems = seen.to_json() if isinstance(seen, Unreadable) else [asdict(one) for one in seen]
        return {**vars(self), "file_systems": systems}


def places(backend: Backend) -> tuple[str, ...]:
    """Give the folders of a backend that have to have room."""
    folders = [file.path.rpartition("/")[0] or "/" for file in backend.env_files]
    venv = [backend.venv.path] if backend.venv else []
    return tuple(dict.fromkeys([backend.directory, *folders, *venv]))


def script(of_backend: Sequence[str] = ()) -> str:
    """Give the part of the look that says who and when, and how much room there is."""
    return _SCRIPT.format(
        places=shell.words([*of_backend, _STORE, *SPARE]),
        kib=SCARCE_KIB,
        inodes=SCARCE_INODES,
        share=SCARCE_SHARE,
    )


def parse(answer: Answer, between: tuple[float, float] | None = None) -> Machine | Unreadable:
    """Take the part's answer apart; it came between two moments of our own clock."""
    try:
        now, user, uid, system, *rest = answer.lines
        clock = float(now.replace(".%N", "").rstrip("N"))
        ahead = None if between is None else _ahead(clock, *between)
        return Machine(clock, user, int(uid), system, _file_systems(rest), ahead)
    except ValueError:
        return Unreadable("the host did not say who we are and what time it is")


def _ahead(now: float, asked: float, answered: float) -> float:
    """Give what remains when the look began as late, or as early, as it may have."""
    return now - answered if now > answered else min(now - asked, 0.0)


def _file_systems(lines: list[str]) -> tuple[FileSystem, ...] | Unreadable:
    found = []
    for number, line in enumerate(lines):
        if line.startswith(("#fs ", "#full ")):
            mount, size, left, inodes, free, how, *where = line.partition(" ")[2].split("\t")
            room = (int(size), int(left), int(inodes), int(free))
            largest = _largest(mount, lines[number + 1 :])
            found.append(FileSystem(mount, tuple(where), *room, how == "ro", largest))
    return tuple(found) or Unreadable("df did not say how much room there is")


def _largest(mount: str, lines: list[str]) -> tuple[tuple[str, int], ...]:
    """Read what `du` wrote up to the next file system, the largest first."""
    own = itertools.takewhile(lambda line: not line.startswith("#"), lines)
    pairs = (line.partition("\t") for line in own)
    sizes = [(path, int(size)) for size, _, path in pairs if path != mount]
    return tuple(_innermost(sizes))[:5]


def _innermost(pairs: list[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Leave out a folder whose listed content makes up nine tenths of it."""
    for path, size in pairs:
        inner = [held for name, held in pairs if name.rpartition("/")[0] == path]
        if sum(inner) * 10 < size * 9:
            yield path, size


class Host(FactBase[Any]):
    """Give the host's clock, the user that scripts run as, and how much room its disks have."""

    def command(self) -> StringCommand:
        return alone.command({"machine": script()})

    def process(self, output: Iterable[str]) -> Machine | Unreadable:
        return alone.parsed(output, "machine", parse)
