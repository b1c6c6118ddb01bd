"""Ensure that the declared accounts are there and can log in."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin.facts import accounts_sql
from relogin.facts.accounts import Table
from relogin.facts.auth_log import UNKNOWN_USER
from relogin.facts.postgres_state import Server
from relogin.fault import HIDING, Change, Fault
from relogin.finding import Finding, Severity
from relogin.mend import ask_login, mend
from relogin.operations import (
    accounts_flags,
    accounts_foreign,
    accounts_hash,
    accounts_made,
    accounts_named,
    user_row,
)
from relogin.operations.administrator import NO_WRITES
from relogin.operations.auth_evidence import told_by
from relogin.operations.look_alikes import alike, looks_like
from relogin.operations.migrations import is_pending
from relogin.operations.user_row import ROW_BY_HAND, rows
from relogin.parts.database import Register

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.database import Account, Columns


def _detect_table(backend: Backend, seen: Observation) -> Finding | None:
    """Find a table that is gone; one that pending migrations make is theirs."""
    table = seen.accounts
    if not isinstance(table, Table) or table.columns is not None or is_pending(seen):
        return None
    name = user_row.declared(backend).table
    contents = seen.postgres.contents if isinstance(seen.postgres, Server) else None
    others = accounts_named.tables_like(name, contents.names) if contents else []
    mine = backend.database.schema if backend.database else "public"
    elsewhere = [schema for schema in contents.schemas if schema != mine] if contents else []
    there = [*(f"{schema}.{name}" for schema in elsewhere), *others]
    return Finding(
        f"table {name} does not exist",
        subject=name,
        seen=f"there is {', '.join(there)}" if there else "no such relation in the schema",
        remedy=_schema_meant(name, elsewhere)
        + (
            f"decide whether {there[0]} is meant, and rename it or correct the profile"
            if there
            else "find its rows, or restore a backup: no migration is left that would make it"
        ),
    )


def _schema_meant(name: str, elsewhere: list[str]) -> str:
    """Ask for the schema's own place, where the table is in another one or named with one."""
    schema, dot, table = name.partition(".")
    if dot:
        return f"is it Postgres(schema={schema!r}), Accounts(table={table!r})? Else "
    return f"is it Postgres(schema={elsewhere[0]!r})? Else " if elsewhere else ""


def _detect_column(backend: Backend, seen: Observation) -> Finding | None:
    table = seen.accounts
    if not isinstance(table, Table) or table.columns is None or table.rows is not None:
        return None
    if is_pending(seen):
        return None
    declared = user_row.declared(backend)
    named = accounts_sql.named(declared.columns)
    missing = {field: name for field, name in named.items() if name and name not in table.columns}
    fields = ", ".join(f"{field}=…" for field in missing)
    return Finding(
        f"table {declared.table} has no column {', '.join(dict.fromkeys(missing.values()))}",
        subject=declared.table,
        seen=f"it has {', '.join(table.columns)}",
        remedy=_columns_meant(declared.columns, table.columns)
        + f"correct the profile's Columns({fields}), or run the migration that makes them",
    )


def _columns_meant(columns: Columns, there: tuple[str, ...]) -> str:
    meant = accounts_named.columns_like(columns, there).items()
    fields = ", ".join(f"{field}={name!r}" for field, name in meant)
    return f"is it Columns({fields})? Else " if fields else ""


def _detect_missing(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for account, row in rows(backend, seen):
        if row is not None or alike(backend, seen, account):
            continue
        obstacle = _obstacle(backend, seen, account)
        yield Finding(
            f"account {account.login} does not exist",
            subject=account.login,
            seen="no row of that name or e-mail, letter case aside",
            remedy=obstacle or "it is made",
            by_person=bool(obstacle),
        )


def _obstacle(backend: Backend, seen: Observation, account: Account) -> str:
    """Say what a person has to declare before the account can be made."""
    if account.password is None:
        return "declare its password, so that it can be made"
    made_by_itself = user_row.declared(backend).create is not None
    return "" if made_by_itself else user_row.obstacle(backend, seen, account)


def _fix_missing(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    account = backend.account(finding.subject)
    if user_row.declared(backend).create is None:
        yield Change(user_row.insert(backend, seen, account), f"INSERT account {account.login}")
    else:
        yield from accounts_made.by_the_backend(backend, seen, account)


def _detect_name(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for account, row in rows(backend, seen):
        others = alike(backend, seen, account)
        if row is not None or not others:
            continue
        yield Finding(
            f"account {account.login} does not exist, but one that looks like it",
            subject=account.login,
            seen=f"there is {', '.join(repr(other.login) for other in others)}"
            + ("" if looks_like(others[0], account) else ", with the declared e-mail"),
            remedy=f"decide whether {others[0].login!r} is meant, and rename it to"
            f" {account.login!r} or correct the profile: a second account would hide the first",
        )


def _detect_email(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for account, row in rows(backend, seen):
        if row is None or account.email is None or row.email in {None, account.email}:
            continue
        if row.email is not None and row.email.strip().lower() == account.email.lower():
            yield Finding(
                f"the e-mail of account {account.login} is written otherwise than declared",
                subject=account.login,
                seen=repr(row.email),
                expected=repr(account.email),
                remedy=f"correct the row of {account.login!r} or the profile: who logs in by e-mail"
                " may not be found",
            )


def _detect_ambiguous(backend: Backend, seen: Observation) -> Iterator[Finding]:
    table = seen.accounts
    for account, row in rows(backend, seen):
        assert isinstance(table, Table)  # noqa: S101 # it has rows
        same, others = table.rows_of(account.login), alike(backend, seen, account)
        if row is None or len(same) + len(others) < 2:
            continue
        every = [*same, *others]
        yield Finding(
            f"{len(every)} accounts can be taken for {account.login}",
            subject=account.login,
            seen=", ".join(f"{one.login!r} (id {one.id})" for one in every),
            remedy=f"decide which one is to be {account.login!r}, and rename the others: a backend"
            " that ignores letter case finds several, or the wrong one",
            severity=Severity.CRITICAL if len(same) > 1 else Severity.WARNING,
        )


# While one of these stands a row may be there and not be found: a second one would be made.
TABLE_MISSING = Fault(
    "accounts.table-missing",
    _detect_table,
    about="the users table does not exist, and no migration is left that makes it",
    remedy="find its rows, or restore a backup",
    check=("runuser -u postgres -- psql -d DATABASE -c '\\dt *.*user*'",),
)
COLUMN_MISSING = Fault(
    "accounts.column-missing",
    _detect_column,
    about="the users table lacks a declared column",
    remedy="correct the profile's Columns, or run the migration that makes them",
    check=("runuser -u postgres -- psql -d DATABASE -c '\\d TABLE'",),
)
MISSING = Fault(
    "accounts.missing",
    told_by(_detect_missing, UNKNOWN_USER),
    _fix_missing,
    unless=(*NO_WRITES, *HIDING),
    about="a declared account does not exist",
    remedy="it is made, by the backend's own command or request, or by one INSERT",
    check=ROW_BY_HAND,
)
NAME_DIFFERS = Fault(
    "accounts.name-differs",
    _detect_name,
    about="a declared account is there under a name that only looks like it",
    remedy="decide whether it is meant, and rename it or correct the profile",
    check=ROW_BY_HAND,
)
AMBIGUOUS = Fault(
    "accounts.ambiguous",
    _detect_ambiguous,
    about="several accounts can be taken for a declared one",
    remedy="decide which one is right, and rename the others",
    check=ROW_BY_HAND,
)
EMAIL_DIFFERS = Fault(
    "accounts.email-differs",
    _detect_email,
    severity=Severity.WARNING,
    about="a declared account's e-mail is written otherwise: letter case, blanks",
    remedy="correct the row or the profile",
    check=ROW_BY_HAND,
)
FAULTS = (
    TABLE_MISSING,
    COLUMN_MISSING,
    MISSING,
    NAME_DIFFERS,
    AMBIGUOUS,
    accounts_hash.HASH_UNUSABLE,
    accounts_hash.PASSWORD_DIFFERS,
    accounts_foreign.FOREIGN,
    *accounts_flags.FAULTS,
    EMAIL_DIFFERS,
    accounts_hash.DEFAULT_ACCOUNT,
    accounts_hash.OTHERS_UNUSABLE,
)


@operation()
def present(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the declared accounts exist and can log in.

    + backend: the backend, as described
    """
    ask_login(backend, accounts_foreign.is_suspected)
    yield from mend(backend, FAULTS)


def need_the_service(backend: Backend) -> bool:
    """Tell whether accounts are made by a request, which only a service that runs can answer."""
    return backend.accounts is not None and isinstance(backend.accounts.create, Register)
