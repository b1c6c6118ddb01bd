"""Keep a run in the history; where that cannot be written, beside it until it can."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from relogin.ledger.store import LedgerError, place, writing
from relogin.places import made_folder, write_whole

Document = dict[str, Any]


def keep(document: Document) -> str | None:
    """Keep a run, or what is known of it by now: what it says of a host replaces the former.

    Never raises: gives one line where it could not be kept in the history, else None. A run that
    has ended is then kept in a file beside it, and taken over by the next run that can.
    """
    path = place()
    try:
        with writing(path) as connection:
            _write(connection, document)
            taken = [file for file in _waiting(path) if _taken_over(connection, file)]
    except LedgerError as error:
        return None if document["seconds"] is None else _put_aside(path, document, error)
    for file in taken:
        with suppress(OSError):
            file.unlink()
    return None


def begun(run: str, host: str, backend: str, why: str, *, position: int) -> None:
    """Note that a change is about to be made: what becomes of it is kept when it has ended."""
    row = (run, host, backend, position, "", "", why, None, 0.0, "")
    with suppress(LedgerError), writing(place()) as connection:
        connection.execute(f"INSERT OR IGNORE INTO change VALUES ({_marks(row)})", row)


def _put_aside(path: Path, document: Document, error: LedgerError) -> str:
    try:
        aside = made_folder(path.parent / "waiting") / f"{document['run']}.json"
        write_whole(aside, json.dumps(document).encode())
    except OSError as failed:
        return f"this run is not in the history: {error}; {failed}"
    return f"this run is in {aside} until the history can be written: {error}"


def _waiting(path: Path) -> list[Path]:
    return sorted((path.parent / "waiting").glob("*.json"))


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
    return *known, declared, one.get("signing", "")


def _finding(position: int, one: dict[str, Any]) -> tuple[Any, ...]:
    names = "fault", "subject", "severity", "state", "leads", "what", "seen", "before", "after"
    return position, *(one[name] for name in names), one.get("cause", "")


def _change(position: int, one: dict[str, Any]) -> tuple[Any, ...]:
    names = "fault", "subject", "why", "ok", "seconds", "output"
    return position, *(one[name] for name in names)
