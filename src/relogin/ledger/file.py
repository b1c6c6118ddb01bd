"""The ledger in one SQLite file of this machine, written in whole transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from relogin.ledger.steps import STEPS
from relogin.ledger.store import LedgerError, brought_up, refuse_newer
from relogin.places import made_folder

_PATIENCE = 2.0  # seconds that another writer may take; each takes milliseconds


class Connection(sqlite3.Connection):
    """A connection that counts its steps in `PRAGMA user_version`."""

    def define(self, statement: str) -> None:
        """Carry out a statement of a step."""
        self.execute(statement)

    def form(self) -> int:
        """Give how many steps the file has had."""
        return int(self.execute("PRAGMA user_version").fetchone()[0])

    def note_form(self, steps: int) -> None:
        """Note how many it has had now."""
        self.execute(f"PRAGMA user_version = {steps}")


@contextmanager
def writing(path: Path) -> Iterator[Connection]:
    """Give a connection within one transaction (relogin.ledger.store.writing).

    Raises:
        LedgerError: it cannot be written.
    """
    try:
        made_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(connected(path)) as connection:
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
def reading(path: Path) -> Iterator[Connection]:
    """Give a connection that changes nothing (relogin.ledger.store.reading).

    Raises:
        LedgerError: there is none, a newer relogin wrote it, or it is no database.
    """
    try:
        if not path.exists():
            raise LedgerError(f"{path}: no run was kept yet")
        with closing(connected(path)) as connection:
            connection.row_factory = sqlite3.Row
            if refuse_newer(connection) < len(STEPS):
                with writing(path):
                    pass
            connection.execute("PRAGMA query_only = ON")
            yield connection
    except (sqlite3.Error, OSError) as error:
        raise LedgerError(f"{path}: {error}") from None


def connected(path: Path) -> Connection:
    """Give a connection to the file as it is; each statement is a transaction of its own."""
    return sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, factory=Connection)
