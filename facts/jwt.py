"""Where the secret that signs tokens comes from, and whether the running process has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import shell
from relogin.facts import alone
from relogin.finding import Unreadable
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.remote import Answer

# RFC 7518, 3.2: a key of the same size as the hash output or larger must be used.
LEAST = {"HS256": 32, "HS384": 48, "HS512": 64}


@dataclass(frozen=True)
class JwtConfiguration:
    """The secret's place, its length in bytes (0 where there is none) and the declared algorithm.

    `in_process` is `same`, `differs`, `not visible` (the process reads the file itself, or is
    another user's) or `not running`. The secret itself never leaves the host.
    """

    source: str
    length: int
    algorithm: str
    long_enough: bool
    in_process: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def script(unit: str, key: str) -> str:
    """Give the part of the look that asks which of a unit's processes have which secret.

    Only the numbers of processes leave the host, and those only where there is more than one value.
    """
    return _PROCESSES.format(
        unit=shell.quote(unit),
        pattern=shell.quote(f"^{key}="),
        nothing=sha256(b"").hexdigest(),
    )


_PROCESSES = """\
top=
while IFS=: read -r _ kind path; do
  case $kind in '' | name=systemd) top=${{path%/init.scope}} ;; esac
done </proc/1/cgroup
top=${{top%/}}/system.slice/{unit}/cgroup.procs
for procs in "/sys/fs/cgroup$top" "/sys/fs/cgroup/unified$top" "/sys/fs/cgroup/systemd$top"; do
  [ ! -r "$procs" ] || while read -r pid; do set -- "$@" "/proc/$pid/environ"; done <"$procs"
  [ $# = 0 ] || break
done
[ $# -gt 1 ] || return 0
held() {{ grep -hzs {pattern} "$@"; }}
[ "$(held "$@" | sort -zu | tr -dc '\\0' | wc -c)" -gt 1 ] || return 0
known=
for each; do
  hash=$(held "$each" | sha256sum); hash=${{hash%% *}}
  [ "$hash" != {nothing} ] || continue
  case $known in *"$hash "*) ;; *) known="$known$hash " ;; esac
  before=${{known%%"$hash "*}}
  pid=${{each%/environ}}
  printf '%s %s\\n' "${{pid#/proc/}}" "${{#before}}"
done"""


def parse(answer: Answer) -> tuple[tuple[int, ...], ...]:
    """Give the processes that have the secret in their environment, by its value."""
    groups: dict[str, list[int]] = {}
    for line in answer.lines:
        pid, _, kind = line.partition(" ")
        groups.setdefault(kind, []).append(int(pid))
    return tuple(map(tuple, groups.values()))


class JwtSecret(FactBase[Any]):
    """Give where a backend's JWT secret comes from, how long it is, and if its process has it.

    + path: the env file
    + key: the secret's key in it
    + unit: the systemd unit whose process is compared
    + algorithm: the declared algorithm
    """

    def command(self, path: str, key: str, unit: str, algorithm: str = "HS256") -> StringCommand:
        self.source, self.algorithm = f"{key} in {path}", algorithm
        return alone.command({"jwt": _script(path, key, unit)})

    def process(self, output: Iterable[str]) -> JwtConfiguration | Unreadable:
        return alone.parsed(output, "jwt", self._parsed)

    def _parsed(self, answer: Answer) -> JwtConfiguration | Unreadable:
        if len(answer.lines) < 2 or not answer.lines[0].isdigit():
            return Unreadable(f"{self.source.partition(' in ')[2]} cannot be read")
        length = int(answer.lines[0])
        enough = length >= LEAST.get(self.algorithm, 0)
        source = self.source if length else f"no value for {self.source}"
        return JwtConfiguration(source, length, self.algorithm, enough, answer.lines[1])


def _script(path: str, key: str, unit: str) -> str:
    """Compare on the host: values go through pipes between builtins, and only a word comes back.

    The last line of the key wins, as for every reader; quotes around the value are not part of it.
    """
    file, name = shell.quote(path), shell.quote(key)
    return f"""\
[ -r {file} ] || return 1
before='s/^[[:space:]]*\\(export[[:space:]]\\{{1,\\}}\\)\\{{0,1\\}}'
value=$(sed -n "$before"{name}'[[:space:]]*=[[:space:]]*//p' {file} | tail -n 1 |
  sed -e 's/[[:space:]]*$//' -e "s/^'\\(.*\\)'$/\\1/" -e 's/^"\\(.*\\)"$/\\1/')
printf '%s' "$value" | wc -c | tr -d ' '
pid=$(systemctl show -p MainPID --value {shell.quote(unit)} 2>/dev/null)
if [ "${{pid:-0}}" = 0 ]; then echo 'not running'; return; fi
running=$(tr '\\0' '\\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^'{name}'=//p' | head -n 1)
if [ -z "$running" ]; then echo 'not visible'
elif [ "$running" = "$value" ]; then echo same; else echo differs; fi
"""
