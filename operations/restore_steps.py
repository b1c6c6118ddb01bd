"""The steps of a restore, each one remote command that can be repeated after a killed run."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from relogin import shell, sql
from relogin.database_url import build
from relogin.facts.postgres import url_in_force
from relogin.fault import Change
from relogin.finding import Unreadable
from relogin.operations import backup_sql, backup_store, database_client, side_sql, side_switch
from relogin.operations.own_command import as_owner
from relogin.operations.release_database import DEADLINE
from relogin.operations.restore_look import COMPARED
from relogin.parts.configuration import FromEnv, FromParts
from relogin.parts.runtime import Compose
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Target
    from relogin.facts.side_database import Kept

# One transaction: it is there whole or not at all (pg_restore(1), -1).
_WHOLE = ("--exit-on-error", "--single-transaction")
_BESIDE = """\
set -e
at={at}; side={side}
fed() {{ printf '%s' "$1" | $2; }}
server() {{ {server}; }}
beside() {{ {beside} "$@"; }}
fill() {{
{fill}
}}
migrate() {{
{migrate}
}}
relations() {{ printf '%s' {empty} | beside; }}
printf '%s' {made} | server
ours=$(printf '%s' {comment} | server)
[ -n "$ours" ] || {{ echo "database $side is there, and is none of a restore of ours"; exit 1; }}
{filled}printf '%s' {forward} | beside >/dev/null
printf 'set client_min_messages = error; analyze;' | beside
accounts() {{ printf '%s' {accounts} | beside -v salt={salt}; }}
manifest() {{ printf '%s' {manifest} | beside -v salt={salt} -v made=- -v commit=-; }}
there() {{ unseal <"$at/accounts$sealed"; }}
live_recorded() {{ printf '%s' {recorded} | {live}; }}
side_recorded() {{ printf '%s' {recorded} | beside; }}
same() {{
  other=$(grep -v '^same ' || :)
  [ -z "$other" ] || {{
    printf '%s\\n' "$other" | head -n 4
    echo "database $side is not what the backup says that it is, or lacks a rule of the live one"
    exit 1
  }}
}}
listed() {{ grep -hE '^[{{]"(rows|migration)": ' "$at/manifest"; }}
counted() {{ manifest | grep -E '^[{{]"(rows|migration)": '; }}
of_live() {{ printf '%s' {rules} | {live}; }}
of_side() {{ printf '%s' {rules} | beside; }}
of() {{ "$1" | grep '^[{{]"migration": ' || :; }}
{agreed}{{
  compared there accounts; compared live_recorded side_recorded
  compared of_live of_side | grep -v '^now '
}} | same
printf '%s' {carried} | server
"""
_FILLED = """\
if [ "$(relations)" = 0 ]; then
  said=$({ unseal <"$at/database.dump$sealed" || echo; } | { fill 2>&1 || echo '#failed'; })
  case $said in *'#failed'*)
    printf 'pg_restore: %s\\n' "$said" | grep -v '^pg_restore: #failed' | tail -n 4; exit 1 ;;
  esac
fi
"""
_AGREED = """\
if [ "$(of listed)" = "$(of counted)" ]; then
  [ "$ours" = tried ] || compared listed counted | same  # a login makes rows
  if [ "$(live_recorded)" != "$(side_recorded)" ]; then
    compared there accounts | same
    said=$(migrate 2>&1) || {
      printf '%s\\n' "$said" | tail -n 4; echo "the migrations failed in $side"; exit 1
    }
  fi
fi
"""
_SWITCH = """\
switch() {{
{switch}
}}
before() {{ {before}; }}
after() {{ {after}; }}
n=0
before >/dev/null 2>&1 || {{
  after >/dev/null 2>&1; echo 'the command before the switch failed: nothing was switched'; exit 1
}}
until said=$(switch 2>&1); do
  n=$((n + 1))
  case $said in *40P01* | *55P03* | *55006* | *57014*) ;; *) break ;; esac
  [ "$n" -lt {tries} ] || break
  sleep 1
done
after >/dev/null 2>&1 || echo 'the command behind the switch failed'
printf '%s\\n' "$said" | tail -n 3
case $said in *'switched in '*) ;; *) exit 1 ;; esac
"""


def beside(
    backend: Backend,
    of: Target,
    kept: Kept,
    side: str,
    seen: Observation,
    own: tuple[str, str] | None = None,
) -> Change:
    """Restore the backup into a database beside the live one, compare it, bring it forward.

    `own` fills it by the backend's own commands, and compares what these have made.
    """
    filled, agreed = own or (_FILLED, _AGREED)

    live = of.database
    comment = side_sql.note("", state="side", backup=_name(kept), of=live)
    state = "tried" if backend.backup is not None and backend.backup.copy is not None else "whole"
    whole = side_sql.note("", state=state, backup=_name(kept), of=live)
    script = _BESIDE.format(
        filled=filled,
        agreed=agreed,
        at=shell.quote(kept.name),
        side=shell.quote(side),
        server=_psql(backend, of, "postgres"),
        beside=_psql(backend, of, side),
        live=_psql(backend, of, live),
        fill=database_client.client(backend, of, "pg_restore", side, *_WHOLE),
        made=shell.quote(side_sql.made(side, live, comment)),
        comment=_asked(_ours(side)),
        empty=_asked(side_sql.EMPTY),
        forward=shell.quote(sql.WRITE + side_sql.FORWARD),
        accounts=shell.quote(backup_sql.accounts(backend)),
        manifest=shell.quote(backup_sql.manifest(backend, of.role)),
        salt=shell.quote(str(kept.head["salt"])),
        rules=_asked(side_sql.RULES),
        recorded=_asked(backup_sql.recorded(backend)),
        migrate=_migrated(backend, side, seen),
        carried=shell.quote(side_sql.carried(side, live, whole)),
    )
    start = database_client.functions(backend, of) + backup_store.store(backend) + COMPARED
    why = f"restore {_name(kept)} into database {side}, beside {live}, and compare it"
    return Change(start + script, why, DEADLINE)


def _asked(statements: str) -> str:
    return shell.quote(sql.READ + statements)


def _migrated(backend: Backend, side: str, seen: Observation) -> str:
    """Give the backend's own command for its migrations, with the URL of the database beside."""
    if backend.migrations is None or isinstance(backend.service, Compose):
        return ":"  # an older schema was refused then
    secrets = beside_url(backend, side, seen)
    if isinstance(secrets, Unreadable):
        return f"printf '%s\\n' {shell.quote(secrets.reason)}; return 1"
    words = shlex.split(backend.migrations.command)
    folder = backend.migrations.directory
    return as_owner(backend, seen, folder, words, secrets=secrets, PGOPTIONS="-c lock_timeout=5s")


def beside_url(backend: Backend, side: str, seen: Observation) -> dict[str, str] | Unreadable:
    """Give the environment in which the backend has the database beside: over its env file's."""
    declared = backend.database.url if backend.database else None
    if isinstance(declared, FromParts):
        return {declared.database: side}
    url = url_in_force(backend, seen.env)
    if isinstance(url, Unreadable):
        return url
    if not isinstance(declared, FromEnv):
        return Unreadable("the database's URL is in no key of an env file: it could not be another")
    return {declared.key: Secret.seen(build(replace(url, database=side))).reveal()}


def switch(
    backend: Backend,
    of: Target,
    following: str,
    former: str,
    *,
    notes: tuple[str, str],
    why: str,
    superuser: bool,
) -> Change:
    """Put a database in the place of the live one, between the declared commands.

    `notes` become the comments of the former and of the new one.
    """
    (was, now), psql = notes, _psql(backend, of, "postgres")
    live = of.database
    text = side_switch.switched(live, following, former, was=was, now=now, superuser=superuser)
    switched = f"printf '%s' {shell.quote(text)} | {psql}"
    if not superuser:
        ended = shell.quote(side_switch.ended(live, following))
        beside = f"printf '%s' {ended} | {psql} >/dev/null 2>&1 & ender=$!\n"
        switched = f'{beside}{switched}; rc=$?; wait "$ender"; return "$rc"'
    script = _SWITCH.format(
        switch=switched,
        tries=4 if superuser else 2,  # a rename in vain keeps people waiting for 5 seconds
        before=_command(backend.backup.before if backend.backup else None),
        after=_command(backend.backup.after if backend.backup else None),
    )
    return Change(database_client.functions(backend, of) + script, why, deadline=300)


def administered(backend: Backend, of: Target, statements: str, why: str) -> Change:
    """Have the administrator carry out statements on the server."""
    psql = _psql(backend, of, "postgres")
    return Change(database_client.functions(backend, of) + shell.fed(statements, psql), why)


def ended(former: str, of: Target, own: str) -> str:
    """Give the statements that end a restore: nobody gets into the former database any more."""
    close = f"{sql.WRITE}alter database {sql.name(former)} allow_connections false;\n"
    return close + side_sql.commented(of.database, own)


def opened(former: str) -> str:
    """Give the statements that let people into a database again, before it is switched to."""
    return f"{sql.WRITE}alter database {sql.name(former)} allow_connections true;\n"


def _ours(side: str) -> str:
    """Give the query that answers only where the database is ours: with the state that it is in."""
    state = sql.literal('"state": "([a-z]+)"')
    return (
        f"select coalesce(substring(shobj_description(oid, 'pg_database') from {state}), 'side')"
        " from pg_database where"
        f" datname = {sql.literal(side)} and (shobj_description(oid, 'pg_database')"
        f" like {sql.literal(f'{side_sql.MARK}%')});\n"
    )


def _psql(backend: Backend, of: Target, database: str) -> str:
    return database_client.psql(backend, of, database)


def _name(kept: Kept) -> str:
    return kept.name.rpartition("/")[2]


def _command(text: str | None) -> str:
    return shell.words(shlex.split(text)) if text else ":"
