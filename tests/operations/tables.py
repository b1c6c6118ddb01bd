"""Users tables whose names are all awkward, in databases of their own."""

import dataclasses
import json
from functools import partial
from typing import Any

import bcrypt

from relogin import Account, Accounts, Backend, Columns, Secret
from relogin.operations.accounts import FAULTS
from tests.embedded.server import Server
from tests.operations import databases
from tests.operations.databases import described, identifier, literal

PASSWORD = "p'a\\ß:word: {x}"


@dataclasses.dataclass(frozen=True)
class Place:
    """A backend with a users table of its own, in a database of its own."""

    backend: Backend
    server: Server
    database: str

    def mended(self) -> list[str]:
        """Mend what a machine mends; give the faults that were found."""
        found = databases.mended(self.backend, FAULTS, partial(databases.look, self.backend))
        return [f"{finding.fault.partition('.')[2]} {finding.subject}" for finding in found]

    def rows(self) -> list[dict[str, Any]]:
        schema, accounts = self.backend.database.schema, self.backend.accounts
        table = f"{identifier(schema)}.{identifier(accounts.table)}"
        query = f"SELECT coalesce(json_agg(t ORDER BY {identifier(accounts.columns.id)}), '[]')"
        rows = json.loads(self.server.sql(f"{query} FROM {table} t", self.database))
        assert isinstance(rows, list)
        return rows


COLUMNS = Columns("user Id", "Login", "e-mail", 'Pass"Word', "isActive", "is:admin:")


def placed(
    server: Server,
    name: str,
    *logins: str,
    unique: bool = True,
    scheme: str | None = None,
    place: str = "people",
) -> Place:
    """Make the table, whose names are all awkward, with the rows of two others."""
    if place not in server.sql("SELECT datname FROM pg_database").split():
        server.sql(f"CREATE DATABASE {place}; CREATE ROLE {place} LOGIN")
    columns = [
        f"{identifier(COLUMNS.id)} serial primary key",
        f"{identifier(COLUMNS.login)} text {'unique' if unique else ''}",
        f"{identifier(str(COLUMNS.email))} text",
        f"{identifier(COLUMNS.password)} text",
        f"{identifier(str(COLUMNS.active))} boolean",
        f"{identifier(str(COLUMNS.admin))} boolean",
        "note text, at timestamptz",
    ]
    schema = identifier(name[:60])
    server.sql(
        f'CREATE SCHEMA {schema}; CREATE TABLE {schema}."user" ({", ".join(columns)})', place
    )
    stored = bcrypt.hashpw(b"others", bcrypt.gensalt(4)).decode()
    for login in ("Alice", "böb"):
        server.sql(
            f'INSERT INTO {schema}."user" VALUES (default, {literal(login)}, null,'
            f" {literal(stored)}, true, false)",
            place,
        )
    people = [Account(login, f"{login}@x", Secret.seen(PASSWORD), admin=True) for login in logins]
    declared = Accounts(
        table="user",
        columns=COLUMNS,
        scheme=scheme,
        values={"note": name, "at": "2026-11-21 10:00:00Z"},
        present=people,
    )
    return Place(described(server, place, place, declared, schema=name[:60]), server, place)
