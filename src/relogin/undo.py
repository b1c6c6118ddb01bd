"""Keep what is overwritten: root-only on the host, one folder for each run."""

from __future__ import annotations

import functools
import re
import secrets
import time
from hashlib import sha256
from typing import TYPE_CHECKING

from relogin import shell, sql

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.env_file import EnvFileState


@functools.cache
def run_id() -> str:
    """Give the name of this run: when it began (UTC), and what tells it from one at that second."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(2)}"


def folder(backend: Backend) -> str:
    """Give where this run's values are kept, below the store."""
    return f"{shell.quote(backend.name)}/undo/{run_id()}"


def store(backend: Backend) -> str:
    """Give the shell lines that make a folder for one change of this run, and name it in `$undo`.

    Root's is under /var/lib/relogin, anybody else's under the state folder of the XDG base
    directory specification, which a set XDG_STATE_HOME names for root as well.
    """
    return f"""\
set -e
if [ -n "${{XDG_STATE_HOME:-}}" ]; then undo=$XDG_STATE_HOME/relogin
elif [ "$(id -u)" = 0 ]; then undo=/var/lib/relogin
else undo=$HOME/.local/state/relogin; fi
undo=$undo/{folder(backend)}
mkdir -p "$undo"; chmod 700 "$undo"
n=0; until mkdir "$undo/$n" 2>/dev/null; do n=$((n + 1)); [ $n -lt 1000 ] || exit 1; done
undo=$undo/$n
"""


def replaced_file(backend: Backend, seen: EnvFileState, text: str) -> str:
    """Give the script that replaces a file's text atomically and keeps the old file.

    Owner, mode and a symlink stay. It fails if somebody changed the file since the look.
    """
    return f"""\
{store(backend)}real={shell.quote(seen.real_path)}
{_unchanged(seen)}
cp -p "$real" "$undo/${{real##*/}}"
new=$(mktemp "$real.XXXXXX"); trap 'rm -f "$new"' EXIT
cp -p "$real" "$new"
{_OWNER_KEPT}
{shell.fed(text, 'cat >"$new"')}
sync "$new" 2>/dev/null || sync
mv -f "$new" "$real"
"""


def narrowed(backend: Backend, seen: EnvFileState) -> str:
    """Give the script that takes the rights of others from a file, and notes what they were."""
    mode, real = seen.meta.mode, shell.quote(seen.real_path)
    note = f"chmod {mode:04o} {real}\n"
    return f"""\
{store(backend)}{shell.fed(note, 'cat >"$undo/modes.sh"')}
chmod o= {real}
"""


# cp -p does not fail where it cannot keep the owner (POSIX, cp, -p).
_OWNER_KEPT = """\
[ "$(stat -c %u:%g "$new")" = "$(stat -c %u:%g "$real")" ] ||
  { echo "$real was not written: its owner cannot be kept by $(id -un)"; exit 9; }"""


def _unchanged(seen: EnvFileState) -> str:
    was = sha256(seen.raw).hexdigest()
    return (
        f'[ "$(sha256sum <"$real" | cut -c1-64)" = {was} ] || '
        '{ echo "$real was changed by somebody else in this moment; run again"; exit 9; }'
    )


def kept_sql(psql: str, name: str, select: str) -> str:
    """Give the shell line that keeps the SQL which would undo a change, as `select` writes it."""
    kept = f'"$undo"/{re.sub("[^A-Za-z0-9_.@-]", "_", name)[:100]}.sql'
    return f"{sql.psql(sql.READ + select, command=psql)} >{kept}\n[ -s {kept} ]\n"
