"""One row of the users table: made, changed, and how to take that back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import passwords, sql, undo
from relogin.facts.accounts import Table, UserRow
from relogin.facts.postgres_state import Server
from relogin.fault import Change
from relogin.operations import user_flags
from relogin.operations.administrator import administrator
from relogin.parts.database import Uuid

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.database import Account, Accounts

# The row, by hand, without its hash.
ROW_BY_HAND = (
    'runuser -u postgres -- psql -d DATABASE -x -c "SELECT * FROM TABLE'
    " WHERE lower(username) = lower('ACCOUNT')\" | grep -v password",
)


def declared(backend: Backend) -> Accounts:
    """Give what the profile says of accounts."""
    assert backend.accounts is not None  # noqa: S101 # without them there is no table to look at
    return backend.accounts


def rows(backend: Backend, seen: Observation) -> Iterator[tuple[Account, UserRow | None]]:
    """Give the declared accounts with their rows, where the table could be read."""
    table = seen.accounts
    if isinstance(table, Table) and table.rows is not None:
        for account in declared(backend).present:
            yield account, table.row(account.login)


def psql_of(backend: Backend, seen: Observation) -> str:
    """Give the administrator's psql, in the backend's database."""
    assert isinstance(seen.postgres, Server)  # noqa: S101 # there is no finding otherwise
    return administrator(backend, seen, seen.postgres.target.database)


def relation(backend: Backend) -> str:
    """Give the users table, qualified and quoted."""
    schema = backend.database.schema if backend.database else "public"
    return sql.name(schema, declared(backend).table)


def scheme(backend: Backend, seen: Observation) -> str | None:
    """Give the scheme of the table's hashes: the declared one, else the other rows' or newest's."""
    if declared(backend).scheme or not isinstance(seen.accounts, Table):
        return declared(backend).scheme
    others = seen.accounts.schemes
    return others[0] if len(others) == 1 else seen.accounts.scheme


def obstacle(backend: Backend, seen: Observation, account: Account) -> str:
    """Say what has to be declared before the account's password can be set; empty: nothing."""
    if account.password is None:
        return "declare its password, so that it can be set"
    if scheme(backend, seen) is None:
        return (
            f"declare the scheme of the hashes in table {declared(backend).table}"
            " (Accounts(scheme=…)): none of its rows tells"
        )
    return ""


def hash_of(backend: Backend, seen: Observation, account: Account) -> str:
    """Make the hash of an account's declared password, in the table's own scheme."""
    known = scheme(backend, seen)
    assert account.password is not None and known is not None  # noqa: S101, PT018 # else a person's
    return sql.literal(passwords.make(account.password.reveal(), known))


def insert(backend: Backend, seen: Observation, account: Account) -> str:
    """Insert one row where there is none, under a lock that another run of ours also takes."""
    columns, known = declared(backend).columns, declared(backend).values
    values = {
        columns.login: sql.literal(account.login),
        columns.password: hash_of(backend, seen, account),
    }
    if columns.email is not None and account.email is not None:
        values[columns.email] = sql.literal(account.email)
    values |= _flags(backend, seen, account)
    values |= {name: _literal(value) for name, value in known.items()}
    statement = sql.fill(
        _INSERT,
        relation=relation(backend),
        columns=", ".join(map(sql.name, values)),
        values=", ".join(values.values()),
        login=sql.name(columns.login),
        given=sql.literal(account.login),
    )
    made = sql.psql(sql.WRITE + statement, command=psql_of(backend, seen))
    return undo.stays(backend, made, f"the row of account {account.login}, which it made")


def is_there(backend: Backend, account: Account) -> str:
    """Give the query that tells whether the account has a row by now: t or f."""
    login = sql.name(declared(backend).columns.login)
    given = f"{login} = {sql.literal(account.login)}"
    return f"select exists (select from {relation(backend)} where {given});"


def _literal(value: str | int | bool | Uuid) -> str:
    return sql.literal(str(uuid.uuid4()) if isinstance(value, Uuid) else value)


def _flags(backend: Backend, seen: Observation, account: Account) -> dict[str, str]:
    """Give the columns that make an account active, verified and what it is declared to be.

    One that can only be guessed is left to the table's own default.
    """
    due = {"active": True, "verified": True, "admin": account.admin}
    given = {
        user_flags.column(backend, flag): user_flags.written(backend, seen, flag, on=on)
        for flag, on in due.items()
    }
    return {name: value for name, value in given.items() if name is not None and value is not None}


_INSERT = f"""\
begin isolation level read committed; {sql.LOCK}insert into :relation: (:columns:) select :values:
 where not exists (select 1 from :relation: where lower(cast(:login: as text)) = lower(:given:));
commit;
"""


def update(
    backend: Backend, seen: Observation, login: str, column: str, value: str, why: str
) -> Change:
    """Change one column of one row, by its primary key, while it is what it was just now."""
    assert isinstance(seen.accounts, Table)  # noqa: S101 # there is no finding otherwise
    row = seen.accounts.row(login)
    assert row is not None  # noqa: S101
    table, name = relation(backend), sql.name(column)
    where = f"{sql.name(declared(backend).columns.id)}::text = {sql.literal(row.id)}"
    script = undo.changed_sql(
        backend,
        psql_of(backend, seen),
        what=f"{column} of account {login}",
        read=f"select quote_nullable({name}) from {table} where {where}",
        write=f"update {table} set {name} = :to"
        f" where {where} and {name}::text is not distinct from (:from)::text;",
        to=f"quote_nullable({value})",
        still=_as_seen(backend, row, column, f"select from {table} where {where}"),
    )
    return Change(script, why)


def _as_seen(backend: Backend, row: UserRow, column: str, there: str) -> str:
    """Give the condition that a hash still is the one that was looked at: each has its own salt."""
    if column != declared(backend).columns.password:
        return "true"
    stored = sql.literal(row.password.reveal() if row.password else None)
    return f"exists ({there} and {sql.name(column)}::text is not distinct from {stored})"


def adopted(backend: Backend, seen: Observation, account: Account) -> str:
    """Give the UPDATE that turns a row made by the backend's own command into the declared one."""
    columns = declared(backend).columns
    values = {columns.password: hash_of(backend, seen, account)}
    values |= _flags(backend, seen, account)
    pairs = ", ".join(f"{sql.name(name)} = {value}" for name, value in values.items())
    where = f"{sql.name(columns.login)} = {sql.literal(account.login)}"
    statement = f"update {relation(backend)} set {pairs} where {where};"
    return sql.psql(sql.WRITE + statement, command=psql_of(backend, seen))
