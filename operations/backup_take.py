"""The script that takes a backup: one snapshot for the dump, the accounts and the counts."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from relogin import git, shell
from relogin.operations import backup_sql, backup_store, database_client
from relogin.operations.own_command import as_owner

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Target

# What a killed run left goes: it has a name that only an unfinished backup of ours has.
_BEGIN = """\
set -e
mkdir -p "$kept"; chmod 700 "$kept"
for left in $(named '[.]part'); do rm -rf "${kept:?}/$left"; done
made=$(date -u +%Y%m%dT%H%M%SZ); at=$kept/$made; new=$at.part; session=
[ ! -e "$at" ] || { echo "$at is there already: run again in a second"; exit 1; }
mkdir "$new"
ended() {
  rc=$?; exec 8>&- 2>/dev/null; [ -z "$session" ] || wait "$session" || :
  [ "$rc" = 0 ] || rm -rf "$new"
}
trap ended EXIT; trap '' PIPE
salt=$(od -An -v -N16 -tx1 /dev/urandom | tr -d ' \\n')
left=$(df -Pk "$kept" | awk 'END { print $(NF - 2) }')
size=$(printf 'select pg_database_size(current_database()) / 1024;' | inside 2>"$new/.why") ||
  told psql
[ "$left" -gt $((size + 20480)) ] || {
  echo "$((left / 1024)) MB left in $kept, $((size / 1024 + 20)) MB may be needed"; exit 1
}
mkfifo "$new/.ask"; : >"$new/.said"
inside <"$new/.ask" >"$new/.said" 2>"$new/.why" & session=$!
exec 8>"$new/.ask"
hold >&8
n=0; until grep -q . "$new/.said"; do
  n=$((n + 1)); kill -0 "$session" 2>/dev/null && [ "$n" -lt 300 ] || told psql
  sleep 0.1
done
snapshot=$(sed -n 1p "$new/.said")
asked() { inside -v snapshot="$snapshot" -v salt="$salt" -v made="$made" -v commit="$commit"; }
"""
_DUMP = """\
sealed_as database.dump dump --snapshot="$snapshot"
{ unseal <"$new/database.dump$sealed" 2>"$new/.why" || : >"$new/.failed"; } |
  reads >/dev/null 2>"$new/.read" && [ ! -e "$new/.failed" ] || {
  cat "$new/.read" >>"$new/.why"; told 'it does not read back'
}
"""
# Who cannot decrypt reads what goes into the encryption.
_DUMP_UNREAD = """\
mkfifo "$new/.copy"
copied() {
  { dump --snapshot="$snapshot" || : >"$new/.failed"; } | tee "$new/.copy"
}
reads <"$new/.copy" >/dev/null 2>"$new/.read" & reader=$!
sealed_as database.dump copied
wait "$reader" || { cat "$new/.read" >"$new/.why"; told 'it does not read back'; }
"""
_ACCOUNTS = """\
listed() { { accounts || : >"$new/.failed"; } | sort; }
sealed_as accounts listed
"""
_OWN = """\
own() {
{own}
}
sealed_as own own
[ -s "$new/own$sealed" ] || { echo 'the declared command wrote nothing'; exit 1; }
"""
_ENV = """\
if [ -f {path} ]; then sealed_as env-{number} cat {path}
else echo {path} 'is not there, and not in it'; fi
"""
# The sums come last, then the name: without it, it is none.
_END = """\
manifest >"$new/manifest" 2>"$new/.why" || told 'the manifest'
roles_made() { roles; }
sealed_as roles.sql roles_made
exec 8>&-; wait "$session" || told psql; session=
rm -rf "$new"/.[a-z]*
( cd "$new" && sha256sum -- * >.sums && mv .sums SHA256SUMS )
sums_hold "$new" || { echo 'its sums do not hold'; exit 1; }
sync; mv "$new" "$at"; sync
pruned
tables=$(grep -c '"rows"' "$at/manifest" || :)
printf '%s: %s KB, %s tables, read back %s\\n' "$at" "$(du -sk "$at" | cut -f 1)" "$tables" "$how"
! grep -q '"passwords": false' "$at/manifest" ||
  echo 'roles.sql has no passwords: they can be read by a superuser alone'
printf '#made %s\\n' "$made"
"""


def script(backend: Backend, seen: Observation, of: Target) -> str:
    """Give the script that takes a backup of the database `of` and all that belongs to it."""
    declared = backend.backup
    unread = declared is not None and declared.encrypt and not declared.decrypt
    how = "on its way into the encryption" if unread else "whole"
    return "".join(
        (
            database_client.functions(backend, of),
            backup_store.store(backend),
            f'inside() {{\n{database_client.psql(backend, of, of.database)} "$@"\n}}\n',
            f"hold() {{ printf '%s' {shell.quote(backup_sql.HOLD)}; }}\nhow='{how}'\n",
            _commit(backend),
            _BEGIN,
            *_questions(backend, of),
            _DUMP_UNREAD if unread else _DUMP,
            _ACCOUNTS if backend.accounts else "",
            *_env_files(backend),
            _own(backend, seen),
            _END,
        )
    )


def _questions(backend: Backend, of: Target) -> list[str]:
    asked = {
        "accounts": backup_sql.accounts(backend),
        "manifest": backup_sql.manifest(backend, of.role),
        "roles": backup_sql.roles(of.role),
    }
    return [f"{name}() {{\n{shell.fed(text, 'asked')}\n}}\n" for name, text in asked.items()]


def _commit(backend: Backend) -> str:
    if backend.source is None:
        return "commit=\n"
    where = git.functions(backend.source.directory)
    return f"{where}commit=$(tree_git rev-parse HEAD 2>/dev/null) || commit=\n"


def _env_files(backend: Backend) -> list[str]:
    return [
        _ENV.format(path=shell.quote(file.path), number=number)
        for number, file in enumerate(backend.env_files)
    ]


# A pipe that root's shell made cannot be opened by name (/dev/stdout) by another user: so the
# command has one of its own user's.
_PIPED = 'exec 4>&1; rc=$({ { "$@" 3>&-; echo $? >&3; } | cat >&4; } 3>&1); exit "$rc"'


def _own(backend: Backend, seen: Observation) -> str:
    if backend.backup is None or backend.backup.create is None:
        return ""
    words = ["sh", "-c", _PIPED, "sh", *shlex.split(backend.backup.create)]
    where = backend.migrations.directory if backend.migrations else backend.directory
    return _OWN.replace("{own}", as_owner(backend, seen, where, words))
