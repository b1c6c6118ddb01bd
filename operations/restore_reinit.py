"""The other way to fill the database beside: by the backend's own commands, never the live one.

Its migrations make the tables there, which shows that its commands take the URL that they are
given; then `Backup(reinit=…)` makes a clean system of it and `Backup(restore=…)` reads what
`Backup(create=…)` wrote.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from relogin import shell
from relogin.finding import Unreadable
from relogin.operations import backup_sql
from relogin.operations.own_command import as_owner
from relogin.operations.restore_steps import beside_url

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.backup import Backup
    from relogin.parts.database import Alembic, Django

_SAID = """\
told() {{
  said=$("$1" 2>&1) || {{
    printf '%s\\n' "$said" | tail -n 4; echo "the command $2 failed in $side"; exit 1
  }}
}}
migrated() {{
{migrate}
}}
reinitialised() {{
{reinit}
}}
read_back() {{
{restore}
}}
"""
# One that was cut is begun again: the reinit leaves nothing of it.
_FILLED = """\
[ -f "$at/own$sealed" ] || {
  echo "$at has nothing that the backend's own command wrote: see Backup(create=…)"; exit 1
}
if [ "$ours" = side ]; then
  told migrated 'of the migrations'
  [ "$(relations)" != 0 ] || {
    echo "nothing was reinitialised: the backend's commands do not take their database's URL from"
    echo "the environment, so that they would meet the live database"; exit 1
  }
  told reinitialised reinit
  told read_back restore
fi
"""
_AGREED = """\
compared there accounts | same
of_tables() { "$1" | grep -F {tables} || :; }
[ "$(of listed)" = "$(of counted)" ] || {
  echo "database $side has other migrations than the backup"; exit 1
}
[ "$ours" = tried ] || {
  listed_of() { of_tables listed; }; counted_of() { of_tables counted; }
  compared listed_of counted_of | same
}
"""
# What a pipe of root's shell is, another user cannot open by its name: so it has one of its own.
_PIPED = 'cat | "$@"'


def impossible(backend: Backend) -> str:
    """Say what keeps a backend's own commands from being run beside; '' where nothing does."""
    declared, migrations = backend.backup, backend.migrations
    if declared is None or not (declared.create and declared.reinit and declared.restore):
        return f"method=reinit needs Backup(create=…, reinit=…, restore=…), and {backend!r} has not"
    if migrations is None:
        return "method=reinit needs declared migrations: they make the tables in an empty database"
    if declared.encrypt and not declared.decrypt:
        return "method=reinit needs Backup(decrypt=…): what is encrypted cannot be read back"
    known = _program(migrations.command)
    for name in ("reinit", "restore"):
        if _program(getattr(declared, name)) != known:
            return (
                f"Backup({name}=…) is run by another program than the migrations ({known}): only of"
                " that one it is seen that it does not meet the live database"
            )
    return ""


def _program(text: str) -> str:
    """Give what a command begins with: its options apart, Python and the script that it runs."""
    return " ".join(shlex.split(text)[:2])


def parts(backend: Backend, side: str, seen: Observation) -> tuple[str, str] | Unreadable:
    """Give the scripts that fill the database beside, and that compare the tables in it."""
    declared, migrations = _declared(backend)
    secrets = beside_url(backend, side, seen)
    if isinstance(secrets, Unreadable):
        return secrets

    def run(text: str, data: str = "") -> str:
        words = shlex.split(text)
        if data:
            words = ["sh", "-c", _PIPED, "sh", *(w.replace("{file}", "/dev/stdin") for w in words)]
        where = migrations.directory
        return as_owner(backend, seen, where, words, secrets=secrets, data=data)

    commands = _SAID.format(
        migrate=run(migrations.command),
        reinit=run(declared.reinit or ""),
        restore=run(declared.restore or "", 'unseal <"$at/own$sealed"'),
    )
    tables = [f'"table": "{name}"' for name in backup_sql.tables(backend)]
    wanted = shell.words(word for table in tables for word in ("-e", table))
    return commands + _FILLED, _AGREED.replace("{tables}", wanted)


def _declared(backend: Backend) -> tuple[Backup, Alembic | Django]:
    assert backend.backup is not None and backend.migrations is not None  # noqa: S101, PT018
    return backend.backup, backend.migrations
