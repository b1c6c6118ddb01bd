"""What a restore asks before anything changes: the backup whole, the server, what would go."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relogin import remote, shell, sql
from relogin.facts import side_database
from relogin.facts.accounts_sql import DEFAULTS
from relogin.facts.side_database import Kept, Sides
from relogin.finding import Unreadable
from relogin.operations import backup_sql, backup_store, database_client
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.postgres_state import Target
    from relogin.remote import Answer

_DEADLINE = 3600
_KEPT = """\
at={given}
[ -n "$at" ] || at=$(named | head -n 1)
case $at in /*) ;; ?*) at=$kept/$at ;; esac
printf '#backup %s\\n' "$at"
problem() {{ printf '#problem %s\\n' "$*"; return 0; }}
[ -n "$at" ] || {{ problem "there is none in $kept"; return; }}
[ -d "$at" ] || {{ problem 'it is not there'; return; }}
sums_hold "$at" || {{
  problem 'it is not whole: its sums do not hold, or a file is missing'; return
}}
[ -f "$at/database.dump$sealed" ] || {{
  problem 'it is encrypted otherwise than Backup(encrypt=…) says'; return
}}
grep -h '^{{' "$at/manifest"
{{ {{ unseal <"$at/database.dump$sealed" 2>/dev/null || echo; }} | reads >/dev/null 2>&1; }} ||
  problem 'its dump does not read back'"""
# Both lists side by side, in memory: what is encrypted gets into no file.
COMPARED = """\
compared() {
  { { "$1" 2>/dev/null || echo '#unread'; } | sed 's/^/A/'
    { "$2" 2>/dev/null || echo '#unread'; } | sed 's/^/B/'; } | awk '
    { line = substr($0, 2) }
    /^A/ { there[line]++; next }
    there[line] { there[line]--; same++; next }
    { print "now " line }
    END {
      for (one in there) while (there[one]-- > 0) print "then " one
      print "same " same + 0
    }'
}
"""
_DIFFERENCE = """at={at}
there() {{ unseal <"$at/accounts$sealed"; }}
compared there live_accounts
{{ live_manifest 2>/dev/null | grep '^{{' || echo '#unread'; }} | sed 's/^/live /'
"""


@dataclass(frozen=True)
class Difference:
    """How the live database differs from a backup: what a restore would take away.

    `now` and `then` are accounts that are not the same in both, by id; `same` how many are.
    `live` is what the live database has in its tables, and has recorded of migrations.
    """

    now: Mapping[str, Mapping[str, Any]]
    then: Mapping[str, Mapping[str, Any]]
    same: int
    live: Kept

    @property
    def created(self) -> list[str]:
        return [one["login"] for id_, one in self.now.items() if id_ not in self._ids]

    @property
    def changed(self) -> list[str]:
        """Say which accounts have another password, name or flag than in the backup."""
        return [
            f"{one['login']} ({', '.join(_differing(one, self.then[id_]))})"
            for id_, one in self.now.items()
            if id_ in self._ids
        ]

    @property
    def come_back(self) -> list[str]:
        return [one["login"] for id_, one in self.then.items() if id_ not in self.now]

    @property
    def moved(self) -> list[str]:
        """Give the logins whose id is another one in the backup, or whose id has another login."""
        ids = {one["login"]: one["id"] for one in self.then.values()}
        return [
            one["login"]
            for id_, one in self.now.items()
            if ids.get(one["login"], id_) != id_ or self._is_anothers(id_, one)
        ]

    @property
    def taken_over(self) -> list[str]:
        """Give the logins whose id has another login in the backup."""
        return [one["login"] for id_, one in self.now.items() if self._is_anothers(id_, one)]

    def _is_anothers(self, id_: str, one: Mapping[str, Any]) -> bool:
        return bool(self.then.get(id_, one)["login"] != one["login"])

    @property
    def _ids(self) -> set[str]:
        return set(self.then)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return ["password" if key == "hash" else key for key in one if one[key] != other.get(key)]


def look(host: Host, backend: Backend, of: Target, given: str) -> tuple[Kept, Sides] | Unreadable:
    """Look at the backup that is meant, read it whole, and at the server; nothing is changed."""
    answers = remote.ask(host, scripts(backend, of, given), deadline=_DEADLINE)
    return answers if isinstance(answers, Unreadable) else parse(answers)


def scripts(backend: Backend, of: Target, given: str) -> dict[str, str]:
    """Give the parts of that look."""
    programs = database_client.functions(backend, of)
    psql = database_client.psql(backend, of, "postgres")
    parts = {
        "kept": programs + backup_store.store(backend) + _KEPT.format(given=shell.quote(given)),
        "server": programs + shell.fed(side_database.server(of.database), psql),
    }
    if within := database_client.within(backend):
        folder = shell.fed("show data_directory;", psql)
        free = f"{within}df -Pk \"$folder\" | awk 'END {{print $(NF-2)}}'"
        parts["room"] = f"{programs}folder=$({folder}) && {free}"
    return parts


def parse(answers: Mapping[str, Answer]) -> tuple[Kept, Sides] | Unreadable:
    """Take the parts' answers apart."""
    if not {"kept", "server"} <= set(answers):
        return Unreadable("a part of the answer did not arrive")
    sides = side_database.sides(answers["server"], answers.get("room"))
    return sides if isinstance(sides, Unreadable) else (side_database.kept(answers["kept"]), sides)


def difference(host: Host, backend: Backend, of: Target, kept: Kept) -> Difference | Unreadable:
    """Compare the live database with a backup: accounts, rows, migrations."""
    given = {"salt": str(kept.head["salt"]), "made": "-", "commit": "-"}
    psql = database_client.psql(backend, of, of.database)
    asked = f"{psql} {shell.words(w for k, v in given.items() for w in ('-v', f'{k}={v}'))}"
    script = (
        f"{database_client.functions(backend, of)}{backup_store.store(backend)}{COMPARED}"
        f"live_accounts() {{\n{shell.fed(backup_sql.accounts(backend), asked)}\n}}\n"
        f"live_manifest() {{\n{shell.fed(backup_sql.manifest(backend, of.role), asked)}\n}}\n"
        f"{_DIFFERENCE.format(at=shell.quote(kept.name))}"
    )
    answers = remote.ask(host, {"difference": script}, deadline=_DEADLINE)
    if isinstance(answers, Unreadable):
        return answers
    if "difference" not in answers or any("#unread" in one for one in answers["difference"].lines):
        return Unreadable("the live database could not be compared with the backup")
    return _difference(answers["difference"])


def _difference(answer: Answer) -> Difference:
    words: dict[str, list[str]] = {"now": [], "then": [], "live": [], "same": ["0"]}
    for line in answer.lines:
        word, _, rest = line.partition(" ")
        words.setdefault(word, []).append(rest)
    by_id = {
        word: {one["id"]: one for one in map(json.loads, words[word])} for word in ("now", "then")
    }
    text = "\n".join(["#backup live", *words["live"]]).encode()
    live = side_database.kept(dataclasses.replace(answer, text=text))
    return Difference(by_id["now"], by_id["then"], int(words["same"][-1]), live)


def logins(backend: Backend) -> str:
    """Give the statements for the accounts that are declared or well known, with hashes."""
    assert backend.accounts is not None and backend.database is not None  # noqa: S101, PT018
    columns = backend.accounts.columns
    names = [*DEFAULTS, *(account.login.lower() for account in backend.accounts.present)]
    login, listed = f"{sql.name(columns.login)}::text", ", ".join(map(sql.literal, names))
    return (
        f"{sql.READ}select jsonb_build_object('login', {login},"
        f" 'hash', {sql.name(columns.password)}::text)"
        f" from {sql.name(backend.database.schema, backend.accounts.table)}"
        f" where lower({login}) in ({listed});\n"
    )
