"""A kept run as the document that it was, and what the history knows of the time before it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from relogin import outcome
from relogin.ledger.store import Connection, place, reading

Document = dict[str, Any]

_VERSION = 1  # of report/run.schema.json, which this is the form of
_OF = "WHERE (run, host, backend) = (?, ?, ?) ORDER BY position"
_EARLIER = """
SELECT run.id AS run, began, purpose, operator, host, backend, outcome, halted,
    run.seconds IS NOT NULL AS ended, proof,
    (SELECT what FROM finding f WHERE (f.run, f.host, f.backend)
        = (result.run, result.host, result.backend) ORDER BY position LIMIT 1) AS first
FROM run JOIN result ON result.run = run.id
WHERE host = :host AND began < :before AND run.id <> :run
    AND purpose NOT IN ('disable', 'enable')
ORDER BY began DESC, backend LIMIT :limit
"""
_WHYS = """
SELECT run, backend, why FROM change JOIN run ON run.id = run
WHERE host = :host AND ok = 1 AND began < :before AND began >= :since ORDER BY position
"""
_COMING_BACK = """
SELECT host, backend, fault, subject, max(what) AS what, count(*) AS times, min(began) AS since,
    max(began) AS last
FROM finding JOIN run ON run.id = finding.run
WHERE state = 'mended' AND leads = 1 AND host = :host AND began <= :before
GROUP BY host, backend, fault, subject HAVING count(*) > 1
ORDER BY times DESC, last DESC, backend, fault, subject
"""


def runs() -> list[str]:
    """Give the names of all kept runs, the last one first.

    Raises:
        LedgerError: there is no history, or it cannot be read.
    """
    with reading(place()) as connection:
        return [row["id"] for row in connection.execute("SELECT id FROM run ORDER BY began DESC")]


def last_of(host: str) -> str | None:
    """Give the name of the run that last looked at a host, or else had to do with it.

    Raises:
        LedgerError: there is no history, or it cannot be read.
    """
    query = "SELECT id FROM run JOIN result ON run.id = run WHERE host = ?"
    query += " ORDER BY purpose IN ('disable', 'enable'), began DESC"
    with reading(place()) as connection:
        row = connection.execute(query, (host,)).fetchone()
        return None if row is None else str(row["id"])


def document(run: str, host: str = "") -> Document | None:
    """Give a kept run in the form of report/run.schema.json, or None where nothing of it is there.

    A `host` narrows it to that one. Moments that an older relogin did not keep are 0.

    Raises:
        LedgerError: there is no history, or it cannot be read.
    """
    with reading(place()) as connection:
        return _document(connection, run, host)


def _document(connection: Connection, run: str, host: str) -> Document | None:
    about = connection.execute("SELECT * FROM run WHERE id = ?", (run,)).fetchone()
    query = "SELECT * FROM result WHERE run = ? AND ? IN ('', host) ORDER BY host, backend"
    results = connection.execute(query, (run, host)).fetchall()
    if about is None or not results:
        return None
    names = dict.fromkeys(row["host"] for row in results)
    hosts = [_host(connection, name, results) for name in names]
    return {
        "version": _VERSION,
        "run": run,
        "purpose": about["purpose"],
        "began": about["began"],
        "seconds": about["seconds"],
        "relogin": about["version"],
        "operator": about["operator"],
        "pass": about["pass"],
        "exit": outcome.code(one["outcome"] for one in hosts),
        "hosts": hosts,
    }


def of_pass(name: str, host: str = "") -> Document | None:
    """Give a pass over a fleet as one run: of each host what the last run of it has.

    A `host` narrows it to that one.

    Raises:
        LedgerError: there is no history, or it cannot be read.
    """
    with reading(place()) as connection:
        query = (
            "SELECT id FROM run WHERE pass = ? AND (? = '' OR EXISTS"
            " (SELECT 1 FROM result WHERE run = run.id AND host = ?)) ORDER BY began, id"
        )
        runs = [row["id"] for row in connection.execute(query, (name, host, host)).fetchall()]
        found = [one for run in runs if (one := _document(connection, run, host))]
    if not found:
        return None
    hosts = {host["host"]: host for one in found for host in one["hosts"]}
    ends = [one["began"] + one["seconds"] for one in found if one["seconds"] is not None]
    began = found[0]["began"]
    whole = {"run": name, "hosts": list(hosts.values()), "seconds": None}
    if len(ends) == len(found):
        whole["seconds"] = round(max(ends) - began, 3)
    return {**found[0], **whole, "exit": outcome.code(one["outcome"] for one in hosts.values())}


def earlier(document: Document, limit: int = 300) -> dict[str, dict[str, list[Document]]]:
    """Give by host what was before a run: its earlier results, and what keeps coming back.

    Of each host `limit` results at most, the last one first; moments are in Unix time.

    Raises:
        LedgerError: there is no history, or it cannot be read.
    """
    names = [one["host"] for one in document["hosts"]]
    return past(names, before=document["began"], run=document["run"], limit=limit)


def past(
    names: Iterable[str], *, before: float = math.inf, run: str = "", limit: int = 300
) -> dict[str, dict[str, list[Document]]]:
    """Give the same of these hosts as of a moment in Unix time, without this run.

    Raises:
        LedgerError: there is no history, or it cannot be read.
    """
    about = {"before": before, "run": run, "limit": limit}
    with reading(place()) as connection:
        return {
            name: {
                "results": list(_results(connection, {**about, "host": name})),
                "coming_back": _rows(connection, _COMING_BACK, {**about, "host": name}),
            }
            for name in names
        }


def _results(connection: Connection, about: Document) -> Iterator[Document]:
    rows = _rows(connection, _EARLIER, about)
    since = min((row["began"] for row in rows), default=about["before"])
    whys: dict[tuple[str, str], list[str]] = {}
    for one in _rows(connection, _WHYS, {**about, "since": since}):
        whys.setdefault((one["run"], one["backend"]), []).append(one["why"])
    for row in rows:
        proof = json.loads(row.pop("proof") or "{}")
        login, proven = proof.get("seconds"), proof.get("proven")
        made = whys.get((row["run"], row["backend"]), [])
        yield {**row, "login": login, "proven": proven, "changes": made}


def _rows(
    connection: Connection, query: str, about: Sequence[Any] | Mapping[str, Any]
) -> list[Document]:
    return [dict(row) for row in connection.execute(query, about)]


def _host(connection: Connection, name: str, results: Iterable[Any]) -> Document:
    mine = [row for row in results if row["host"] == name]
    lost = next((row for row in mine if not row["backend"]), None)
    words = [row["outcome"] for row in mine]
    key = mine[0]["run"], name
    said = "SELECT lines FROM transcript WHERE (run, host) = (?, ?)"
    lines = connection.execute(said, key).fetchone()
    return {
        "host": name,
        "reached": lost is None,
        "outcome": outcome.worst_word(words),
        "error": None if lost is None else lost["halted"],
        "backends": [_backend(connection, row) for row in mine if row["backend"]],
        "transcript": json.loads(lines["lines"]) if lines else [],
    }


def _backend(connection: Connection, row: Any) -> Document:
    key = row["run"], row["host"], row["backend"]
    findings = _rows(connection, f"SELECT * FROM finding {_OF}", key)
    changes = _rows(connection, f"SELECT * FROM change {_OF}", key)
    proof = json.loads(row["proof"]) if row["proof"] else None
    return {
        "backend": row["backend"],
        "outcome": row["outcome"],
        "seconds": row["seconds"],
        "halted": row["halted"] or None,
        "disabled": row["disabled"],
        "findings": [_finding(one) for one in findings],
        "changes": [_change(one) for one in changes],
        "unseen": json.loads(row["unseen"]),
        "proof": None if proof is None else {"at": 0, **proof},
        "said": json.loads(row["said"]),
        "declared": json.loads(row["declared"]),
        "signing": row["signing"],
        "refused_logins": json.loads(row["refused_logins"]),
        "reports": json.loads(row["reports"]),
    }


def _finding(row: Document) -> Document:
    texts = ("fault", "severity", "subject", "what", "seen", "expected", "remedy")
    more = ("at", "state", "held", "before", "after", "cause")
    flags = {name: bool(row[name]) for name in ("by_person", "symptom", "leads")}
    causes = json.loads(row["follows_from"])
    return {**{name: row[name] for name in (*texts, *more)}, **flags, "follows_from": causes}


def _change(row: Document) -> Document:
    ok = None if row["ok"] is None else bool(row["ok"])
    texts = {name: row[name] for name in ("fault", "subject", "why", "seconds", "output")}
    return {**texts, "ok": ok, "began": row["started"]}
