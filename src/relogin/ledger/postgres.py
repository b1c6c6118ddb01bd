"""The ledger in a schema of its own in a PostgreSQL: one history of all machines that name it.

Queries come as SQLite reads them, with `?` or `:name` for values. Writers hold a shared advisory
lock, and who brings the tables up holds it alone: of two versions the older one is refused then.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relogin.given import database
from relogin.ledger.steps import STEPS
from relogin.ledger.store import LedgerError, brought_up, refuse_newer
from relogin.places import state_folder
from relogin.redaction import redact
from relogin.secret import Secret

if TYPE_CHECKING:
    import psycopg

_LOCK = 0x72656C6F67696E  # "relogin"; in PostgreSQL's own table of such locks, by database
_REST = 15.0  # seconds in which one that could not be reached is not asked again
# Who is cut off finds out: libpq, 34.1.2. The application's name is what pg_stat_activity shows.
REACHED: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
    "application_name": "relogin",
    "client_encoding": "UTF8",
}
_LIMITS = "SET LOCAL statement_timeout = '30s'; SET LOCAL lock_timeout = '10s'"
_NAME = re.compile(r"(?<![:\w]):([a-z]\w*)")


def shared(given: str, home: Path | None, option: str) -> Shared:
    """Give the ledger that an option names.

    Raises:
        UsageError: it names none.
    """
    url, found = database(given, home, option)
    return Shared(url, f"postgresql://{found.host}:{found.port or 5432}/{found.database}")


class Shared:
    """A ledger in PostgreSQL; `name` is its address without who logs in there."""

    def __init__(self, url: Secret, name: str) -> None:
        self._url, self.name = url, name
        self._lost: tuple[float, str] | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> Secret:
        return self._url

    @property
    def beside(self) -> Path:
        """Give the path beside which runs of this machine wait."""
        own = sha256(self.name.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        return state_folder() / "ledgers" / own / "history"

    @contextmanager
    def writing(self) -> Iterator[_Connection]:
        """Give a connection within one transaction (relogin.ledger.store.writing)."""
        with self._connected() as connection:
            alone = connection.form() < len(STEPS)
            connection.lock(alone=alone)
            brought_up(connection)
            connection.enter()
            yield connection
            connection.plain("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[_Connection]:
        """Give a connection that changes nothing (relogin.ledger.store.reading)."""
        with self._connected() as connection:
            had = refuse_newer(connection)
            if had == 0:
                raise LedgerError("no run was kept yet")
            if had < len(STEPS):
                with self.writing():
                    pass
            connection.plain("COMMIT; BEGIN READ ONLY")
            connection.plain(_LIMITS)
            connection.enter()
            yield connection

    @contextmanager
    def _connected(self) -> Iterator[_Connection]:
        import psycopg

        try:
            with closing(self._reached()) as there:
                connection = _Connection(there)
                connection.plain("BEGIN")
                connection.plain(_LIMITS)
                yield connection
        except psycopg.Error as error:
            raise LedgerError(f"{self.name}: {said(error)}") from None
        except LedgerError as error:
            raise LedgerError(f"{self.name}: {error}") from None

    def _reached(self) -> psycopg.Connection[Any]:
        import psycopg

        if self._lost is not None and time.monotonic() - self._lost[0] < _REST:
            raise LedgerError(self._lost[1])
        try:
            return psycopg.connect(
                self._url.reveal(), autocommit=True, prepare_threshold=None, **REACHED
            )
        except (psycopg.Error, UnicodeError) as error:
            self._lost = time.monotonic(), said(error)
            raise LedgerError(self._lost[1]) from None


class _Connection:
    """A ledger's connection; what its queries fail with is a LedgerError."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._there = connection

    def execute(
        self, query: str, values: Sequence[Any] | Mapping[str, Any] = (), /
    ) -> psycopg.Cursor[Any]:
        """Carry out a query.

        Raises:
            LedgerError: it could not be.
        """
        import psycopg

        text = query.replace("%", "%%")
        text = _NAME.sub(r"%(\1)s", text) if isinstance(values, Mapping) else _placed(text)
        try:
            cursor = self._there.cursor(row_factory=_by_name)
            return cursor.execute(text.encode(), _plain(values))
        except psycopg.Error as error:
            raise LedgerError(said(error)) from None

    def plain(self, statements: str) -> None:
        """Carry out statements that have no values."""
        self._there.execute(statements.encode())

    def define(self, statement: str) -> None:
        self.enter()
        text = re.sub(r"\bREAL\b", "DOUBLE PRECISION", statement)
        text = re.sub(r"\bTEXT\b", 'TEXT COLLATE "C"', text)  # sorted as SQLite does
        self.plain(text.replace(") WITHOUT ROWID", ")"))

    def form(self) -> int:
        """Give how many steps it has had; 0 where there is nothing yet."""
        there = self._there.execute("SELECT to_regclass('relogin.form') IS NOT NULL").fetchone()
        if there is None or not there[0]:
            return 0
        had = self._there.execute("SELECT max(steps) FROM relogin.form").fetchone()
        return int(had[0] or 0) if had else 0

    def note_form(self, steps: int) -> None:
        self.plain("CREATE TABLE IF NOT EXISTS relogin.form (steps INTEGER NOT NULL)")
        self.plain("DELETE FROM relogin.form")
        self._there.execute("INSERT INTO relogin.form VALUES (%s)", (steps,))

    def lock(self, *, alone: bool) -> None:
        """Wait for who brings the tables up; `alone`, for every writer."""
        kind = "" if alone else "_shared"
        self.plain(f"SELECT pg_advisory_xact_lock{kind}({_LOCK})")
        here = self._there.execute("SELECT to_regnamespace('relogin') IS NULL").fetchone()
        if here and here[0]:
            self.plain("CREATE SCHEMA relogin")

    def enter(self) -> None:
        """Have the ledger's tables meant, and no others."""
        self.plain("SET LOCAL search_path = relogin")


def _placed(text: str) -> str:
    return text.replace("?", "%s")


def _plain(values: Sequence[Any] | Mapping[str, Any]) -> Any:
    if isinstance(values, Mapping):
        return {name: _told(one) for name, one in values.items()}
    return [_told(one) for one in values]


def _told(value: Any) -> Any:
    """Give a value as these tables take it: a flag is a number, and no text holds a NUL."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        text = value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        return text.encode("utf-8", "replace").decode()
    return value


def said(error: Exception) -> str:
    """Say in one line what failed, without the values of a row that PostgreSQL tells besides."""
    told = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    return redact(" ".join(str(told).split()) or type(error).__name__)


class _Row(tuple[Any, ...]):
    """A row that is read by place and by name, as sqlite3.Row is."""

    __slots__ = ()
    names: tuple[str, ...] = ()

    def keys(self) -> tuple[str, ...]:
        return self.names

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)


def _by_name(cursor: psycopg.Cursor[Any]) -> Any:
    with suppress(TypeError):  # a statement that brings no rows has no description
        known = tuple(one.name for one in cursor.description or ())
        return type("_Row", (_Row,), {"names": known, "__slots__": ()})
    return tuple
