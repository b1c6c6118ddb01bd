"""Files of a container, as the host can read them: in any state of it, with no tool in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts.compose_script import filters

if TYPE_CHECKING:
    from relogin.parts.runtime import Compose

NO_CONTAINER = 6
# `docker cp` reads what runs and what does not, volumes and bind mounts included; `docker exec`
# needs a container that stays up, and a shell in it. While one is just being started or stopped,
# its files are nowhere for a moment.
_SCRIPT = """\
id=$(docker ps -aq {filters} | sed -n 1p)
[ -n "$id" ] || return {none}
copied=$(mktemp -d) || return 7
copy() {{ within 10 docker cp -L "$id:$1" "$copied$1" >/dev/null 2>&1; }}
fetch() {{ mkdir -p "$copied${{1%/*}}" && {{ copy "$1" || {{ sleep 0.5; copy "$1"; }}; }}; }}
from_copies() {{
{body}
}}
from_copies; rc=$?
rm -rf "$copied"
return "$rc\""""


def with_copies(part: Compose, body: str) -> str:
    """Give the lines of a part of the look that reads files of the service's container.

    In `body`, `fetch PATH` copies one below the folder `$copied`, which is removed at the end.
    Status 6 (NO_CONTAINER): there is none.
    """
    return _SCRIPT.format(
        filters=shell.words(filters(part, part.service)), none=NO_CONTAINER, body=body
    )
