"""Read the history: the last runs, when a host last changed, and what keeps coming back."""

from __future__ import annotations

import json
import sqlite3
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

    Raises:
        LedgerError: there is no history, or it cannot be read.
    """
    of = {"host": host, "backend": backend}
    where = "FROM run JOIN {} ON run.id = run WHERE (host, backend) = (:host, :backend)"
    results = where.format("result")
    with reading(place()) as connection:
        applied = connection.execute(
            f"SELECT declared {results} AND purpose <> 'diagnose' AND declared <> '{{}}'"
            " AND outcome IN ('proven', 'healthy', 'findings') ORDER BY began DESC LIMIT 1",
            of,
        ).fetchone()
        proven = connection.execute(
            f"SELECT signing, began {results} AND signing <> ''"
            " AND json_extract(proof, '$.proven') ORDER BY began DESC LIMIT 1",
            of,
        ).fetchone()
        mended: dict[tuple[str, str], tuple[float, ...]] = {}
        query = f"SELECT fault, subject, began {where.format('finding')} AND state = 'mended'"
        for row in connection.execute(f"{query} ORDER BY began DESC", of):
            key = row["fault"], row["subject"]
            mended[key] = (*mended.get(key, ()), row["began"])
    return Former(
        declared=json.loads(applied["declared"]) if applied else {},
        signing=proven["signing"] if proven else "",
        proven=proven["began"] if proven else 0.0,
        mended=mended,
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
    WHERE outcome IN ('proven', 'healthy') AND run.seconds IS NOT NULL GROUP BY host, backend
    """
    with reading(place()) as connection:
        rows = connection.execute(query)
        return {(row["host"], row["backend"]): row["ended"] for row in rows}
