"""What the backend's sessions begin with: search path, read-only mode, timeouts; and recovery."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import sql
from relogin.facts.postgres_state import Contents, Server, Setting
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.operations.administrator import (
    NO_WRITES,
    address,
    administrator,
    altered,
    server_of,
    where_up,
)

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_TIMEOUTS = ("statement_timeout", "lock_timeout", "transaction_timeout")
_SHORTEST = 1.0  # seconds; a login takes a fraction of one
_NONE = 0.0005  # the server rounds to milliseconds, and 0 is no timeout
_UNITS = {"us": 1e-6, "": 1e-3, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400}


def _whose(setting: Setting, server: Server) -> str:
    """Give what the setting belongs to, as ALTER names it; empty for a configuration file's."""
    if setting.file is not None:
        return ""
    role = sql.name(server.target.role) if setting.of_role else "ALL"
    database = sql.name(server.target.database)
    if setting.of_role or not setting.in_database:
        return f"ROLE {role}" + (f" IN DATABASE {database}" if setting.in_database else "")
    return f"DATABASE {database}"


def _reset(setting: Setting, server: Server) -> str:
    """Give the statement, or the line, by which a person takes the setting back."""
    if setting.file is None:
        return f"ALTER {_whose(setting, server)} RESET {setting.name};"
    if setting.file.endswith("postgresql.auto.conf"):
        return f"ALTER SYSTEM RESET {setting.name}; SELECT pg_reload_conf();"
    return f"take {setting.name} out of {setting.file}, then SELECT pg_reload_conf();"


def _shown(setting: Setting, server: Server) -> str:
    place = setting.file or f"ALTER {_whose(setting, server)} SET"
    return f"{place}: {setting.name} = {setting.value!r}"


def _judge_search_path(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    """Find a path that was set and leads to no schema with a needed table."""
    setting, contents = server.setting("search_path"), server.contents
    if setting is None or contents is None or backend.database is None:
        return None
    if "search_path" in address(backend, seen).options or not _leads_astray(
        setting, contents, server.target.role, backend.database.schema
    ):
        return None
    by_person = setting.file is not None
    return Finding(
        f"the search path of role {server.target.role} leaves out schema {backend.database.schema}",
        subject=_whose(setting, server),
        seen=f"{_shown(setting, server)}: to the backend its tables do not exist",
        remedy=_reset(setting, server) if by_person else "it is reset, at that level",
        by_person=by_person,
    )


def _leads_astray(setting: Setting, contents: Contents, role: str, schema: str) -> bool:
    path = [role if name == "$user" else name for name in _listed(setting.value)]
    return schema not in path and not set(path) & set(contents.schemas)


def _listed(value: str) -> list[str]:
    """Give the names of a list; unquoted ones are in lower case (PostgreSQL docs, 4.1.1)."""
    words = re.findall(r'"((?:[^"]|"")*)"|([^,\s"]+)', value)
    return [quoted.replace('""', '"') or plain.lower() for quoted, plain in words]


def _judge_timeouts(backend: Backend, seen: Observation, server: Server) -> Iterator[Finding]:
    options = address(backend, seen).options
    for name in _TIMEOUTS:
        setting = server.setting(name)
        if setting is None or name in options or not _NONE <= _seconds(setting.value) < _SHORTEST:
            continue
        by_person = setting.file is not None
        yield Finding(
            f"{name} ends the backend's queries too soon",
            subject=name,
            seen=_shown(setting, server),
            expected="at least a second, or 0 for none",
            remedy=_reset(setting, server) if by_person else "it is reset, at that level",
            by_person=by_person,
        )


def _seconds(value: str) -> float:
    """Give a duration in seconds; a bare number is in milliseconds, 0 is none."""
    match = re.fullmatch(r"\s*([0-9.]+)\s*([a-z]*)\s*", value)
    return float(match[1]) * _UNITS.get(match[2], 0) if match else 0


def _fix_setting(name: str, setting: Setting, backend: Backend, seen: Observation) -> Change:
    """Reset a setting; what it was is kept verbatim, for `SET … FROM CURRENT` parses nothing."""
    server = server_of(seen)
    whose = _whose(setting, server)
    reset = sql.literal(f"alter {whose} reset {name};")
    read = sql.fill(
        _AS_IT_IS,
        name=sql.literal(name),
        put_back=sql.literal(f"alter {whose} set {name} from current;"),
        reset=reset,
        role=sql.literal(server.target.role) if setting.of_role else "null",
        database=sql.literal(server.target.database) if setting.in_database else "null",
    )
    change = altered(
        backend,
        seen,
        f"ALTER {whose} RESET {name}; end the idle sessions that began with it",
        what=f"{name} of {whose}",
        read=read,
        write=":to",
        to=reset,
    )
    ended = sql.fill(
        _ENDED, role=sql.literal(server.target.role), database=sql.literal(server.target.database)
    )
    then = sql.psql(sql.WRITE + ended, command=administrator(backend, seen))
    return dataclasses.replace(change, script=f"{change.script}{then}")


# The faults whose mending ends sessions of the backend's pool.
SESSIONS_END = {"postgres.search-path-wrong", "postgres.timeout-too-short"}
# A setting reaches new sessions only, and a pool would keep those that have the old one.
_ENDED = """\
select pg_terminate_backend(pid) from pg_stat_activity where usename = :role:
 and datname = :database: and state <> 'active' \\g /dev/null"""


_AS_IT_IS = """\
select coalesce((select format('select pg_catalog.set_config(%L, %L, false); ', :name:,
   substr(c, strpos(c, '=') + 1)) || :put_back:
  from pg_db_role_setting, unnest(setconfig) c where split_part(c, '=', 1) = :name:
   and setrole = coalesce((select oid from pg_roles where rolname = :role:), 0)
   and setdatabase = coalesce((select oid from pg_database where datname = :database:), 0)),
 :reset:)"""


def _fix_search_path(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    setting = server_of(seen).setting("search_path")
    assert setting is not None  # noqa: S101 # there is no finding otherwise
    yield _fix_setting("search_path", setting, backend, seen)


def _fix_timeout(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    setting = server_of(seen).setting(finding.subject)
    assert setting is not None  # noqa: S101 # there is no finding otherwise
    yield _fix_setting(finding.subject, setting, backend, seen)


def _judge_read_only(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    setting = server.setting("default_transaction_read_only")
    if setting is None or setting.value.lower() not in {"on", "true", "yes", "1"}:
        return None
    return Finding(
        f"sessions of role {server.target.role} are read-only",
        subject=server.target.role,
        seen=_shown(setting, server),
        remedy="it is often set for a migration or a switch that is under way; when that is over: "
        + _reset(setting, server),
    )


def _judge_recovery(backend: Backend, seen: Observation, server: Server) -> Finding | None:
    if not server.in_recovery:
        return None
    return Finding(
        "PostgreSQL is a standby: it takes no writes",
        seen="pg_is_in_recovery() says yes",
        remedy="find its primary and point the database URL there; SELECT pg_promote() makes this"
        " one the primary, which must be the only one",
    )


_SETTINGS = ("runuser -u postgres -- psql -c 'SELECT * FROM pg_db_role_setting'",)
SEARCH_PATH_WRONG = Fault(
    "postgres.search-path-wrong",
    where_up(_judge_search_path),
    _fix_search_path,
    unless=NO_WRITES,
    about="a search path was set that leaves out the backend's schema",
    remedy="it is reset, at the level where it was set",
    check=(*_SETTINGS, "psql -h 127.0.0.1 -U ROLE -d DATABASE -c 'SHOW search_path'"),
)
READ_ONLY = Fault(
    "postgres.read-only",
    where_up(_judge_read_only),
    about="the backend's sessions are read-only",
    remedy="reset it, once what it was set for is over",
    check=(
        *_SETTINGS,
        "psql -h 127.0.0.1 -U ROLE -d DATABASE -c 'SHOW default_transaction_read_only'",
    ),
)
IN_RECOVERY = Fault(
    "postgres.in-recovery",
    where_up(_judge_recovery),
    about="the server is a standby, which takes no writes",
    remedy="point the backend to the primary, or promote this one",
    check=("runuser -u postgres -- psql -c 'SELECT pg_is_in_recovery()'",),
)
TIMEOUT_TOO_SHORT = Fault(
    "postgres.timeout-too-short",
    where_up(_judge_timeouts),
    _fix_timeout,
    unless=NO_WRITES,
    about="a timeout ends the backend's queries too soon",
    remedy="it is reset, at the level where it was set",
    check=_SETTINGS,
)
