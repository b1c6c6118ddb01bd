"""What a profile may have meant by a table or a column that is not there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from relogin.facts import accounts_sql
from relogin.parts.database import Columns

_ENOUGH = 4
# How columns that serve for the same are called elsewhere.
_ALSO = {
    "id": r"(^|_)(id|uuid|pk)$",
    "login": r"user_?name|login|nick|(^|_)(name|e?mail)",
    "email": r"e?mail",
    "password": r"pass|pw|hash|secret",
    "active": r"active|enabled|status|state",
    "admin": r"admin|super|staff|role",
    "verified": r"verif|confirm",
    "locked": r"lock|block|ban|disabled",
}


def tables_like(name: str, there: Sequence[str]) -> list[str]:
    """Give the tables that may be meant: the name is in theirs, or is nearly theirs."""
    holding = [other for other in there if name.lower() in other.lower()]
    near = difflib.get_close_matches(name, there, n=_ENOUGH, cutoff=0.5)
    people = [other for other in there if re.search(r"(?i)user|account|member|person", other)]
    return list(dict.fromkeys([*holding, *near, *people]))[:_ENOUGH]


def columns_like(columns: Columns, there: Sequence[str]) -> dict[str, str]:
    """Give, for each of a profile's columns that are not there, the one that may be meant."""
    named = accounts_sql.named(columns)
    left = [name for name in there if name not in named.values()]
    found = {
        field: next(_meant(field, name, left), "")
        for field, name in named.items()
        if name is not None and name not in there
    }
    return {field: name for field, name in found.items() if name}


def _meant(field: str, name: str, left: Sequence[str]) -> Iterator[str]:
    yield from difflib.get_close_matches(name, left, n=1, cutoff=0.7)
    yield from (other for other in left if re.search(_ALSO[field], other, re.IGNORECASE))
    yield from difflib.get_close_matches(name, left, n=1, cutoff=0.5)
