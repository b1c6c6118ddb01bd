"""What the administrator's psql answered, taken apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relogin.facts import hba
from relogin.facts.postgres_state import (
    Behind,
    Contents,
    Database,
    Index,
    Lock,
    Role,
    Server,
    Setting,
    Target,
)
from relogin.finding import Unreadable

if TYPE_CHECKING:
    from relogin.remote import Answer


def rows(answer: Answer) -> dict[str, dict[str, Any]]:
    """Give the JSON objects that psql wrote, by the part they name."""
    found = [json.loads(line) for line in answer.lines if line.startswith("{")]
    return {row["part"]: row for row in found}


def parse(answer: Answer) -> Server | Unreadable:
    """Take the answer apart: what psql wrote before it failed still counts."""
    if "#no-admin" in answer.lines:
        return Unreadable("no administrator's view is declared (Postgres admin=None)")
    by_part = rows(answer)
    if "server" not in by_part:
        return not_there(answer)
    server = by_part["server"]
    names = ("version", "in_recovery", "ssl", "room", "used")
    of_superusers = ("hba_file", "hba_unread", "hidden", "client")
    return Server(
        target=Target(server["target"]["role"], server["target"]["database"], 0),
        unreached="#url 2" in answer.lines,
        holders=tuple((number, user, name) for number, user, name in server["holders"]),
        role=_role(server["role"]),
        similar_roles=tuple(server["similar_roles"]),
        database=Database(**server["database"]) if server["database"] else None,
        databases=tuple(server["databases"] or ()),
        settings=_settings(by_part),
        hba=hba.rules(server.get("hba") or ()),
        contents=_contents(by_part) if "tables" in by_part else None,
        **{name: server[name] for name in names},
        **{name: server[name] for name in of_superusers if name in server},
    )


def _role(row: Mapping[str, Any] | None) -> Role | None:
    if row is None:
        return None
    return Role(**{"salt": "", "iterations": 0, "proof": "", **row})


def _settings(by_part: Mapping[str, Mapping[str, Any]]) -> tuple[Setting, ...]:
    files = by_part.get("files", {}).get("settings") or ()
    return (
        *(Setting(name, value, *of) for *of, name, value in by_part["server"]["settings"]),
        *(Setting(name, value, file=file) for name, value, file in files),
    )


def _contents(by_part: Mapping[str, Mapping[str, Any]]) -> Contents:
    tables = by_part["tables"]
    lists = ("names", "schemas", "closed", "closed_sequences")
    return Contents(
        usage=tables["usage"],
        create=tables["create"],
        shielded={
            table: tuple((name, condition or "") for name, condition in policies or ())
            for table, policies in tables["shielded"]
        },
        locks=tuple(_lock(*row) for row in by_part.get("locks", {}).get("rows") or ()),
        indexes=tuple(Index(*row) for row in tables["indexes"]),
        behind=tuple(
            Behind(row["sequence"], row["table"], row["column"])
            for part, row in by_part.items()
            if part.startswith("behind ")
        ),
        **{name: tuple(tables[name]) for name in lists},
    )


def _lock(pid: int, user: str | None, application: str, state: str | None, seconds: Any) -> Lock:
    return Lock(pid, user or "", application, state or "", int(seconds or 0))


def not_there(answer: Answer) -> Server | Unreadable:
    """Tell a server that is down from one that does not let us in, by pg_isready's status."""
    lines = [line.removeprefix("#cluster ") for line in answer.lines if line[:9] == "#cluster "]
    clusters = tuple(lines)
    if "#ready 2" in answer.lines:  # PostgreSQL docs, pg_isready: no response
        return Server(Target("", "", 0), down=True, clusters=clusters)
    if "#ready 1" in answer.lines:  # it rejects connections
        return Server(Target("", "", 0), starting=True, clusters=clusters)
    if "#no-psql" in answer.lines:
        return Unreadable(
            "PostgreSQL is elsewhere, and there is no psql on this host: install PostgreSQL's"
            " client (Debian: postgresql-client), or declare admin=None"
        )
    if "#elsewhere" in answer.lines:
        return Unreadable(
            "psql was not let in by the URL of AdminUrl: try it on this host by hand (user,"
            " password, database, sslmode)"
        )
    if "#ready 0" in answer.lines:
        return Unreadable(
            "the server answers, but psql was not let in as its administrator, or is not where it"
            " is looked for: declare Peer(psql=…, socket=…, role=…)"
        )
    return Unreadable("psql could not be run as the administrator (not installed, or not allowed)")
