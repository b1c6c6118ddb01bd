"""Let the history forget what is old, where that is asked for: every run is kept otherwise.

What later runs are compared with stays.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relogin.ledger.store import Connection

_NAMED = "RELOGIN_HISTORY_DAYS"
_DAY = 86400.0

_PURPOSE = "(SELECT purpose FROM run WHERE id = {0}.run)"
# Of each backend on each host the last result of every kind stays, however old it is: the last one,
# the last good one, and those that relogin.ledger.read looks for (applied, proven, changed).
_KINDS = (
    "1 = 1",
    f"{{0}}.outcome IN ('proven', 'healthy') AND {_PURPOSE} <> 'check'",
    "{0}.declared <> '{{}}' AND {0}.outcome IN ('proven', 'healthy', 'findings')"
    f" AND {_PURPOSE} NOT IN ('diagnose', 'check')",
    "{0}.signing <> '' AND {0}.proven = 1",
    "EXISTS (SELECT 1 FROM change c WHERE (c.run, c.host, c.backend)"
    " = ({0}.run, {0}.host, {0}.backend) AND coalesce(c.ok, 1) = 1)",
)
_OUTDONE = """
(({old}) IS NOT TRUE OR EXISTS (
    SELECT 1 FROM result AS newer JOIN run ON run.id = newer.run
    WHERE (newer.host, newer.backend) = (old.host, old.backend)
    AND began > (SELECT began FROM run WHERE id = old.run) AND ({newer})))
"""
_OLD = "run IN (SELECT id FROM run WHERE began < :before)"
_RESULTS = f"DELETE FROM result AS old WHERE {_OLD} AND " + " AND ".join(
    _OUTDONE.format(old=kind.format("old"), newer=kind.format("newer")) for kind in _KINDS
)
_REST = (
    *(
        f"DELETE FROM {table} AS one WHERE {_OLD} AND NOT EXISTS (SELECT 1 FROM result r"
        " WHERE (r.run, r.host, r.backend) = (one.run, one.host, one.backend))"
        for table in ("finding", "change")
    ),
    f"DELETE FROM transcript AS one WHERE {_OLD} AND NOT EXISTS"
    " (SELECT 1 FROM result r WHERE (r.run, r.host) = (one.run, one.host))",
    "DELETE FROM run WHERE began < :before"
    " AND NOT EXISTS (SELECT 1 FROM result WHERE result.run = run.id)",
)


def due(connection: Connection, run: str, began: float) -> bool:
    """Tell whether a run is the first one of its day (UTC): once a day is enough."""
    query = "SELECT 1 FROM run WHERE began >= ? AND began <= ? AND id <> ? LIMIT 1"
    return connection.execute(query, (began - began % _DAY, began, run)).fetchone() is None


def forget_old(connection: Connection, now: float) -> str | None:
    """Remove what is older than is to be kept; give a line where that setting makes no sense."""
    said = os.environ.get(_NAMED) or "0"
    if not said.isdecimal():
        return f"{_NAMED}={said!r} is no number of days: nothing was removed from the history"
    if int(said):
        for statement in (_RESULTS, *_REST):
            connection.execute(statement, {"before": now - int(said) * _DAY})
    return None
