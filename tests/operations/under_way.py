"""A client that is in the middle of something nearly all of the time."""

import threading

import psycopg

from .backups import PASSWORD
from .restoring import Restoring


class UnderWay:
    """Connect, and have one transaction of 20 ms, again and again; keep what was cut in it."""

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
            try:
                with opened:
                    opened.execute("SELECT count(*) FROM shop.users")
                    opened.execute("SELECT pg_sleep(0.02)")
                self.done += 1
            except psycopg.OperationalError as error:
                self.cut.append(str(error))
