"""Read the history: the last runs, when a host last changed, and what keeps coming back."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any

from relogin.drift import Former
from relogin.ledger.store import place, reading

Row = dict[str, Any]

_RESULTS = """
SELECT run.id AS run, began, purpose, operator, host, backend, outcome, result.seconds AS seconds,
    run.seconds IS NOT NULL AS ended, halted, proof,
    (SELECT count(*) FROM change c WHERE (c.run, c.host, c.backend)
        = (result.run, result.host, result.backend) AND ok) AS changes,
    (SELECT what FROM finding f WHERE (f.run, f.host, f.backend)
        = (result.run, result.host, result.backend) ORDER BY position LIMIT 1) AS first
FROM run JOIN result ON result.run = run.id
WHERE :host IN ('', host) ORDER BY began DESC, host, backend LIMIT :limit
"""
_CHANGED = """
SELECT host, backend, began, run.id AS run, operator, why, ok
FROM run JOIN change ON change.run = run.id
WHERE began = (SELECT max(began) FROM run r JOIN change c ON c.run = r.id
    WHERE (c.host, c.backend) = (change.host, change.backend) AND ok IS NOT 0)
    AND :host IN ('', host) AND ok IS NOT 0
ORDER BY host, backend, change.position
"""
_MENDED = """
SELECT host, backend, run, fault, what, before, after FROM finding
WHERE state = 'mended' AND :host IN ('', host) AND run IN (SELECT value FROM json_each(:runs))
ORDER BY position
"""
_COMING_BACK = """
SELECT host, backend, fault, subject, what, count(*) AS times, min(began) AS since,
    max(began) AS last
FROM finding JOIN run ON run.id = finding.run
WHERE state = 'mended' AND leads AND :host IN ('', host)
GROUP BY host, backend, fault, subject HAVING count(*) > 1
ORDER BY times DESC, last DESC, host, backend, fault, subject
"""


def history(host: str = "", limit: int = 20) -> dict[str, Any]:
    """Give the last results, the last changes of each backend, and what was mended repeatedly.

    A `host` narrows it to that one. Moments are in Unix time; the newest comes first.

    Raises:
        LedgerError: there is none, or it cannot be read.
    """
    with reading(place()) as connection:
        results = _rows(connection, _RESULTS, host, limit)
        for one in results:
            one["proof"] = json.loads(one["proof"]) if one["proof"] else None
        changed = _rows(connection, _CHANGED, host)
        runs = json.dumps([one["run"] for one in changed])
        return {
            "version": 1,
            "results": results,
            "last_changes": changed,
            "last_mended": _rows(connection, _MENDED, host, runs=runs),
            "coming_back": _rows(connection, _COMING_BACK, host),
        }


def former(host: str, backend: str) -> Former:
    """Give what is known of a backend on a host before this run.

    What is more than a day ahead was kept by a machine whose clock was wrong: it does not count.

    Raises:
        LedgerError: there is no history, or it cannot be read.
    """
    of = {"host": host, "backend": backend, "soon": time.time() + 86400}
    where = (
        "FROM run JOIN {} ON run.id = run"
        " WHERE host = :host AND backend = :backend AND began < :soon"
    )
    results = where.format("result")
    with reading(place()) as connection:

        def last(what: str, condition: str = "1") -> tuple[Any, ...]:
            query = f"SELECT {what} {results} AND {condition} ORDER BY began DESC LIMIT 1"
            return tuple(connection.execute(query, of).fetchone() or ())

        (applied,) = last("declared", _APPLIED) or ("{}",)
        signing, proven = last("signing, began", f"signing <> '' AND {_PROVEN}") or ("", 0.0)
        ended, let_in = last(f"began + coalesce(run.seconds, 0), {_PROVEN}") or (0.0, False)
        mended: dict[tuple[str, str], tuple[float, ...]] = {}
        query = f"SELECT fault, subject, began {where.format('finding')} AND state = 'mended'"
        for row in connection.execute(f"{query} ORDER BY began DESC", of):
            key = row["fault"], row["subject"]
            mended[key] = (*mended.get(key, ()), row["began"])
    return Former(json.loads(applied), signing, proven, mended, ended, let_in=bool(let_in))


_PROVEN = "json_extract(proof, '$.proven')"
_APPLIED = (
    "purpose NOT IN ('diagnose', 'check', 'probe') AND declared <> '{}'"
    " AND outcome IN ('proven', 'healthy', 'findings')"
)


def _rows(
    connection: sqlite3.Connection, query: str, host: str, limit: int = -1, runs: str = ""
) -> list[Row]:
    found = connection.execute(query, {"host": host, "limit": limit, "runs": runs})
    return [dict(row) for row in found]


def hosts() -> list[str]:
    """Give every host that the history knows.

    Raises:
        LedgerError: there is none, or it cannot be read.
    """
    with reading(place()) as connection:
        return [row["host"] for row in connection.execute("SELECT DISTINCT host FROM result")]


def successes() -> dict[tuple[str, str], float]:
    """Give when a run last ended well, in Unix time, by host and backend.

    Raises:
        LedgerError: there is none, or it cannot be read.
    """
    query = """
    SELECT host, backend, max(began + run.seconds) AS ended FROM run JOIN result ON run.id = run
    WHERE outcome IN ('proven', 'healthy') AND purpose NOT IN ('check', 'probe')
        AND run.seconds IS NOT NULL
    GROUP BY host, backend
    """
    with reading(place()) as connection:
        rows = connection.execute(query)
        return {(row["host"], row["backend"]): row["ended"] for row in rows}
