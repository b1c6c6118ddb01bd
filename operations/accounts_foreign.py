"""A stored hash of another scheme than the backend's: the right password, and nobody gets in.

Some backends read several schemes (passlib's deprecated="auto", Django's PASSWORD_HASHERS): so
such a hash is wrong only where the login fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.facts.accounts import Table, UserRow
from relogin.facts.auth_log import HASH_FAILS
from relogin.fault import Fault
from relogin.finding import Finding
from relogin.operations import accounts_hash, user_row
from relogin.operations.administrator import NO_WRITES
from relogin.operations.auth_evidence import told_by
from relogin.operations.login_reading import reading

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.database import Account

# What else lets a login fail, whatever the hash is.
_CAUSES = ("venv", "image", "env_file", "jwt", "postgres", "migrations", "service")


def is_suspected(backend: Backend, seen: Observation) -> bool:
    """Tell whether only a login can say if the backend reads the hash of who logs in."""
    return _suspect(backend, seen) is not None


def _suspect(backend: Backend, seen: Observation) -> tuple[Account, UserRow] | None:
    """Give the account that logs in with its row, where the hash is sound and of another scheme."""
    who = backend.login.account if backend.login else None
    for account, row in user_row.rows(backend, seen):
        if account.login != who or row is None or account.password is None:
            continue
        due = _scheme_of_the_rest(backend, seen)
        open_to_it = row.active is not False and row.verified is not False and not row.locked
        if row.hash.problem or due in {None, row.hash.scheme} or not open_to_it:
            continue
        if row.accepts(account.password.reveal()) is not False:
            return account, row
    return None


def _scheme_of_the_rest(backend: Backend, seen: Observation) -> str | None:
    """Give the declared scheme, else the one that all other accounts' hashes have."""
    others = seen.accounts.schemes if isinstance(seen.accounts, Table) else ()
    return user_row.declared(backend).scheme or (others[0] if len(others) == 1 else None)


def _detect(backend: Backend, seen: Observation) -> Finding | None:
    suspect, proof = _suspect(backend, seen), seen.login
    if suspect is None or proof is None or backend.login is None:
        return None
    found = reading(backend.login, proof)
    if found is None or found.kind not in {"refused", "server-error"}:
        return None
    account, row = suspect
    obstacle = user_row.obstacle(backend, seen, account)
    return Finding(
        f"the stored hash of account {account.login} is of a scheme that the backend cannot read",
        subject=account.login,
        seen=f"it is a whole hash of {row.hash.scheme}; {proof.said('login')}",
        expected=f"a hash of {_scheme_of_the_rest(backend, seen)}",
        remedy=obstacle or "the declared password is set, as a hash",
        by_person=bool(obstacle),
    )


FOREIGN = Fault(
    "accounts.hash-foreign",
    told_by(_detect, HASH_FAILS),
    accounts_hash.set_password,
    unless=(*NO_WRITES, *_CAUSES),
    about="an account's hash is of another scheme than the backend's, and its login fails",
    remedy="the declared password is set, as a hash of the declared scheme, or of the other rows'",
    check=accounts_hash.LENGTHS,
)
