"""How a flag of an account is written: as the sound rows of its table have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import sql
from relogin.facts.accounts import Table
from relogin.facts.user_flags import is_number, is_time, word

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def column(backend: Backend, flag: str) -> str | None:
    """Give the column that the profile declares for a flag."""
    name: str | None = getattr(backend.accounts.columns, flag) if backend.accounts else None
    return name


def written(backend: Backend, seen: Observation, flag: str, *, on: bool) -> str | None:
    """Give the SQL that sets a flag, or takes it back; None where that would be a guess.

    A moment becomes now, or NULL. A number is a flag where the table has but 0 and 1; of a word
    only one that other rows have is written.
    """
    name, table = column(backend, flag), seen.accounts
    if name is None or not isinstance(table, Table):
        return None
    kind, kinds = table.types.get(name, ""), table.kinds.get(flag, ())
    if kind == "boolean":
        return "true" if on else "false"
    if is_time(kind):
        return _now(kind) if on else "NULL"
    if is_number(kind):
        return str(int(on)) if set(kinds) <= {"0", "1"} and kinds else None
    words = [value for value in kinds if word(flag, value) is on]
    return sql.literal(words[0]) if len(words) == 1 else None


def _now(kind: str) -> str:
    """Write this moment as such a column keeps it: it is compared with what is read back."""
    if kind == "date":
        return "current_date"
    return "localtimestamp(0)" if "without time zone" in kind else "current_timestamp(0)"
