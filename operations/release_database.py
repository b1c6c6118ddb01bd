"""The database of a release: a backup that reads back, the schema forward, the schema back."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts import postgres
from relogin.facts.compose_script import compose_function
from relogin.finding import Unreadable
from relogin.operations import database_client
from relogin.operations.own_command import as_owner
from relogin.parts.database import Django
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Target

DEADLINE = 3600
MIGRATING = 900
_BACKUP = """\
found=; rm -f "$kept"/backups/*.part
for each in $(find "$kept/backups" -name '*.dump' -mmin -1440 | sort -r); do
  if [ "$(cat "$each.sum" 2>/dev/null)" = "$(sum "$each")" ] && reads_back "$each" 2>/dev/null
  then found=$each; break; fi
  note "$each{damaged}"; printf '%s\\n' "$each{damaged}"
done
if [ -z "$found" ]; then
  new=$kept/backups/$(date -u +%Y%m%dT%H%M%SZ).dump
  said=$({ dump >"$new.part"; } 2>&1) || {
    rm -f "$new.part"; printf 'pg_dump: %s\\n' "$said" | tail -n 4; exit 1
  }
  said=$(reads_back "$new.part" 2>&1) || {
    rm -f "$new.part"; printf 'pg_restore: %s\\n' "$said" | tail -n 4; exit 1
  }
  sum "$new.part" >"$new.sum"; mv "$new.part" "$new"; sync "$new" 2>/dev/null || sync
  found=$new
fi
note "backup $found reads back"
"""
DAMAGED = " is damaged, and does not count"


def target(backend: Backend, seen: Observation) -> Target | Unreadable:
    """Give which database it is, and on which server."""
    if backend.database is None:
        return Unreadable("no database is declared")
    return postgres.declared_target(backend) or postgres.target_in_force(backend, seen.env)


def backed_up(backend: Backend, of: Target) -> str:
    """Give the lines of a step that make sure of a backup of the last day that reads back."""
    return dumped(backend, of) + 'put backup "$found"\n'


def dumped(backend: Backend, of: Target) -> str:
    """Give the lines that leave such a backup's path in `$found`, behind those of a store."""
    return database_client.functions(backend, of) + _BACKUP.replace("{damaged}", DAMAGED)


def migrated(backend: Backend, seen: Observation) -> str:
    """Give the lines of a step that bring the schema to the new code's head."""
    return _run(backend, seen, shlex.split(_declared(backend)))


def downgraded(backend: Backend, seen: Observation, revision: str) -> str:
    """Give the lines of a step that bring the schema back to a revision, by the new code.

    For Django it is one for each application, such as `orders.0002_paid shop.zero`.
    """
    words = _before(backend)
    assert words is not None  # noqa: S101 # else it could not be undone, which was asked before
    if not isinstance(backend.migrations, Django):
        return _run(backend, seen, [*words, "downgrade", revision])
    pairs = (one.partition(".") for one in revision.split())
    return "".join(
        _run(backend, seen, [*words, "migrate", "--no-input", app, name]) for app, _, name in pairs
    )


def can_go_back(backend: Backend) -> bool:
    """Tell whether the declared command is one that has a way back: Alembic's, or Django's."""
    return _before(backend) is not None


def takes_all(backend: Backend) -> bool:
    """Tell whether the declared command brings the schema to several heads at once."""
    return "heads" in shlex.split(_declared(backend))


def _declared(backend: Backend) -> str:
    return backend.migrations.command if backend.migrations else ""


def _before(backend: Backend) -> list[str] | None:
    """Give the words of the declared command before the one that says what it does."""
    words = shlex.split(_declared(backend))
    does = "migrate" if isinstance(backend.migrations, Django) else "upgrade"
    return words[: words.index(does)] if does in words else None


def _run(backend: Backend, seen: Observation, words: list[str]) -> str:
    """Run it as the owner; one that waits for a lock would make every reader wait as well."""
    assert backend.migrations is not None  # noqa: S101 # else nothing is pending
    service, limit = backend.service, "-c lock_timeout=5s"
    if isinstance(service, Compose):
        first, *others = words  # an image may have an entrypoint that starts the backend
        once = ["run", "--rm", "--no-deps", "-T", "-e", f"PGOPTIONS={limit}", "--entrypoint"]
        rest = [first, "-w", backend.migrations.directory, service.service, *others]
        run = f"compose {shell.words([*once, *rest])} </dev/null"
        function = compose_function(service, limit=MIGRATING)
    else:
        run = as_owner(backend, seen, backend.migrations.directory, words, PGOPTIONS=limit)
        function = ""
    return (
        f"{function}\nsaid=$({run} 2>&1) || {{ printf '%s\\n' \"$said\" | tail -n 5; exit 1; }}\n"
    )
