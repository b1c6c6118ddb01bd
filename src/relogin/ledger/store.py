"""The ledger's file: opened, brought to today's form, and written in whole transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from relogin.ledger.steps import STEPS
from relogin.places import made_folder, state_folder

_PATIENCE = 2.0  # seconds that another writer may take; each takes milliseconds


class LedgerError(Exception):
    """Raised where the history cannot be read or written; the message is one line."""


def place() -> Path:
    """Give where the history is kept."""
    return state_folder() / "history.sqlite"


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection within one transaction, kept whole or not at all; makes what is missing.

    Raises:
        LedgerError: it cannot be written: the disk is full, another program holds it, a newer
            relogin wrote it, it is no database.
    """
    try:
        made_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(_connected(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            # WAL keeps the file whole without a flush at each commit (sqlite.org/wal.html, 2.3)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            brought_up(connection)
            yield connection
            connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        raise LedgerError(f"{path}: {error}") from None


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that changes nothing; what an older relogin wrote is brought up first.

    Raises:
        LedgerError: there is none, a newer relogin wrote it, or it is no database.
    """
    try:
        if not path.exists():
            raise LedgerError(f"{path}: no run was kept yet")
        with closing(_connected(path)) as connection:
            connection.row_factory = sqlite3.Row
            if _refuse_newer(connection) < len(STEPS):
                with writing(path):
                    pass
            connection.execute("PRAGMA query_only = ON")
            yield connection
    except (sqlite3.Error, OSError) as error:
        raise LedgerError(f"{path}: {error}") from None


def brought_up(connection: sqlite3.Connection, steps: tuple[str, ...] = STEPS) -> None:
    """Take the steps that a file has not had yet, within the transaction that is open.

    Raises:
        LedgerError: it has had steps that this version does not know.
    """
    had = _refuse_newer(connection, steps)
    for step in steps[had:]:
        for statement in filter(str.strip, step.split(";\n")):
            connection.execute(statement)
    if had < len(steps):
        connection.execute(f"PRAGMA user_version = {len(steps)}")


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)


def _refuse_newer(connection: sqlite3.Connection, steps: tuple[str, ...] = STEPS) -> int:
    had = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if had > len(steps):
        raise LedgerError(
            f"the history was written by a newer relogin (its form {had}, ours {len(steps)})"
        )
    return had
