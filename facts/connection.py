"""PostgreSQL as the backend sees it: does its own DATABASE_URL connect?

libpq gives no result object for a connection that failed, so psycopg has no SQLSTATE for it. With
PQsetErrorVerbosity(PQERRORS_SQLSTATE) its message is the SQLSTATE and nothing else, in every
language and without the names and passwords that the full text can hold (PostgreSQL docs, 34.11).
"""

from __future__ import annotations

import functools
import re
import select
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relogin.finding import Unreadable
from relogin.tunnel import Refused, listening
from relogin.values import dataclass

if TYPE_CHECKING:
    import ctypes

    from relogin.database_url import DatabaseAddress
    from relogin.tunnel import Tunnel

_PQERRORS_SQLSTATE = 3


@dataclass(frozen=True)
class Connection:
    """Whether the backend's URL connects; `sqlstate` is None where the server did not say one."""

    ok: bool
    sqlstate: str | None = None
    refused: bool = False

    @property
    def shown(self) -> str:
        """Say why it does not connect, without what libpq says."""
        if self.refused:
            return "nobody listens there"
        return f"SQLSTATE {self.sqlstate}" if self.sqlstate else "the server did not say why"


def connect(
    tunnel: Tunnel, url: DatabaseAddress, *, at: str | None = None, deadline: float = 8
) -> Connection | Unreadable:
    """Connect with the backend's own credentials, through the tunnel, and leave again.

    `at` is the address to go to, where the host does not know the URL's name for it.
    """
    host, port = at or url.host or "127.0.0.1", url.port or 5432
    with tempfile.TemporaryDirectory(prefix="relogin-") as folder:  # only we can enter it
        try:
            with listening(tunnel, host, port, str(Path(folder) / f".s.PGSQL.{port}")):
                return _tried(folder, port, url, deadline)
        except Refused:
            return Connection(ok=False, refused=True)
        except OSError as error:
            return Unreadable(str(error))


def _tried(folder: str, port: int, url: DatabaseAddress, deadline: float) -> Connection:
    from psycopg import pq
    from psycopg.conninfo import make_conninfo

    known: dict[str, Any] = {"user": url.user, "password": url.password, "dbname": url.database}
    info = make_conninfo(host=folder, port=port, **known)
    connection = pq.PGconn.connect_start(info.encode())
    try:
        _say_only_the_sqlstate(connection)
        return _polled(connection, time.monotonic() + deadline)
    finally:
        connection.finish()


def _polled(connection: Any, until: float) -> Connection:
    from psycopg.pq import PollingStatus

    while (left := until - time.monotonic()) > 0:
        status = connection.connect_poll()
        if status == PollingStatus.OK:
            return Connection(ok=True)
        if status == PollingStatus.FAILED:
            found = re.findall(
                rb"(?:FATAL|ERROR|PANIC):\s+([0-9A-Z]{5})\s", connection.error_message + b"\n"
            )
            return Connection(ok=False, sqlstate=found[-1].decode() if found else None)
        reading = status == PollingStatus.READING
        socket = [connection.socket]
        select.select(socket if reading else [], [] if reading else socket, [], left)
    return Connection(ok=False)


def _say_only_the_sqlstate(connection: Any) -> None:
    import ctypes

    library = _libpq()
    if library is not None:
        library.PQsetErrorVerbosity(ctypes.c_void_p(connection.pgconn_ptr), _PQERRORS_SQLSTATE)


@functools.cache
def _libpq() -> ctypes.CDLL | None:
    """Give the libpq that psycopg has loaded; psycopg does not wrap this function."""
    import ctypes

    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    paths = [line.split()[-1] for line in lines if re.search(r"/libpq[-.][^/]*$", line)]
    return ctypes.CDLL(paths[0]) if paths else None
