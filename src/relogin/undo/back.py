"""How a run's values are looked at and brought back: the store's own shell functions, once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import shell
from relogin.undo.installed import PROGRAM
from relogin.undo.kinds import KINDS
from relogin.undo.store import FORM, NAMED, place, run_id, store

if TYPE_CHECKING:
    from relogin.backend import Backend

_PROGRAM = f"program={shell.quote(PROGRAM)}\n"
# The names of all runs; then which one is meant, and its values, each as a nested part. A value's
# words come last: they alone may have several lines.
_LOOK = f"""\
line() {{ printf '%s\\n' "$(cat "$1" 2>/dev/null)"; }}
told() {{
  at "$1"
  printf '%s\\n' "$kind"; cat "$v/kind" "$v/path" "$v/psql" "$v/read" 2>/dev/null | fingerprint
  line "$v/before"; line "$v/after"
  if [ "$kind" = stays ]; then echo; else state 2>/dev/null || echo unseen; fi
  line "$v/undone"; printf '%s\\n' "$(cat "$v/lost" 2>/dev/null | tr '\\n' ',')"
  cat "$v/what"
}}
names=; meant=
for each in "$kept"/{NAMED}; do
  [ "$(cat "$each/relogin" 2>/dev/null)" = {FORM} ] || continue
  name=${{each##*/}}; names="$names $name"
  [ -n "$wanted" ] || [ -e "$each/undoes" ] || meant=$name
  [ "$wanted" != "$name" ] || meant=$name
done
printf '%s\\n' "$names" "$meant"
for each in "$kept/$meant"/[0-9][0-9][0-9]; do
  [ ! -e "$each/kind" ] || part "${{each##*/}}" told "$each"
done
"""


def look(backend: Backend, run: str = "") -> str:
    """Give the script that lists the runs and the values of one: the last one that undid no other.

    It changes nothing. A state that nobody can see is `unseen`.
    """
    wanted = f"wanted={shell.quote(run)}\n"
    return f"{place(backend)}{wanted}{KINDS}{_PROGRAM}{_LOOK}"


# What is there until then is kept before, as a value of this run; so undoing can be undone.
_BACK = """\
word=undone
at "$kept/$meant/$value"; old=$v
now=$(state) || { echo "it could not be seen, so it was not changed"; exit 8; }
[ "$now" = "$(cat "$old/after")" ] || { echo "it was changed by somebody else just now"; exit 9; }
begin; w=$v; printf '%s' "$meant" >"$kept/$run/undoes"
for each in path what psql read write names; do
  [ ! -e "$old/$each" ] || cat "$old/$each" >"$w/$each"
done
save || { echo "what it is now could not be kept, so it was not changed"; exit 1; }
cat "$old/after" >"$w/before"; cat "$old/before" >"$w/after"
put kind "$kind"
v=$old; back || { echo "it could not be brought back"; exit 1; }
[ "$(state)" = "$(cat "$old/before")" ] || { echo "it is not what it was before"; exit 1; }
printf '%s' "$run" >"$old/undone"
"""


def taken_back(backend: Backend, run: str, value: str) -> str:
    """Give the script that brings one value of a run back, if it still is what the run left.

    It ends with 9 where it is something else, and with 8 where that cannot be seen.
    """
    which = f"meant={shell.quote(run)}; value={shell.quote(value)}\n"
    return f"{store(backend, run_id('undo'))}{_PROGRAM}{which}{_BACK}"
