"""What is there to restore: backups on the host, and databases beside the live one."""

from __future__ import annotations

import json
from dataclasses import field
from typing import TYPE_CHECKING, Any

from relogin import sql
from relogin.finding import Unreadable
from relogin.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from relogin.remote import Answer

# To who is no superuser some of it is not shown: the data folder, the size of a database that he
# may not enter, and of other roles' sessions the kind (PostgreSQL docs, 27.2 and 9.28).
CLIENT = "(backend_type = 'client backend' or (backend_type is null and usename is not null))"
SERVER = """\
select jsonb_build_object('superuser', current_setting('is_superuser')::bool,
 'standby', pg_is_in_recovery(),
 'roles', (select jsonb_agg(rolname) from pg_roles),
 'databases', (select jsonb_agg(jsonb_build_object('name', datname, 'open', datallowconn,
  'comment', shobj_description(oid, 'pg_database')))
  from pg_database where not datistemplate),
 'prepared', (select count(*) from pg_prepared_xacts where database = :live:),
 'slots', (select count(*) from pg_replication_slots where database = :live:),
 'sessions', (select coalesce(jsonb_agg(jsonb_build_array(n, usename, application_name)), '[]')
  from (select count(*) n, usename, application_name from pg_stat_activity
   where datname = :live: and pid <> pg_backend_pid() and :client:
   group by 2, 3 order by 1 desc limit 10) s),
 'role', current_user, 'creates', (select rolcreatedb from pg_roles where rolname = current_user),
 'owner', (select pg_get_userbyid(datdba) from pg_database where datname = :live:),
 'owns', (select pg_has_role(datdba, 'USAGE') and pg_has_role(datdba, 'MEMBER')
  from pg_database where datname = :live:),
 'settings', (select coalesce(jsonb_agg(distinct rolname), '[]') from pg_db_role_setting
  join pg_database d on d.oid = setdatabase join pg_roles r on r.oid = setrole
  where datname = :live: and rolname <> current_user),
 'lasting', (select coalesce(jsonb_agg(distinct rolname), '[]') from pg_stat_activity
  join pg_roles r on r.oid = usesysid where datname = :live: and :client:
  and (rolsuper or not (pg_has_role(usesysid, 'USAGE')
   or pg_has_role('pg_signal_backend', 'USAGE')))));
"""


@dataclass(frozen=True)
class Sides:
    """The server as its administrator sees it, for a switch of databases.

    `databases` are all of them by name, with comment, and whether they are open.
    `sessions` are how many are connected to the live one, as whom, by which application.
    `room` is what is left on the server's disk, in bytes; None where that is not known.
    `lacking` says what keeps an administrator who is no superuser from switching databases.
    """

    superuser: bool
    standby: bool
    roles: tuple[str, ...]
    databases: Mapping[str, Mapping[str, Any]]
    prepared: int
    slots: int
    sessions: tuple[tuple[int, str, str], ...]
    room: int | None = None
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """A backup as it is on the host; `problem` says why it is none that can be restored.

    `head` is the first line of its manifest, `rows` how many each table has, `migrations` what it
    has recorded of them.
    """

    name: str
    problem: str = ""
    head: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    migrations: tuple[str, ...] = ()


def server(live: str) -> str:
    """Give the statements that ask for the server and its databases."""
    return sql.READ + sql.fill(SERVER, live=sql.literal(live), client=CLIENT)


def sides(answer: Answer, room: Answer | None = None) -> Sides | Unreadable:
    """Take the server's answer apart."""
    if answer.status != 0 or not answer.lines:
        return Unreadable("the server could not be asked as its administrator")
    found = json.loads(answer.lines[-1])
    sessions = tuple((one[0], one[1] or "?", one[2] or "") for one in found["sessions"])
    return Sides(
        found["superuser"],
        found["standby"],
        tuple(found["roles"]),
        {one["name"]: one for one in found["databases"]},
        found["prepared"],
        found["slots"],
        sessions,
        _room(room),
        () if found["superuser"] else tuple(_lacking(found)),
    )


def _lacking(found: Mapping[str, Any]) -> Iterator[str]:
    """Say what a role that is no superuser would need (PostgreSQL docs, ALTER DATABASE)."""
    role = found["role"]
    if not found["owns"]:
        yield f"the database is {found['owner']}'s, whom {role} is not and is no member of"
    if not found["creates"]:
        yield f"{role} may not make databases (CREATEDB)"
    if found["settings"]:
        named = ", ".join(found["settings"])
        yield f"ALTER ROLE … IN DATABASE … SET is there for {named}, which it may not carry over"
    if found["lasting"]:
        named = ", ".join(found["lasting"])
        yield f"{named} is connected, whose sessions {role} may not end (pg_signal_backend)"


def _room(answer: Answer | None) -> int | None:
    said = answer.lines[-1:] if answer is not None and answer.status == 0 else []
    return int(said[0]) * 1024 if said and said[0].isdigit() else None


def kept(answer: Answer) -> Kept:
    """Take apart what is said of a backup: its name, what is wrong with it, its manifest."""
    name, problem, documents = "", "", []
    for line in answer.lines:
        word, _, rest = line.partition(" ")
        if word == "#backup":
            name = rest
        elif word == "#problem":
            problem = rest
        elif line.startswith("{"):
            documents.append(_document(line))
    head = documents[0] if documents else {}
    if not problem and (not name or head.get("relogin") != 1):
        problem = "its manifest is none of this version"
    return Kept(
        name,
        problem,
        head,
        {one["table"]: one["rows"] for one in documents if "rows" in one},
        tuple(sorted(one["migration"] for one in documents if "migration" in one)),
    )


def _document(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
