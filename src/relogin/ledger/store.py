"""The ledger: a file of this machine, or a PostgreSQL of many, in the form of today."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from relogin.ledger.steps import STEPS
from relogin.places import state_folder

if TYPE_CHECKING:
    from relogin.ledger.postgres import Shared

_NAMED = "RELOGIN_LEDGER"


class LedgerError(Exception):
    """Raised where the history cannot be read or written; the message is one line."""


class Cursor(Protocol):
    """What a query brings: rows that are read by place and by name."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A ledger within one transaction. Queries are such as SQLite and PostgreSQL read alike."""

    def execute(self, query: str, values: Sequence[Any] | Mapping[str, Any] = ..., /) -> Cursor: ...

    def define(self, statement: str) -> None:
        """Carry out a statement of a step."""

    def form(self) -> int:
        """Give how many steps it has had."""

    def note_form(self, steps: int) -> None:
        """Note how many it has had now."""


_chosen: dict[str, Shared] = {}


def choose(given: str | None, home: Path | None = None) -> None:
    """Have this process keep its history in a PostgreSQL, of all machines that name it.

    It is given as a URL, or as env:NAME, file:PATH, command:WORDS that has it; without one
    RELOGIN_LEDGER says it the same way, else it is the file of this machine. `home` has the `.env`.

    Raises:
        UsageError: that has no URL of a PostgreSQL; it is not shown.
    """
    from relogin.ledger.postgres import shared

    _chosen.clear()
    if said := given or os.environ.get(_NAMED):
        _chosen["ledger"] = shared(said, home, "--ledger" if given else _NAMED)


def place() -> Path | Shared:
    """Give where the history is kept.

    Raises:
        LedgerError: RELOGIN_LEDGER has no URL of a PostgreSQL.
    """
    from relogin.errors import UsageError

    if not _chosen and os.environ.get(_NAMED):
        try:
            choose(None)
        except UsageError as error:
            raise LedgerError(str(error)) from None
    return _chosen.get("ledger") or state_folder() / "history.sqlite"


def beside(there: Path | Shared) -> Path:
    """Give the path beside which runs wait until they can be written there."""
    return there if isinstance(there, Path) else there.beside


def writing(there: Path | Shared) -> AbstractContextManager[Connection]:
    """Give a connection within one transaction, kept whole or not at all; makes what is missing.

    Raises:
        LedgerError: it cannot be written: the disk is full, another program holds it, a newer
            relogin wrote it, it is no database, it cannot be reached.
    """
    if not isinstance(there, Path):
        return there.writing()
    from relogin.ledger.file import writing as writing_file

    return writing_file(there)


def reading(there: Path | Shared) -> AbstractContextManager[Connection]:
    """Give a connection that changes nothing; what an older relogin wrote is brought up first.

    Raises:
        LedgerError: there is none, a newer relogin wrote it, it is no database, or it cannot be
            reached.
    """
    if not isinstance(there, Path):
        return there.reading()
    from relogin.ledger.file import reading as reading_file

    return reading_file(there)


def brought_up(connection: Connection, steps: tuple[str, ...] = STEPS) -> None:
    """Take the steps that a ledger has not had yet, within the transaction that is open.

    Raises:
        LedgerError: it has had steps that this version does not know.
    """
    had = refuse_newer(connection, steps)
    for step in steps[had:]:
        for statement in filter(str.strip, step.split(";\n")):
            connection.define(statement)
    if had < len(steps):
        connection.note_form(len(steps))


def refuse_newer(connection: Connection, steps: tuple[str, ...] = STEPS) -> int:
    """Give how many steps a ledger has had.

    Raises:
        LedgerError: more than this version knows.
    """
    had = connection.form()
    if had > len(steps):
        raise LedgerError(
            f"the history was written by a newer relogin (its form {had}, ours {len(steps)})"
        )
    return had
