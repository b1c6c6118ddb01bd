"""Ensure that the declared accounts are there and can log in."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import undo
from relogin.facts.accounts import Table, UserRow
from relogin.facts.postgres import Server
from relogin.fault import Change, Fault
from relogin.finding import Finding
from relogin.mend import mend
from relogin.operations import user_row
from relogin.operations.own_command import as_owner

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.database import Account


def _rows(backend: Backend, seen: Observation) -> Iterator[tuple[Account, UserRow | None]]:
    table = seen.accounts
    if isinstance(table, Table) and table.rows is not None:
        for account in user_row.declared(backend).present:
            yield account, table.row(account.login)


def _detect_table(backend: Backend, seen: Observation) -> Finding | None:
    table = seen.accounts
    if not isinstance(table, Table) or table.columns is not None:
        return None
    name = user_row.declared(backend).table
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
    run = as_owner(backend, seen, directory, shlex.split(command))
    script = undo.stays(backend, run, f"the tables that {command} made")
    yield Change(script, f"run {command}", deadline=300)


def _detect_column(backend: Backend, seen: Observation) -> Finding | None:
    table = seen.accounts
    if not isinstance(table, Table) or table.columns is None or table.rows is not None:
        return None
    columns = user_row.declared(backend).columns
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
        f"table {user_row.declared(backend).table} has no column {', '.join(missing)}",
        subject=user_row.declared(backend).table,
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
    create = user_row.declared(backend).create
    if create is None:
        yield Change(user_row.insert(backend, seen, account), f"INSERT account {account.login}")
        return
    known = {
        "login": account.login,
        "email": account.email or "",
        "password": f"Aa1{secrets.token_urlsafe(24)}",  # never taken for an option
    }
    words = [word.format_map(known) for word in shlex.split(create)]
    then = user_row.adopted(backend, seen, account)
    row = f"the row of account {account.login}, which it made"
    run = as_owner(backend, seen, backend.directory, words)
    script = undo.stays(backend, f"{run}\n{then}", row)
    command = " ".join(word for word in shlex.split(create) if "{" not in word)
    yield Change(script, f"create account {account.login} ({command})", deadline=120)


def _flag_off(flag: str, what: str) -> Callable[[Backend, Observation], Iterator[Finding]]:
    """Find the accounts whose flag (active, admin) is not set though it is declared."""

    def detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
        column = _column(backend, flag) if backend.accounts else None
        for account, row in _rows(backend, seen):
            due = flag == "active" or account.admin
            if row is not None and column is not None and due and not getattr(row, flag):
                yield Finding(
                    f"account {account.login} {what}",
                    subject=account.login,
                    seen=f"{column} is {getattr(row, flag)}",
                    remedy=f"{column} is set",
                )

    return detect


def _set_flag(flag: str) -> Callable[[Backend, Observation, Finding], Iterator[Change]]:
    def fix(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
        column = _column(backend, flag)
        assert column is not None  # noqa: S101 # there is no finding otherwise
        why = f"account {finding.subject}: {column} = true"
        yield user_row.update(backend, seen, finding.subject, column, "true", why)

    return fix


def _column(backend: Backend, flag: str) -> str | None:
    column: str | None = getattr(user_row.declared(backend).columns, flag)
    return column


def _detect_hash(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for account, row in _rows(backend, seen):
        if row is None or row.hash.problem in {None, "unknown"}:  # that one may be sound
            continue
        undeclared = account.password is None
        yield Finding(
            f"the stored hash of account {account.login} cannot be a password's",
            subject=account.login,
            seen=f"it is {row.hash.problem}" + (f" {row.hash.scheme}" if row.hash.scheme else ""),
            remedy="declare its password, so that it can be set"
            if undeclared
            else "the declared password is set, as a hash",
            by_person=undeclared,
        )


def _detect_password(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for account, row in _rows(backend, seen):
        if row is None or account.password is None or row.hash.problem is not None:
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
    column = user_row.declared(backend).columns.password
    why = f"account {finding.subject}: set the declared password"
    stored = user_row.hash_of(backend, seen, account)
    yield user_row.update(backend, seen, finding.subject, column, stored, why)


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
    "accounts.inactive",
    _flag_off("active", "is not active"),
    _set_flag("active"),
    about="a declared account is not active",
)
HASH_UNUSABLE = Fault(
    "accounts.hash-unusable",
    _detect_hash,
    _fix_password,
    about="an account's stored hash is none",
)
PASSWORD_DIFFERS = Fault(
    "accounts.password-differs",
    _detect_password,
    _fix_password,
    about="an account's password is not the declared one",
)
ADMIN_LOST = Fault(
    "accounts.admin-lost",
    _flag_off("admin", "is no administrator any more"),
    _set_flag("admin"),
    about="a declared administrator is none any more",
)
FAULTS = (
    TABLE_MISSING,
    COLUMN_MISSING,
    MISSING,
    HASH_UNUSABLE,
    PASSWORD_DIFFERS,
    INACTIVE,
    ADMIN_LOST,
)


@operation()
def present(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the declared accounts exist and can log in.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
