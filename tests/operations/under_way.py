"""A client that is in the middle of something nearly all of the time."""

import threading
import time

import psycopg

from .backups import PASSWORD
from .restoring import Restoring

PATIENCE = 0.05  # seconds; the switch lets a transaction go on for some 80 ms


class UnderWay:
    """Connect, and have one transaction of 20 ms, again and again; keep what was cut in it.

    Who has only connected is in the middle of nothing; one that a busy machine makes last longer
    than the switch waits is not let finish.
    """

    def __init__(self, backed: Restoring) -> None:
        self.done = 0
        self.cut: list[str] = []
        self._where = {
            **{"host": "127.0.0.1", "port": str(backed.server.port), "user": "app"},
            **{"password": PASSWORD, "dbname": backed.database},
        }
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "UnderWay":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._end.is_set():
            try:
                opened = psycopg.connect(**self._where, connect_timeout=20)
            except psycopg.OperationalError:
                continue  # who only comes is another matter: nothing of theirs was under way
            begun, there = time.monotonic(), False
            try:
                with opened:
                    there = opened.execute("SELECT count(*) FROM shop.users") is not None
                    opened.execute("SELECT pg_sleep(0.02)")
                self.done += 1
            except psycopg.OperationalError as error:
                if there and time.monotonic() - begun < PATIENCE:
                    self.cut.append(str(error))
