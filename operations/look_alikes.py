"""Accounts that people, or a backend that ignores letter case, would take for a declared one."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from relogin.facts.accounts import Table, UserRow

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.database import Account

# Lower-case letters of Cyrillic, Greek and Turkish that look like Latin ones (a part of Unicode's
# confusables.txt, UTS 39).
_LATIN = str.maketrans(
    "\u0430\u0435\u0456\u0458\u043e\u0440\u0441\u0443\u0445\u0455\u04bb\u0501\u051b\u051d"
    "\u03b1\u03b9\u03bd\u03bf\u03c1\u03c5\u03f2\u0131",
    "aeijopcyxshdqwaivopuci",
)


def alike(backend: Backend, seen: Observation, account: Account) -> list[UserRow]:
    """Give the rows of other logins that look like this one, or have its e-mail."""
    table = seen.accounts
    if not isinstance(table, Table) or backend.accounts is None:
        return []
    others = {one.login for one in backend.accounts.present if one.login != account.login}
    return [
        row
        for row in table.rows or ()
        if row.login != account.login
        and row.login not in others
        and (looks_like(row, account) or _same_email(row, account))
    ]


def looks_like(row: UserRow, account: Account) -> bool:
    """Tell whether the two names differ in nothing that people see at a glance."""
    return _folded(row.login) == _folded(account.login)


def _same_email(row: UserRow, account: Account) -> bool:
    if row.email is None or account.email is None:
        return False
    return row.email.strip().lower() == account.email.strip().lower()


def _folded(login: str) -> str:
    """Give what a login looks like: without case, blanks, marks that cannot be seen, or script."""
    compatible = unicodedata.normalize("NFKC", login).casefold()
    shown = (
        character
        for character in compatible
        if not character.isspace() and unicodedata.category(character) not in {"Cf", "Cc"}
    )
    return "".join(shown).translate(_LATIN)
