"""Read the history: the last runs, when a host last changed, and what keeps coming back."""

from __future__ import annotations

import json
import time
from typing import Any

from relogin.drift import Former
from relogin.fingerprints import key_mark
from relogin.ledger.store import Connection, place, reading

Row = dict[str, Any]

_RESULTS = """
SELECT run.id AS run, began, purpose, operator, host, backend, outcome, result.seconds AS seconds,
    run.seconds IS NOT NULL AS ended, halted, proof,
    (SELECT count(*) FROM change c WHERE (c.run, c.host, c.backend)
        = (result.run, result.host, result.backend) AND ok = 1) AS changes,
    (SELECT what FROM finding f WHERE (f.run, f.host, f.backend)
        = (result.run, result.host, result.backend) ORDER BY position LIMIT 1) AS first
FROM run JOIN result ON result.run = run.id
WHERE :host IN ('', host) ORDER BY began DESC, host, backend LIMIT :limit
"""
_LAST = """
FROM run JOIN change ON change.run = run.id
WHERE began = (SELECT max(began) FROM run r JOIN change c ON c.run = r.id
    WHERE (c.host, c.backend) = (change.host, change.backend) AND coalesce(ok, 1) = 1)
    AND :host IN ('', host) AND coalesce(ok, 1) = 1
"""
_CHANGED = f"""
SELECT host, backend, began, run.id AS run, operator, why, ok {_LAST}
ORDER BY host, backend, change.position
"""
_MENDED = f"""
SELECT host, backend, run, fault, what, before, after FROM finding
WHERE state = 'mended' AND :host IN ('', host) AND run IN (SELECT run.id {_LAST})
ORDER BY position
"""
_COMING_BACK = """
SELECT host, backend, fault, subject, max(what) AS what, count(*) AS times, min(began) AS since,
    max(began) AS last
FROM finding JOIN run ON run.id = finding.run
WHERE state = 'mended' AND leads = 1 AND :host IN ('', host)
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
        return {
            "version": 1,
            "results": results,
            "last_changes": changed,
            "last_mended": _rows(connection, _MENDED, host),
            "coming_back": _rows(connection, _COMING_BACK, host),
        }


def former(host: str, backend: str) -> Former:
    """Give what is known of a backend on a host before this run.

    What is more than a day ahead was kept by a machine whose clock was wrong: it does not count.

    Raises:
        LedgerError: there is no history, or it cannot be read.
    """
    of = {"host": host, "backend": backend, "soon": time.time() + 86400, "key": key_mark()}
    where = (
        "FROM run JOIN {} ON run.id = run"
        " WHERE host = :host AND backend = :backend AND began < :soon"
    )
    results = where.format("result")
    with reading(place()) as connection:

        def last(what: str, condition: str = "1 = 1") -> tuple[Any, ...]:
            query = f"SELECT {what} {results} AND {condition} ORDER BY began DESC LIMIT 1"
            return tuple(connection.execute(query, of).fetchone() or ())

        (applied,) = last("declared", f"{_APPLIED} AND {_OURS}") or ("{}",)
        signed = last("signing, began", f"signing <> '' AND proven = 1 AND {_OURS}")
        signing, proven = signed or ("", 0.0)
        ended, let_in = last("began + coalesce(run.seconds, 0), proven") or (0.0, False)
        mended: dict[tuple[str, str], tuple[float, ...]] = {}
        query = f"SELECT fault, subject, began {where.format('finding')} AND state = 'mended'"
        for row in connection.execute(f"{query} ORDER BY began DESC", of):
            key = row["fault"], row["subject"]
            mended[key] = (*mended.get(key, ()), row["began"])
    return Former(json.loads(applied), signing, proven, mended, ended, let_in=bool(let_in))


# Fingerprints that another machine made under its own key tell nothing of ours.
_OURS = "marks IN ('', :key)"
_APPLIED = (
    "purpose NOT IN ('diagnose', 'check', 'probe') AND declared <> '{}'"
    " AND outcome IN ('proven', 'healthy', 'findings')"
)


def _rows(connection: Connection, query: str, host: str, limit: int = -1) -> list[Row]:
    most = limit if limit >= 0 else 2**31  # all of them
    found = connection.execute(query, {"host": host, "limit": most})
    return [dict(row) for row in found]


def hosts() -> list[str]:
    """Give every host that the history knows.

    Raises:
        LedgerError: there is none, or it cannot be read.
    """
    with reading(place()) as connection:
        query = "SELECT DISTINCT host FROM result ORDER BY host"
        return [row["host"] for row in connection.execute(query)]


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
