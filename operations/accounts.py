"""Ensure that the declared accounts are there and can log in."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import passwords, shell, sql, undo
from relogin.facts.accounts import Table, UserRow
from relogin.facts.postgres import Server
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.mend import mend
from relogin.operations.postgres import administrator

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.database import Account, Accounts


def _declared(backend: Backend) -> Accounts:
    assert backend.accounts is not None  # noqa: S101 # without them there is no table to look at
    return backend.accounts


def _rows(backend: Backend, seen: Observation) -> Iterator[tuple[Account, UserRow | None]]:
    table = seen.accounts
    if isinstance(table, Table) and table.rows is not None:
        for account in _declared(backend).present:
            yield account, table.row(account.login)


def _detect_table(backend: Backend, seen: Observation) -> Finding | None:
    table = seen.accounts
    if not isinstance(table, Table) or table.columns is not None:
        return None
    name = _declared(backend).table
    known = seen.postgres.tables or () if isinstance(seen.postgres, Server) else ()
    alike = [other for other in known if name.lower() in other.lower()]
    mends = backend.migrations is not None and not alike
    return Finding(
        f"table {name} does not exist",
        subject=name,
        seen=f"there is {', '.join(alike)}" if alike else "no such relation in the schema",
        remedy="the declared migration is run"
        if mends
        else "find its rows before anything is made anew",
        by_person=not mends,
    )


def _fix_table(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    assert backend.migrations is not None  # noqa: S101 # else it is a person's
    directory, command = backend.migrations.directory, backend.migrations.command
    yield Change(as_owner(directory, shlex.split(command)), f"run {command}", deadline=300)


def as_owner(directory: str, words: list[str]) -> str:
    """Give the script that runs one of the backend's own commands as the owner of its folder."""
    run = shell.words(["sh", "-c", 'cd "$0" && exec "$@"', directory, *words])
    return f'as_user "$(stat -Lc %U {shell.quote(directory)})" env HOME=/ {run}'


def _detect_column(backend: Backend, seen: Observation) -> Finding | None:
    table = seen.accounts
    if not isinstance(table, Table) or table.columns is None or table.rows is not None:
        return None
    columns = _declared(backend).columns
    named = (
        columns.id,
        columns.login,
        columns.email,
        columns.password,
        columns.active,
        columns.admin,
    )
    missing = [name for name in named if name is not None and name not in table.columns]
    return Finding(
        f"table {_declared(backend).table} has no column {', '.join(missing)}",
        subject=_declared(backend).table,
        seen=f"it has {', '.join(table.columns)}",
        remedy="correct the profile's Columns, or run the migration that makes them",
    )


def _detect_missing(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for account, row in _rows(backend, seen):
        if row is not None:
            continue
        alike = [login for login in _logins(seen) if _folded(login) == _folded(account.login)]
        undeclared = account.password is None
        remedy = "it is made"
        if alike:
            remedy = f"decide whether {alike[0]!r} is meant: a second one would make it worse"
        elif undeclared:
            remedy = "declare its password, so that it can be made"
        yield Finding(
            f"account {account.login} does not exist",
            subject=account.login,
            seen=f"there is {alike[0]!r}" if alike else "no row of that name, letter case aside",
            remedy=remedy,
            by_person=bool(alike) or undeclared,
        )


def _logins(seen: Observation) -> list[str]:
    rows = seen.accounts.rows if isinstance(seen.accounts, Table) else None
    return [row.login for row in rows or ()]


def _folded(login: str) -> str:
    return login.strip().casefold()


def _fix_missing(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    account = backend.account(finding.subject)
    declared = _declared(backend)
    if declared.create is None:
        yield Change(_insert(backend, seen, account), f"INSERT account {account.login}")
        return
    known = {
        "login": account.login,
        "email": account.email or "",
        "password": secrets.token_urlsafe(24),
    }
    words = [word.format_map(known) for word in shlex.split(declared.create)]
    then = sql.psql(sql.WRITE + _set(backend, account), command=_psql(backend, seen))
    script = f"set -e\n{as_owner(backend.directory, words)}\n{then}"
    command = " ".join(word for word in shlex.split(declared.create) if "{" not in word)
    yield Change(script, f"create account {account.login} ({command})", deadline=120)


def _psql(backend: Backend, seen: Observation) -> str:
    assert isinstance(seen.postgres, Server)  # noqa: S101 # there is no finding otherwise
    return administrator(backend, seen, seen.postgres.target.database)


def _relation(backend: Backend) -> str:
    schema = backend.database.schema if backend.database else "public"
    return sql.name(schema, _declared(backend).table)


def _hash(backend: Backend, seen: Observation, account: Account) -> str:
    assert account.password is not None  # noqa: S101 # else it is a person's
    scheme = _declared(backend).scheme or (
        seen.accounts.scheme if isinstance(seen.accounts, Table) else None
    )
    return sql.literal(passwords.make(account.password.reveal(), scheme or "bcrypt"))


def _insert(backend: Backend, seen: Observation, account: Account) -> str:
    """Insert one row where there is none, under a lock that another run of ours also takes."""
    columns, known = _declared(backend).columns, _declared(backend).values
    values = {
        columns.login: sql.literal(account.login),
        columns.password: _hash(backend, seen, account),
    }
    if columns.email is not None and account.email is not None:
        values[columns.email] = sql.literal(account.email)
    if columns.active is not None:
        values[columns.active] = "true"
    if columns.admin is not None:
        values[columns.admin] = sql.literal(account.admin)
    values |= {name: sql.literal(value) for name, value in known.items()}
    statement = sql.fill(
        _INSERT,
        relation=_relation(backend),
        columns=", ".join(map(sql.name, values)),
        values=", ".join(values.values()),
        login=sql.name(columns.login),
        given=sql.literal(account.login),
    )
    return sql.psql(sql.WRITE + statement, command=_psql(backend, seen))


# The lock is ours alone (its number is arbitrary), so that two runs at once make one row.
_LOCK = "select pg_advisory_xact_lock(7354366) \\g /dev/null\n"
_INSERT = f"""\
begin; {_LOCK}insert into :relation: (:columns:) select :values:
 where not exists (select 1 from :relation: where lower(cast(:login: as text)) = lower(:given:));
commit;
"""


def _detect_inactive(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for account, row in _rows(backend, seen):
        if row is not None and _declared(backend).columns.active is not None and not row.active:
            yield Finding(
                f"account {account.login} is not active",
                subject=account.login,
                seen=f"{_declared(backend).columns.active} is {row.active}",
                remedy="it is made active",
            )


def _fix_inactive(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    column = _declared(backend).columns.active
    assert column is not None  # noqa: S101 # there is no finding otherwise
    yield _update(
        backend,
        seen,
        finding.subject,
        column,
        "true",
        f"account {finding.subject}: {column} = true",
    )


def _detect_password(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for account, row in _rows(backend, seen):
        if row is None or account.password is None:
            continue
        if row.accepts(account.password.reveal()) is False:
            stored = row.hash
            yield Finding(
                f"the password of account {account.login} is not the declared one",
                subject=account.login,
                seen=f"the stored hash ({stored.scheme or stored.problem}) does not match",
                remedy="the declared password is set, as a hash",
            )


def _fix_password(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    account = backend.account(finding.subject)
    column = _declared(backend).columns.password
    why = f"account {finding.subject}: set the declared password"
    yield _update(backend, seen, finding.subject, column, _hash(backend, seen, account), why)


def _update(
    backend: Backend, seen: Observation, login: str, column: str, value: str, why: str
) -> Change:
    """Change one column of one row, by its primary key; what it was is kept as SQL."""
    assert isinstance(seen.accounts, Table)  # noqa: S101 # there is no finding otherwise
    row = seen.accounts.row(login)
    assert row is not None  # noqa: S101
    psql, relation = _psql(backend, seen), _relation(backend)
    where = f"{sql.name(_declared(backend).columns.id)}::text = {sql.literal(row.id)}"
    head = sql.literal(f"UPDATE {relation} SET {sql.name(column)} = ")
    tail = sql.literal(f" WHERE {where};")
    old = f"quote_nullable({sql.name(column)})"
    kept = f"select {head} || {old} || {tail} from {relation} where {where};"
    statement = (
        f"begin; {_LOCK}update {relation} set {sql.name(column)} = {value} where {where}; commit;"
    )
    return Change(
        undo.store(backend)
        + undo.kept_sql(psql, f"account-{login}-{column}", kept)
        + sql.psql(sql.WRITE + statement, command=psql),
        why,
    )


def _set(backend: Backend, account: Account) -> str:
    """Give the UPDATE that turns a row made by the backend's own command into the declared one."""
    columns = _declared(backend).columns
    assert account.password is not None  # noqa: S101 # else it is a person's
    scheme = _declared(backend).scheme or "bcrypt"
    values = {columns.password: sql.literal(passwords.make(account.password.reveal(), scheme))}
    if columns.active is not None:
        values[columns.active] = "true"
    if columns.admin is not None:
        values[columns.admin] = sql.literal(account.admin)
    pairs = ", ".join(f"{sql.name(name)} = {value}" for name, value in values.items())
    where = f"{sql.name(columns.login)} = {sql.literal(account.login)}"
    return f"update {_relation(backend)} set {pairs} where {where};"


TABLE_MISSING = Fault(
    "accounts.table-missing",
    _detect_table,
    _fix_table,
    unless=("postgres",),
    about="the users table does not exist",
)
COLUMN_MISSING = Fault(
    "accounts.column-missing", _detect_column, about="the users table lacks a declared column"
)
MISSING = Fault(
    "accounts.missing",
    _detect_missing,
    _fix_missing,
    unless=("postgres",),
    about="a declared account does not exist",
)
INACTIVE = Fault(
    "accounts.inactive", _detect_inactive, _fix_inactive, about="a declared account is not active"
)
PASSWORD_DIFFERS = Fault(
    "accounts.password-differs",
    _detect_password,
    _fix_password,
    about="an account's password is not the declared one",
)
FAULTS = (TABLE_MISSING, COLUMN_MISSING, MISSING, INACTIVE, PASSWORD_DIFFERS)


@operation()
def present(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the declared accounts exist and can log in.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
