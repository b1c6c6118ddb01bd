"""What a users table says by its flags (active, admin, verified, locked), whatever their type."""

from __future__ import annotations

import re
from collections.abc import Iterable

FLAGS = ("active", "admin", "verified", "locked")
_YES = {"t", "true", "y", "yes", "on", "1", "active", "enabled", "verified", "confirmed", "admin"}
_NO = {"f", "false", "n", "no", "off", "0", "inactive", "disabled", "unverified", "user"}
_LOCKED = {"locked": True, "blocked": True, "unlocked": False}


def is_time(kind: str) -> bool:
    """Tell a column that holds a moment: since when, or until when, something is so."""
    return kind.startswith(("timestamp", "date"))


def is_number(kind: str) -> bool:
    """Tell a column that holds a number."""
    return kind in {"smallint", "integer", "bigint"} or kind.startswith("numeric")


def word(flag: str, text: str) -> bool | None:
    """Tell what a word in a flag's column means; None for one that we do not know."""
    folded = text.strip().lower()
    if flag == "locked" and folded in _LOCKED:
        return _LOCKED[folded]
    return True if folded in _YES else False if folded in _NO else None


def meaning(
    flag: str, column: str, kind: str, text: str | None, *, others: Iterable[str], now: str
) -> bool | None:
    """Tell whether a flag is set; None where it is NULL, or where that cannot be known.

    A moment counts as set once it is there, one of a column that ends in `until` as long as it is
    still to come. A word that we do not know is not set where other rows have one that is.
    """
    if is_time(kind):
        until = re.search(r"(until|expires?(_at)?)$", column, re.IGNORECASE)
        return text is not None and (not until or text[:19] > now[:19])
    if text is None:
        return None
    if is_number(kind):
        return float(text) != 0
    known = word(flag, text)
    if known is None and flag != "locked" and any(word(flag, other) for other in others):
        return False
    return known
