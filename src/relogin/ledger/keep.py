"""Keep a run in the history; where that cannot be written, beside it until it can."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from relogin.fingerprints import key_mark
from relogin.ledger import aside, prune
from relogin.ledger.store import Connection, LedgerError, beside, place, writing
from relogin.places import state_folder

Document = dict[str, Any]


def keep(document: Document) -> str | None:
    """Keep a run, or what is known of it by now: what it says of a host replaces the former.

    Never raises: gives one line where it could not be kept in the history, else None. A run that
    has ended is then kept in a file (relogin.ledger.aside), and taken over by the next run that
    can. The first run of a day lets it forget what is old.
    """
    ended, near = document["seconds"] is not None, state_folder() / "history.sqlite"
    try:
        there = place()
        near = beside(there)
        with writing(there) as connection:
            _write(connection, document)
            taken = [file for file in aside.waiting(near) if _taken_over(connection, file)]
            old = ended and prune.due(connection, document["run"], document["began"])
    except LedgerError as error:
        return aside.put(near, document, error) if ended else None
    for file in taken:
        with suppress(OSError):
            file.unlink()
    return _forget_old(document["began"]) if old else None


def _forget_old(now: float) -> str | None:
    """Let the history forget, in a transaction of its own: the run is kept already."""
    with suppress(LedgerError), writing(place()) as connection:
        return prune.forget_old(connection, now)
    return None


def begun(run: str, host: str, backend: str, why: str, *, position: int) -> None:
    """Note that a change is about to be made: what becomes of it is kept when it has ended."""
    row = (run, host, backend, position, "", "", why, None, 0.0, "", time.time())
    with suppress(LedgerError), writing(place()) as connection:
        connection.execute(f"INSERT INTO change VALUES ({_marks(row)}) ON CONFLICT DO NOTHING", row)


def _taken_over(connection: Connection, file: Path) -> bool:
    """Write a run that waits; one whose text makes no sense stays where it is."""
    connection.execute("SAVEPOINT waiting")
    try:
        _write(connection, json.loads(file.read_text()))
    except (OSError, ValueError, KeyError, TypeError, sqlite3.Error, LedgerError):
        connection.execute("ROLLBACK TO waiting")
        return False
    finally:
        connection.execute("RELEASE waiting")
    return True


def _write(connection: Connection, document: Document) -> None:
    run = document["run"]
    names = "purpose", "began", "seconds", "relogin", "operator"
    row = run, *(document[name] for name in names), key_mark(), document.get("pass", "")
    connection.execute(
        f"INSERT INTO run VALUES ({_marks(row)}) ON CONFLICT (id) DO UPDATE SET"
        " purpose = excluded.purpose, seconds = coalesce(excluded.seconds, run.seconds)",
        row,
    )
    for host in document["hosts"]:
        for backend in host["backends"]:
            _write_result(connection, run, host["host"], backend)
        if not host["reached"]:
            lost = {"backend": "", "outcome": host["outcome"], "halted": host["error"]}
            _write_result(connection, run, host["host"], {**_NOTHING, **lost})
        if lines := host.get("transcript"):
            said = run, host["host"], json.dumps(lines)
            connection.execute(_SAID, said)


_SAID = (
    "INSERT INTO transcript VALUES (?, ?, ?)"
    " ON CONFLICT (run, host) DO UPDATE SET lines = excluded.lines"
)
_NOTHING: Document = {"seconds": 0.0, "proof": None, "unseen": [], "findings": [], "changes": []}


def _write_result(connection: Connection, run: str, host: str, result: dict[str, Any]) -> None:
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
    proven = bool(one["proof"] and one["proof"].get("proven"))
    return *known, *drifted, refused, reports, proven


def _finding(position: int, one: dict[str, Any]) -> tuple[Any, ...]:
    names = "fault", "subject", "severity", "state", "leads", "what", "seen", "before", "after"
    texts = (one.get(name, "") for name in ("cause", "expected", "remedy", "held"))
    flags = (one.get(name, False) for name in ("by_person", "symptom"))
    causes = json.dumps(one.get("follows_from", []))
    return position, *(one[name] for name in names), *texts, *flags, one.get("at", 0), causes


def _change(position: int, one: dict[str, Any]) -> tuple[Any, ...]:
    names = "fault", "subject", "why", "ok", "seconds", "output"
    return position, *(one[name] for name in names), one.get("began", 0)
