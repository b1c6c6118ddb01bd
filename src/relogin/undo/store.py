"""The store: one folder for each run of a backend, and in it one for each value.

    /var/lib/relogin/BACKEND/undo/RUN/relogin     the version of this form
    …/RUN/undoes                                  only of a run that undid another one: which
    …/RUN/000/kind what path …                    a value, and where it is (relogin.undo.kinds)
    …/RUN/000/before after                        what it was, and what the run left: fingerprints
    …/RUN/000/former                              what brings it back

One file holds one text, whole, so that no path is too odd for it. `kind` is written last: without
it the value was not yet kept, so not yet changed. `after` is written before the change where it is
known by then, else when the change's script ends, however it does: without it the run was cut.
"""

from __future__ import annotations

import functools
import secrets
import time
from typing import TYPE_CHECKING

from relogin import shell
from relogin.undo.kinds import KINDS

if TYPE_CHECKING:
    from relogin.backend import Backend

FORM = "1"
KEPT_FOR = 30  # days
# A run's name: when it began (UTC), and what tells it from another one at that second.
_DAY, _TIME, _HEX = ("[0-9]" * 8, "[0-9]" * 6, "[0-9a-f]" * 4)
NAMED = f"{_DAY}T{_TIME}Z-{_HEX}"


@functools.cache
def run_id(purpose: str = "mend") -> str:
    """Give the name of this run: when it began (UTC), and what tells it from one at that second.

    What one process mends, and what it takes back, are two runs.
    """
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(2)}"


def folder(backend: Backend, run: str | None = None) -> str:
    """Give where a run's values are kept, below the store."""
    return f"{shell.quote(backend.name)}/undo/{run or run_id()}"


# Root's store is under /var/lib, anybody else's under the state folder of the XDG base directory
# specification, which a set XDG_STATE_HOME names for root as well.
_PLACE = """\
if [ -n "${XDG_STATE_HOME:-}" ]; then kept=$XDG_STATE_HOME/relogin
elif [ "$(id -u)" = 0 ]; then kept=/var/lib/relogin
else kept=$HOME/.local/state/relogin; fi
"""


def place(backend: Backend, part: str = "undo") -> str:
    """Give the shell lines that name the folder of a backend's runs in `$kept`."""
    return f"{_PLACE}kept=$kept/{shell.quote(backend.name)}/{part}\n"


def store(backend: Backend, run: str | None = None) -> str:
    """Give the shell functions by which a change keeps what it is about to overwrite.

    `keep FILE` keeps a file, or that there is none; `keep KIND PATH WORDS` another value
    (relogin.undo.kinds); `becomes NEW` notes which file takes the place of the one just kept, and
    `stays WORDS`, after the change, what can never be taken back. `$v` is the folder of the last
    one. `beside FILE` makes a temporary file, `$new`, and removes what a run that was killed has
    left there; it is itself removed at the end.
    """
    oldest = time.strftime("%Y%m%d", time.gmtime(time.time() - KEPT_FOR * 86400))
    names = f"run={run or run_id()}; oldest={oldest}; word=broken\n"
    return f"set -e\n{place(backend)}{names}{KINDS}{_KEEP}"


# Runs are removed where the clocks of both machines say that they are old.
_KEEP = f"""\
new=; first=; v=
trap ended EXIT
begin() {{
  [ -e "$kept/$run/relogin" ] || {{
    mkdir -p "$kept/$run"; chmod 700 "$kept/$run"; printf {FORM} >"$kept/$run/relogin"; prune
  }}
  n=0
  while v=$kept/$run/$(printf %03d "$n"); ! mkdir "$v" 2>/dev/null; do
    n=$((n + 1)); [ "$n" -lt 1000 ] || {{ echo "nothing more can be kept in $kept/$run"; exit 1; }}
  done
  first=${{first:-$n}}
}}
put() {{ printf '%s' "$2" >"$v/$1"; }}
commit() {{
  save && state >"$v/before" || {{ echo "it could not be kept, so it was not changed"; exit 1; }}
  sync "$v"/* 2>/dev/null || :
  put kind "$kind"
}}
keep() {{
  mask=$(umask); umask 077
  kind=file; path=$1; [ $# = 1 ] || {{ kind=$1; path=$2; }}
  begin; put path "$path"; put what "${{3:-$path}}"; commit
  umask "$mask"
}}
becomes() ( umask 077; state_of "$1" >"$v/after" )
stays() {{ mask=$(umask); umask 077; begin; put what "$1"; put kind stays; umask "$mask"; }}
ended() {{
  [ -z "$new" ] || rm -f "$new"
  [ -z "$first" ] || {{ umask 077; left >/dev/null 2>&1 || :; }}
}}
left() {{
  for v in "$kept/$run"/[0-9][0-9][0-9]; do
    [ "${{v##*/}}" -ge "$first" ] && [ -e "$v/kind" ] && [ ! -e "$v/after" ] || continue
    at "$v"; [ "$kind" = stays ] || {{ settle && state >"$v/now" && mv "$v/now" "$v/after"; }}
  done
}}
prune() {{
  for past in "$kept"/{NAMED}; do
    id=${{past##*/}}
    if [ "${{id%%T*}}" -lt "$oldest" ] && [ ! -L "$past" ] &&
      [ "$(cat "$past/relogin" 2>/dev/null)" = {FORM} ] &&
      [ -n "$(find "$past" -prune -mtime +{KEPT_FOR})" ]; then rm -rf "$past"; fi
  done
}}
"""


def stays(backend: Backend, change: str, words: str) -> str:
    """Give the script of a change that notes, once it is made, what can never be taken back."""
    return f"set -e\n{change}\n{store(backend)}stays {shell.quote(words)}\n"


def copies(backend: Backend, path: str) -> str:
    """Give the shell function `copies`: a file's kept copies, the newest first, one path a line."""
    return f"""\
copies() {{
  {place(backend)}real=$(readlink -f {shell.quote(path)})
  for v in "$kept"/{NAMED}/[0-9][0-9][0-9]; do printf '%s\\n' "$v"; done | sort -r |
    while IFS= read -r v; do
      [ "$(cat "$v/kind" "$v/path" 2>/dev/null)" != "file$real" ] || [ ! -f "$v/former" ] ||
        printf '%s\\n' "$v/former"
    done
}}
"""
