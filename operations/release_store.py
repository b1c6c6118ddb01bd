"""The state of a release on its host, and its log: for root only, whole after any interruption.

Each step notes that it began and marks that it is done, in the script that does it. So a run that
was killed, or a host that lost its power, is gone on with from where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from relogin import shell
from relogin.redaction import redact_foreign
from relogin.undo import place

if TYPE_CHECKING:
    from relogin.backend import Backend

_STORE = """\
set -e
{place}under=$kept/under-way
mkdir -p "$kept/backups"; chmod 700 "$kept" "$kept/backups"
note() {{ printf '%s %s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >>"$kept/deploy.log" || :; }}
told() {{ cat "$under/$1" 2>/dev/null || :; }}
put() {{ printf '%s' "$2" >"$under/$1.new" && mv "$under/$1.new" "$under/$1"; }}
marked() {{ grep -qxF -e "$1" "$under/steps" 2>/dev/null; }}
mark() {{
  marked "$1" || printf '%s\\n' "$1" >>"$under/steps"
  sync "$under/steps" 2>/dev/null || sync
}}
"""
_STEP = """\
ended() {{ rc=$?; [ "$rc" = 0 ] || note {name} "failed ($rc)"; }}
trap ended EXIT
[ -d "$under" ] || {{ echo 'no release is under way any more: run again'; exit 9; }}
note {name}
{body}
note {name} done
"""
_BEGIN = """\
[ ! -d "$under" ] || { echo 'another release began meanwhile: run again'; exit 9; }
rm -rf "$under.new"; mkdir "$under.new"
keep() { printf '%s' "$2" >"$under.new/$1"; }
head -c 1048576 /dev/zero >"$kept/reserve"
"""
# On a disk that was filled meanwhile there is room for what goes back, and for what is noted of it.
ROOM = 'rm -f "$kept/reserve"\n'

_END = """\
sync; rm -rf "$kept/last" "$kept/reserve"
[ ! -d "$under" ] || { rm -f "$under/token"; mv "$under" "$kept/last"; }
"""


# Only what has the name and the sum that a release gave it is one of its own, and counts.
_PRUNED = """\
newer=0
for each in $(ls "$kept/backups" | grep -xE '[0-9]{{8}}T[0-9]{{6}}Z[.]dump' | sort -r); do
  each=$kept/backups/$each
  [ -s "$each" ] && [ -s "$each.sum" ] || continue
  newer=$((newer + 1))
  [ "$newer" -gt {keep} ] && [ "$each" != "$(told backup)" ] || continue
  rm -f "$each" "$each.sum"; note "removed $each: {keep} are kept"
done
"""


def store(backend: Backend) -> str:
    """Give the shell functions `note`, `told`, `put`, `marked` and `mark` of a release."""
    return _STORE.format(place=place(backend, "release"))


def step(backend: Backend, name: str, body: str) -> str:
    """Give the script of a step of a release that has begun; what it does is logged."""
    return store(backend) + _STEP.format(name=shell.quote(name), body=body)


def begun(backend: Backend, values: Mapping[str, str], lines: list[str]) -> str:
    """Give the script that begins a release: what was, what is meant, and the checks' lines."""
    kept = "".join(f"keep {name} {shell.quote(value)}\n" for name, value in values.items())
    return (
        f"{store(backend)}{_BEGIN}{kept}sync\n{_noted(lines)}"
        'mv "$under.new" "$under"; sync "$kept" 2>/dev/null || sync\n'
    )


def ended(backend: Backend, lines: list[str], *, running: str = "", keep: int | None = None) -> str:
    """Give the script that ends a release; `running` is the commit that was proven by it.

    Of the backups that releases made the newest `keep` stay, or all; this release's own one does.
    """
    proven = ""
    if running:
        proven = (
            f'printf \'%s %s\\n\' {running} "$(date +%s)" >"$kept/running.new"\n'
            'mv "$kept/running.new" "$kept/running"\n'
        )
    pruned = "" if keep is None else _PRUNED.format(keep=keep)
    return f"{store(backend)}{ROOM}{_noted(lines)}{proven}{pruned}{_END}"


def _noted(lines: list[str]) -> str:
    return "".join(f"note {shell.quote(redact_foreign(line))}\n" for line in lines)
