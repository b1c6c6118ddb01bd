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


# Root's store is under /var/lib, anybody else's under the state folder of the XDG base directory
# specification, which a set XDG_STATE_HOME names for root as well.
_STORE = """\
if [ -n "${XDG_STATE_HOME:-}" ]; then undo=$XDG_STATE_HOME/relogin
elif [ "$(id -u)" = 0 ]; then undo=/var/lib/relogin
else undo=$HOME/.local/state/relogin; fi
"""


def store(backend: Backend) -> str:
    """Give the shell lines that make a folder for one change of this run, and name it in `$undo`.

    `keep FILE` keeps a file there, and notes in `paths` where it belongs.
    """
    return f"""\
set -e
{_STORE}undo=$undo/{folder(backend)}
mkdir -p "$undo"; chmod 700 "$undo"
n=0; until mkdir "$undo/$n" 2>/dev/null; do n=$((n + 1)); [ $n -lt 1000 ] || exit 1; done
undo=$undo/$n
keep() {{ cp -pP "$1" "$undo/"; printf '%s\\n' "$1" >>"$undo/paths"; }}
"""


def copies(backend: Backend, path: str) -> str:
    """Give the shell function `copies`: a file's kept copies, the newest first, one path a line."""
    return f"""\
copies() {{
  {_STORE}real=$(readlink -f {shell.quote(path)})
  ls -1td "$undo"/{shell.quote(backend.name)}/undo/*/*/ 2>/dev/null | while IFS= read -r kept; do
    ! grep -qxF -e "$real" "${{kept}}paths" 2>/dev/null || printf '%s\\n' "$kept${{real##*/}}"
  done
}}
"""


def replaced_file(backend: Backend, seen: EnvFileState, text: str) -> str:
    """Give the script that replaces a file's text atomically and keeps the old file.

    Owner, mode and a symlink stay. It fails if somebody changed the file since the look.
    """
    like_the_old = f"""\
keep "$real"
{_NEW}
cp -p "$real" "$new"
{_OWNER_KEPT}"""
    return store(backend) + _placed(seen.real_path, _unchanged(seen), like_the_old, text)


def made_file(real_path: str, text: str, *, owner: str, mode: int) -> str:
    """Give the script that makes a file that is not there, atomically, with this owner and mode."""
    not_there = '[ ! -e "$real" ] || { echo "$real is there by now; run again"; exit 9; }'
    as_declared = f"""\
{_NEW}
chown {shell.quote(owner + ":")} "$new" || {{ echo "$real was not written"; exit 9; }}
chmod {mode:04o} "$new\""""
    return "set -e\n" + _placed(real_path, not_there, as_declared, text)


def _placed(real_path: str, check: str, made: str, text: str) -> str:
    return f"""\
real={shell.quote(real_path)}
{check}
{made}
{shell.fed(text, 'cat >"$new"')}
sync "$new" 2>/dev/null || sync
mv -f "$new" "$real"
"""


_NEW = 'new=$(mktemp "$real.XXXXXX"); trap \'rm -f "$new"\' EXIT'


def given_to(backend: Backend, seen: EnvFileState, owner: str) -> str:
    """Give the script that gives a file to another owner, and notes whose it was.

    Its group follows only where the group has no rights: nobody else may come to read it.
    """
    real = shell.quote(seen.real_path)
    note = f"chown {seen.meta.uid}:{seen.meta.gid} {real}\n"
    to = owner if seen.meta.mode & 0o070 else f"{owner}:"
    return f"""\
{store(backend)}{shell.fed(note, 'cat >"$undo/owners.sh"')}
chown {shell.quote(to)} {real}
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
