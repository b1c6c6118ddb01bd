"""The stored hashes: those of the declared accounts, and what can be told of the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts.accounts import Table, UserRow
from relogin.facts.accounts_sql import DEFAULTS, NEWEST
from relogin.facts.auth_log import HASH_FAILS
from relogin.facts.auth_log import PASSWORD_DIFFERS as PASSWORD_DIFFERS_SAID
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations import user_row
from relogin.operations.administrator import NO_WRITES
from relogin.operations.auth_evidence import told_by

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

# What software, tutorials and tired people give the account that comes first. Each costs a hash.
WELL_KNOWN = ("{login}", "test123", "password", "admin123", "changeme")
_BCRYPT = 60  # characters of a whole hash


def _detect_hash(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for account, row in user_row.rows(backend, seen):
        if row is None or row.hash.problem in {None, "unknown"}:  # that one may be sound
            continue
        obstacle = user_row.obstacle(backend, seen, account)
        yield Finding(
            f"the stored hash of account {account.login} cannot be a password's",
            subject=account.login,
            seen=_said(row),
            remedy=obstacle or "the declared password is set, as a hash",
            by_person=bool(obstacle),
        )


def _said(row: UserRow) -> str:
    """Say what is wrong with a stored hash, without it."""
    scheme, problem = row.hash.scheme, row.hash.problem
    if problem == "broken":
        whole = f", a whole one has {_BCRYPT}" if scheme == "bcrypt" else ""
        cut = "cut off" if scheme == "bcrypt" and row.hash_length < _BCRYPT else "broken"
        return f"it is a hash of {scheme}, {cut}: {row.hash_length} characters{whole}"
    return _PROBLEMS.get(problem or "", f"it is {problem}")


_PROBLEMS = {
    "null": "it is NULL",
    "empty": "it is empty",
    "whitespace": "there are blanks around it",
    "quoted": "it is in quotes",
    "bytes-repr": "it is written as Python shows bytes: b'…'",
    "hex": "it is written as PostgreSQL shows bytes: \\x…",
    "unusable": "it begins with !, by which Django marks one that nobody may log in with",
    "plaintext": "it is plain text, no hash at all",
}


def _detect_password(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for account, row in user_row.rows(backend, seen):
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


def set_password(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Set the declared password, as a hash, in the row of the finding's account."""
    account = backend.account(finding.subject)
    column = user_row.declared(backend).columns.password
    why = f"account {finding.subject}: set the declared password"
    stored = user_row.hash_of(backend, seen, account)
    yield user_row.update(backend, seen, finding.subject, column, stored, why)


def _detect_default(backend: Backend, seen: Observation) -> Iterator[Finding]:
    table = seen.accounts
    for row in table.rows or () if isinstance(table, Table) else ():
        if row.login.lower() not in DEFAULTS or row.active is False or row.hash.problem:
            continue
        tried = (word.format(login=row.login.lower()) for word in WELL_KNOWN)
        if any(row.accepts(word) for word in tried):
            yield Finding(
                f"account {row.login} has a well-known password",
                subject=row.login,
                seen="its stored hash matches one that everybody tries first",
                remedy=f"give {row.login!r} another password, or deactivate it",
            )


def _detect_others(backend: Backend, seen: Observation) -> Finding | None:
    table = seen.accounts
    if not isinstance(table, Table) or not table.broken[0] or not user_row.scheme(backend, seen):
        return None
    number, ids = table.broken
    return Finding(
        f"{number} other accounts have a hash that nobody can log in with"
        if number > 1
        else "another account has a hash that nobody can log in with",
        subject=user_row.declared(backend).table,
        seen=f"cut off, in quotes, with blanks, or plain text (of the newest {NEWEST} rows); ids "
        + ", ".join(ids)
        + (", …" if number > len(ids) else ""),
        remedy=f"let their owners set a new password (id {', '.join(ids)})",
    )


LENGTHS = (
    "runuser -u postgres -- psql -d DATABASE -c 'SELECT id, length(hashed_password),"
    " left(hashed_password, 4) FROM TABLE ORDER BY id'",
)
HASH_UNUSABLE = Fault(
    "accounts.hash-unusable",
    told_by(_detect_hash, HASH_FAILS, PASSWORD_DIFFERS_SAID),
    set_password,
    unless=NO_WRITES,
    about="an account's stored hash is none: cut off, in quotes, plain text",
    remedy="the declared password is set, as a hash",
    check=LENGTHS,
)
PASSWORD_DIFFERS = Fault(
    "accounts.password-differs",
    told_by(_detect_password, PASSWORD_DIFFERS_SAID),
    set_password,
    unless=NO_WRITES,
    about="an account's password is not the declared one",
    remedy="the declared password is set, as a hash",
    check=("curl -d username=ACCOUNT --data-urlencode password@- LOGIN_URL",),
)
DEFAULT_ACCOUNT = Fault(
    "accounts.default-account",
    _detect_default,
    severity=Severity.WARNING,
    about="an account such as admin has a password that everybody tries first",
    remedy="give it another password, or deactivate it",
    check=("curl -d username=admin --data-urlencode password@- LOGIN_URL",),
)
OTHERS_UNUSABLE = Fault(
    "accounts.others-hash-unusable",
    _detect_others,
    severity=Severity.WARNING,
    about="other accounts have a hash that nobody can log in with",
    remedy="let their owners set a new password",
    check=LENGTHS,
)
