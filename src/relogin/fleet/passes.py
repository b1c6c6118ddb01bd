"""A pass over a fleet: one job for each host, made whole or not at all, and never two at once.

Jobs carry names, an inventory's revision and plain numbers. No secret is in them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from relogin.errors import UsageError
from relogin.ledger.postgres import REACHED, said
from relogin.values import dataclass

if TYPE_CHECKING:
    import psycopg

    from relogin.secret import Secret

QUEUE = "relogin"
HOST = "relogin.host"
FORM = 1  # of what a job carries: a worker that knows another one leaves it to others
_LOCK = 0x71756575  # "queu": whoever makes a pass, or takes up what a dead worker left
_ITS_JOBS = "task_name = %s AND args ->> 'of_pass' = %s"


class QueueError(Exception):
    """Raised where the queue cannot be used now; the message is one line."""


class UnderWay(Exception):
    """Raised where an inventory's former pass has not ended; the message is one line."""


@dataclass(frozen=True)
class Asked:
    """What a pass is to do: on which inventory, at which revision, and within which limits.

    `allowed` is how many hosts may fail before the others are left alone; None for all of them.
    """

    inventory: str
    revision: str
    report_only: bool = False
    cooldown: float = 1800
    cap: int = 20
    window: float = 86400
    allowed: int | None = None


@dataclass(frozen=True)
class Standing:
    """How a pass stands: its hosts by what became of their jobs."""

    todo: tuple[str, ...] = ()
    doing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    done: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        return not (self.todo or self.doing)


def new_pass() -> str:
    """Give the name of a pass, in the form of a run's."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(2)}"


def needed() -> None:
    """See that the queue's library is there.

    Raises:
        UsageError: it is not.
    """
    try:
        import procrastinate  # noqa: F401
    except ImportError:
        raise UsageError("a queue needs procrastinate: pip install 'relogin[fleet]'") from None


@contextmanager
def reached(url: Secret) -> Iterator[psycopg.Connection[Any]]:
    """Give a connection to the queue, in one transaction.

    Raises:
        QueueError: it cannot be reached, or refused what was asked.
    """
    import psycopg

    try:
        with psycopg.connect(url.reveal(), prepare_threshold=None, **REACHED) as connection:
            yield connection
    except (psycopg.Error, UnicodeError) as error:
        raise QueueError(f"the queue: {said(error)}") from None


def prepare(url: Secret) -> None:
    """Make the queue's tables where there are none.

    Raises:
        QueueError: it cannot be reached, or has tables of another procrastinate.
    """
    from procrastinate.schema import SchemaManager

    with reached(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if _there(connection, "to_regclass('procrastinate_jobs')"):
            if not _there(connection, "to_regproc('procrastinate_retry_job_v2')"):
                raise QueueError(
                    "the queue has tables of an older procrastinate: apply its migrations first"
                )
            return
        connection.execute(SchemaManager.get_schema().encode())


def begin(url: Secret, hosts: list[str], asked: Asked) -> str:
    """Make a pass: one job for each host; give its name.

    Raises:
        UnderWay: the inventory's former one has not ended.
        QueueError: the queue cannot be reached.
    """
    from procrastinate.jobs import Job
    from procrastinate.manager import JobManager
    from procrastinate.sync_psycopg_connector import SyncPsycopgConnector

    name = new_pass()
    jobs = [
        Job(
            id=None, queue=QUEUE, task_name=HOST, lock=f"{QUEUE}/{host}", queueing_lock=None,
            task_kwargs={"host": host, "of_pass": name, "form": FORM, **vars_of(asked)},
        )
        for host in hosts
    ]  # fmt: skip
    with reached(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        _refuse_second(connection, asked.inventory)
        JobManager(SyncPsycopgConnector()).batch_defer_jobs(jobs, connection=connection)
    return name


def vars_of(asked: Asked) -> dict[str, Any]:
    """Give what is asked as a job carries it."""
    return {name: getattr(asked, name) for name in asked.__dataclass_fields__}


def standing(url: Secret, of_pass: str) -> Standing:
    """Tell how a pass stands.

    Raises:
        QueueError: the queue cannot be reached.
    """
    query = f"SELECT args ->> 'host', status::text FROM procrastinate_jobs WHERE {_ITS_JOBS}"
    with reached(url) as connection:
        rows = connection.execute(f"{query} ORDER BY id".encode(), (HOST, of_pass)).fetchall()
    kinds = {"todo": "todo", "doing": "doing", "aborting": "doing", "succeeded": "done"}
    kinds |= {"failed": "failed"}
    found: dict[str, list[str]] = {}
    for host, status in rows:
        found.setdefault(kinds.get(status, "left_out"), []).append(host)
    return Standing(**{kind: tuple(names) for kind, names in found.items()})


def leave_out(url: Secret, of_pass: str) -> list[str]:
    """Take the hosts that nobody has begun with out of a pass; give them.

    Raises:
        QueueError: the queue cannot be reached.
    """
    query = (
        "SELECT args ->> 'host' FROM procrastinate_jobs, LATERAL"
        " procrastinate_cancel_job_v1(id, false, false) AS cancelled"
        f" WHERE {_ITS_JOBS} AND status = 'todo' AND cancelled IS NOT NULL"
    )
    with reached(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        return [row[0] for row in connection.execute(query.encode(), (HOST, of_pass))]


def take_up(url: Secret, silent: float) -> list[str]:
    """Give the jobs of workers that died, or were silent for so many seconds, to the others.

    One at a time does so, in one transaction: no job is given away twice. Their hosts are given.

    Raises:
        QueueError: the queue cannot be reached.
    """
    query = """
    SELECT job.args ->> 'host', procrastinate_retry_job_v2(job.id, now(), NULL, NULL, NULL)
    FROM procrastinate_jobs job LEFT JOIN procrastinate_workers w ON w.id = job.worker_id
    WHERE job.status = 'doing' AND job.queue_name = %s
        AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %s))
    """
    with reached(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        return [row[0] for row in connection.execute(query.encode(), (QUEUE, silent))]


def _there(connection: psycopg.Connection[Any], name: str) -> bool:
    row = connection.execute(f"SELECT {name} IS NOT NULL".encode()).fetchone()
    return bool(row and row[0])


def _refuse_second(connection: psycopg.Connection[Any], inventory: str) -> None:
    query = """
    SELECT min(args ->> 'of_pass'), count(*) FROM procrastinate_jobs
    WHERE task_name = %s AND args ->> 'inventory' = %s AND status IN ('todo', 'doing')
    """
    name, left = connection.execute(query, (HOST, inventory)).fetchone() or ("", 0)
    if left:
        hosts = "host" if left == 1 else "hosts"
        raise UnderWay(f"the pass {name} over {inventory} has not ended: {left} {hosts} left")
