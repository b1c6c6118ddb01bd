"""The database of a release: a backup that reads back, the schema forward, the schema back."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts import postgres
from relogin.facts.compose_script import compose_function, container_of
from relogin.facts.release import pg_programs
from relogin.finding import Unreadable
from relogin.operations.own_command import as_owner
from relogin.parts.database import Peer
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Target

DEADLINE = 3600
MIGRATING = 900
# A backup counts only if it reads back whole (pg_restore(1): -f without -d writes the statements).
# A file that lacks its last bytes may do that all the same, so there is its sum as well.
_BACKUP = """\
dump() {{ {dump}; }}
sum() {{ sha256sum <"$1" | cut -c 1-64; }}
reads_back() {{ [ -s "$1" ] && {restore} <"$1"; }}
found=
for each in $(find "$kept/backups" -name '*.dump' -mmin -1440 | sort -r); do
  if [ "$(cat "$each.sum" 2>/dev/null)" = "$(sum "$each")" ] && reads_back "$each" 2>/dev/null
  then found=$each; break; fi
done
if [ -z "$found" ]; then
  new=$kept/backups/$(date -u +%Y%m%dT%H%M%SZ).dump
  said=$({{ dump >"$new.part"; }} 2>&1) || {{
    rm -f "$new.part"; printf 'pg_dump: %s\\n' "$said" | tail -n 4; exit 1
  }}
  said=$(reads_back "$new.part" 2>&1) || {{
    rm -f "$new.part"; printf 'pg_restore: %s\\n' "$said" | tail -n 4; exit 1
  }}
  sum "$new.part" >"$new.sum"; mv "$new.part" "$new"; sync "$new" 2>/dev/null || sync
  found=$new
fi
put backup "$found"; note "backup $found reads back"
"""
_IN_CONTAINER = """\
export PGPASSWORD="${POSTGRES_PASSWORD-}"
exec pg_dump -U "${ROLE:-${POSTGRES_USER:-postgres}}" -Fc "$@\""""


def target(backend: Backend, seen: Observation) -> Target | Unreadable:
    """Give which database it is, and on which server."""
    if backend.database is None:
        return Unreadable("no database is declared")
    return postgres.declared_target(backend) or postgres.target_in_force(backend, seen.env)


def backed_up(backend: Backend, of: Target) -> str:
    """Give the lines of a step that make sure of a backup of the last day that reads back."""
    service = backend.service
    if isinstance(service, Compose) and service.database_service:
        within = f"docker exec -i {container_of(service, service.database_service)}"
        words = shell.words(["sh", "-c", _IN_CONTAINER, "pg_dump", "-d", of.database])
        restore = f"{within} pg_restore -f /dev/null"
        return _BACKUP.format(dump=f"{within} {words}", restore=restore)
    assert backend.database is not None  # noqa: S101 # there is a target
    admin = backend.database.admin
    assert isinstance(admin, Peer)  # noqa: S101 # one of the checks
    dump, restore = pg_programs(backend)
    command = f"{_administered(admin, of, dump)} -Fc"
    return _BACKUP.format(dump=command, restore=f"{shell.quote(restore)} -f /dev/null")


def _administered(admin: Peer, of: Target, program: str) -> str:
    socket = admin.socket or (of.host if of.host.startswith("/") else "")
    where = ["-h", socket] if socket else []
    role = ["-U", admin.role] if admin.role else []
    words = [program, *where, "-p", str(admin.port or of.port), *role, "-d", of.database]
    clean = "env -u PGPASSWORD -u PGSERVICE PGCONNECT_TIMEOUT=5"
    return f"as_user {shell.quote(admin.os_user)} {clean} {shell.words(words)}"


def migrated(backend: Backend, seen: Observation) -> str:
    """Give the lines of a step that bring the schema to the new code's head."""
    return _run(backend, seen, shlex.split(_declared(backend)))


def downgraded(backend: Backend, seen: Observation, revision: str) -> str:
    """Give the lines of a step that bring the schema back to a revision, by the new code."""
    words = _before_upgrade(_declared(backend))
    assert words is not None  # noqa: S101 # else it could not be undone, which was asked before
    return _run(backend, seen, [*words, "downgrade", revision])


def can_go_back(backend: Backend) -> bool:
    """Tell whether the declared command is one of Alembic's that has a way back."""
    return backend.migrations is not None and _before_upgrade(_declared(backend)) is not None


def _declared(backend: Backend) -> str:
    return backend.migrations.command if backend.migrations else ""


def _before_upgrade(command: str) -> list[str] | None:
    words = shlex.split(command)
    return words[: words.index("upgrade")] if "upgrade" in words else None


def _run(backend: Backend, seen: Observation, words: list[str]) -> str:
    """Run it as the owner; one that waits for a lock would make every reader wait as well."""
    assert backend.migrations is not None  # noqa: S101 # else nothing is pending
    service, limit = backend.service, "-c lock_timeout=5s"
    if isinstance(service, Compose):
        once = ["run", "--rm", "--no-deps", "-T", "-e", f"PGOPTIONS={limit}", "-w"]
        rest = [backend.migrations.directory, service.service, *words]
        run = f"compose {shell.words([*once, *rest])} </dev/null"
        function = compose_function(service, limit=MIGRATING)
    else:
        run = as_owner(backend, seen, backend.migrations.directory, words, PGOPTIONS=limit)
        function = ""
    return (
        f"{function}\nsaid=$({run} 2>&1) || {{ printf '%s\\n' \"$said\" | tail -n 5; exit 1; }}\n"
    )
