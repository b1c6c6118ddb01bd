"""Keep a run in the history; where that cannot be written, beside it until it can."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from relogin.ledger import aside, prune
from relogin.ledger.store import LedgerError, place, writing

Document = dict[str, Any]


def keep(document: Document) -> str | None:
    """Keep a run, or what is known of it by now: what it says of a host replaces the former.

    Never raises: gives one line where it could not be kept in the history, else None. A run that
    has ended is then kept in a file (relogin.ledger.aside), and taken over by the next run that
    can. The first run of a day lets it forget what is old.
    """
    path = place()
    try:
        with writing(path) as connection:
            _write(connection, document)
            taken = [file for file in aside.waiting(path) if _taken_over(connection, file)]
            ended = document["seconds"] is not None
            old = ended and prune.due(connection, document["run"], document["began"])
    except LedgerError as error:
        return None if document["seconds"] is None else aside.put(path, document, error)
    for file in taken:
        with suppress(OSError):
            file.unlink()
    return _forget_old(path, document["began"]) if old else None


def _forget_old(path: Path, now: float) -> str | None:
    """Let the history forget, in a transaction of its own: the run is kept already."""
    with suppress(LedgerError), writing(path) as connection:
        return prune.forget_old(connection, now)
    return None


def begun(run: str, host: str, backend: str, why: str, *, position: int) -> None:
    """Note that a change is about to be made: what becomes of it is kept when it has ended."""
    row = (run, host, backend, position, "", "", why, None, 0.0, "", time.time())
    with suppress(LedgerError), writing(place()) as connection:
        connection.execute(f"INSERT OR IGNORE INTO change VALUES ({_marks(row)})", row)


def _taken_over(connection: sqlite3.Connection, file: Path) -> bool:
    """Write a run that waits; one whose text makes no sense stays where it is."""
    connection.execute("SAVEPOINT waiting")
    try:
        _write(connection, json.loads(file.read_text()))
    except (OSError, ValueError, KeyError, TypeError, sqlite3.Error):
        connection.execute("ROLLBACK TO waiting")
        return False
    finally:
        connection.execute("RELEASE waiting")
    return True


def _write(connection: sqlite3.Connection, document: Document) -> None:
    run = document["run"]
    who = document["purpose"], document["began"], document["relogin"], document["operator"]
    connection.execute(
        "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " purpose = excluded.purpose, seconds = coalesce(excluded.seconds, seconds)",
        (run, who[0], who[1], document["seconds"], *who[2:]),
    )
    for host in document["hosts"]:
        for backend in host["backends"]:
            _write_result(connection, run, host["host"], backend)
        if not host["reached"]:
            lost = {"backend": "", "outcome": host["outcome"], "halted": host["error"]}
            _write_result(connection, run, host["host"], {**_NOTHING, **lost})
        if lines := host.get("transcript"):
            said = run, host["host"], json.dumps(lines)
            connection.execute("INSERT OR REPLACE INTO transcript VALUES (?, ?, ?)", said)


_NOTHING: Document = {"seconds": 0.0, "proof": None, "unseen": [], "findings": [], "changes": []}


def _write_result(
    connection: sqlite3.Connection, run: str, host: str, result: dict[str, Any]
) -> None:
    key = run, host, result["backend"]
    for table in ("result", "finding", "change"):
        connection.execute(f"DELETE FROM {table} WHERE (run, host, backend) = (?, ?, ?)", key)
    rows = {
        "result": [_result(result)],
        "finding": [_finding(*pair) for pair in enumerate(result["findings"])],
        "change": [_change(*pair) for pair in enumerate(result["changes"])],
    }
    for table, values in rows.items():
        for row in values:
            whole = (*key, *row)
            connection.execute(f"INSERT INTO {table} VALUES ({_marks(whole)})", whole)


def _marks(row: tuple[Any, ...]) -> str:
    return ", ".join("?" * len(row))


def _result(one: dict[str, Any]) -> tuple[Any, ...]:
    proof = json.dumps(one["proof"]) if one["proof"] else None
    unseen = json.dumps(one["unseen"])
    declared = json.dumps(one.get("declared", {}))
    known = one["outcome"], one["seconds"], one["halted"] or "", proof, unseen
    said = json.dumps(one.get("said", []))
    drifted = declared, one.get("signing", ""), said, one.get("disabled", "")
    refused, reports = json.dumps(one.get("refused_logins", {})), json.dumps(one.get("reports", []))
    return *known, *drifted, refused, reports


def _finding(position: int, one: dict[str, Any]) -> tuple[Any, ...]:
    names = "fault", "subject", "severity", "state", "leads", "what", "seen", "before", "after"
    texts = (one.get(name, "") for name in ("cause", "expected", "remedy", "held"))
    flags = (one.get(name, False) for name in ("by_person", "symptom"))
    return position, *(one[name] for name in names), *texts, *flags, one.get("at", 0)


def _change(position: int, one: dict[str, Any]) -> tuple[Any, ...]:
    names = "fault", "subject", "why", "ok", "seconds", "output"
    return position, *(one[name] for name in names), one.get("began", 0)
