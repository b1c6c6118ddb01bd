"""Where backups are kept, for root only, each a folder that is there whole or not at all.

    /var/lib/relogin/BACKEND/backups/20261122T093000Z/database.dump   pg_dump's custom format
    …/accounts                  each account: id, login, flags, a fingerprint of its hash
    …/roles.sql                 the roles concerned, with their verifiers
    …/env-0 …                   the declared env files, as they were
    …/own                       what the backend's own command wrote
    …/manifest                  of what it is: lines of JSON, which hold no secret
    …/SHA256SUMS                of all of them, written last

What a command of the user's encrypts (all but the last two) has `.sealed` behind its name.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from relogin import shell
from relogin.undo import place

if TYPE_CHECKING:
    from relogin.backend import Backend

NAMED = "[0-9]{8}T[0-9]{6}Z"
SEALED = ".sealed"
# What goes wrong within a pipe is noted in a file: a shell only has the status of its last command.
_STORE = """\
{place}sealed={sealed}; keep={keep}
seal() {{ {encrypt}; }}
unseal() {{ {decrypt}; }}
named() {{ ls "$kept" 2>/dev/null | grep -xE {named}"$1" | sort -r || :; }}
told() {{
  [ -s "$new/.why" ] || echo 'it failed, and said nothing' >"$new/.why"
  printf '%s: %s\\n' "$1" "$(tail -n 3 "$new/.why" | tr '\\n' ' ')"; exit 1
}}
sealed_as() {{
  name=$1$sealed; shift; rm -f "$new/.failed"
  {{ "$@" 2>"$new/.why" || : >"$new/.failed"; }} | seal >"$new/$name" 2>"$new/.sealing" || {{
    [ ! -s "$new/.sealing" ] || cat "$new/.sealing" >"$new/.why"; told "$name"
  }}
  [ ! -e "$new/.failed" ] || told "$name"
}}
sums_hold() (
  cd "$1" && [ -s SHA256SUMS ] && sha256sum -c SHA256SUMS >/dev/null 2>&1 &&
    [ "$(ls | grep -vx SHA256SUMS | sort)" = "$(cut -c 67- SHA256SUMS | sort)" ]
)
pruned() {{
  newer=0
  [ -z "$keep" ] || for each in $(named); do
    [ -s "$kept/$each/SHA256SUMS" ] || continue
    newer=$((newer + 1))
    [ "$newer" -le "$keep" ] || {{ rm -rf "${{kept:?}}/$each"; echo "removed $kept/$each"; }}
  done
}}
"""


def store(backend: Backend) -> str:
    """Give the shell functions of the place where a backend's backups are, `$kept`.

    `sealed_as NAME WORDS` keeps what a command writes in `$new`; `told WHAT` ends with what it said
    instead. `named [ENDING]` lists the backups there, the newest first.
    """
    declared = backend.backup
    encrypt, decrypt = (declared.encrypt, declared.decrypt) if declared else (None, None)
    return _STORE.format(
        place=place(backend, "backups"),
        sealed=SEALED if encrypt else "",
        keep=declared.keep or "" if declared else "",
        encrypt=_command(encrypt),
        decrypt=_command(decrypt) if decrypt or not encrypt else "return 9",
        named=shell.quote(NAMED),
    )


def _command(text: str | None) -> str:
    return shell.words(shlex.split(text)) if text else "cat"
