"""A worker: takes hosts from the queue, has them worked on, and says what became of them."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import procrastinate
import psycopg
from procrastinate import exceptions, retry

from relogin.errors import UsageError
from relogin.failures import allowed, not_tried
from relogin.fleet import accounts, passes
from relogin.fleet.hands import Hand, Overdue, Problem
from relogin.fleet.passes import Asked, QueueError
from relogin.fleet.revision import revision
from relogin.ledger.postgres import REACHED
from relogin.outcome import code
from relogin.redaction import redact
from relogin.values import dataclass

if TYPE_CHECKING:
    from procrastinate.job_context import JobContext
    from procrastinate.jobs import Job

    from relogin.secret import Secret

TICK = "relogin.tick"
_AGAIN = 2.0  # seconds until a queue that was lost is tried again


class Again(Exception):
    """Raised where a host is to be tried again later."""


class Failed(Exception):
    """Raised where a host was worked on, and its login is not proven, or nothing may be changed."""


@dataclass(frozen=True)
class Ways:
    """How a worker works: on how many hosts at once, and what it does about trouble.

    After `silent` seconds a worker that says nothing is dead, and its hosts are taken up. A host is
    tried `tries` times, `backoff` seconds apart at first, then three times as long each time. What
    has not ended with a host after `deadline` seconds is ended, and is not tried again.
    `every` is when a pass is made (five fields, as cron has them), as `scheduled` says.
    """

    parallel: int = 10
    silent: float = 30
    tries: int = 3
    backoff: float = 10
    deadline: float = 3600
    every: str = ""
    scheduled: dict[str, Any] | None = None


class _Backoff(retry.BaseRetryStrategy):
    """Tries again what may be better later."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways

    def get_retry_decision(
        self, *, exception: BaseException, job: Job
    ) -> retry.RetryDecision | None:
        if not isinstance(exception, Again) or job.attempts + 1 >= self._ways.tries:
            return None
        wait = self._ways.backoff * 3**job.attempts
        return retry.RetryDecision(retry_in={"seconds": int(wait), "milliseconds": wait % 1 * 1000})


class Worker:
    """One of any number of workers on a queue; `options` are those that reach hosts."""

    def __init__(self, url: Secret, ledger: Secret, options: dict[str, Any], ways: Ways) -> None:
        self._url, self._ledger, self._options, self._ways = url, ledger, options, ways
        self._hands: dict[tuple[str, str], Hand] = {}
        self._starting: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until somebody ends it: hosts that were begun with are finished first.

        Raises:
            QueueError: the queue has tables of another version, or cannot be reached at first.
        """
        for name in ("procrastinate", "psycopg.pool"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # it says itself what matters
        await asyncio.to_thread(passes.prepare, self._url)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        taking = asyncio.create_task(self._take_up())
        try:
            while not self._stopping.is_set():
                await self._work()
        finally:
            taking.cancel()
            for hand in self._hands.values():
                await hand.end()

    async def _work(self) -> None:
        """Work until the queue is lost, or somebody ends it."""
        app = self._app()
        _say(f"waiting for hosts, {self._ways.parallel} at a time")
        with suppress(exceptions.ConnectorException, psycopg.Error, OSError):
            async with app.open_async():
                working = asyncio.create_task(
                    app.run_worker_async(
                        queues=[passes.QUEUE],
                        concurrency=self._ways.parallel,
                        install_signal_handlers=False,
                        update_heartbeat_interval=self._ways.silent / 3,
                        stalled_worker_timeout=self._ways.silent,
                    )
                )
                stopping = asyncio.create_task(self._stopping.wait())
                await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
                working.cancel()
                stopping.cancel()
                with suppress(asyncio.CancelledError):
                    await working
        if not self._stopping.is_set():
            _say("the queue was lost; trying again")
            await asyncio.sleep(_AGAIN)

    def _app(self) -> procrastinate.App:
        connector = procrastinate.PsycopgConnector(
            conninfo=self._url.reveal(), kwargs=dict(REACHED), min_size=1, max_size=5
        )
        app = procrastinate.App(connector=connector)
        retrying = _Backoff(self._ways)
        app.task(name=passes.HOST, queue=passes.QUEUE, pass_context=True, retry=retrying)(
            self._on_host
        )
        if self._ways.every:
            made = app.task(name=TICK, queue=passes.QUEUE, pass_context=True, queueing_lock=TICK)
            app.periodic(cron=self._ways.every)(made(self._on_tick))
        return app

    async def _take_up(self) -> None:
        """Give what dead workers had to the others, and say so where the queue is out of reach."""
        lost = False
        while True:
            await asyncio.sleep(self._ways.silent / 3)
            try:
                taken = await asyncio.to_thread(passes.take_up, self._url, self._ways.silent)
            except QueueError as error:
                if not lost:
                    _say(f"{error}; hosts that were begun with are finished")
                lost = True
                continue
            if lost:
                _say("the queue can be reached again")
            lost = False
            for host in taken:
                _say(f"{host}: its worker is gone; it is in the queue again")

    async def _on_tick(self, context: JobContext, /, timestamp: int) -> None:
        """Make a pass: of all workers that have this schedule one does so."""
        given = dict(self._ways.scheduled or {})
        limit = given.pop("limit", None)
        hand = await self._hand(given["inventory"])
        try:
            name = await asyncio.to_thread(
                passes.begin, self._url, hand.hosts, asked(hand, limit, **given)
            )
        except passes.UnderWay as under_way:
            _say(str(under_way))
        else:
            _say(f"the pass {name} over {given['inventory']}: {len(hand.hosts)} hosts")

    async def _on_host(self, context: JobContext, /, **job: Any) -> None:
        """Have one host worked on.

        Raises:
            Again: it is to be tried again, by whoever comes first.
            Failed: its login is not proven.
            JobAborted: too many hosts of the pass have failed already.
        """
        await self._refuse_too_many(job)
        attempts = context.job.attempts
        try:
            answer = await self._answer(job, attempts)
        except Overdue as overdue:
            await self._account([job["host"]], job["of_pass"], "error", str(overdue))
            _say(f"{job['host']}: {overdue}")
            raise Failed("overdue") from None
        except (Problem, UsageError) as problem:
            if attempts + 1 >= self._ways.tries:
                await self._account([job["host"]], job["of_pass"], "error", str(problem))
            _say(f"{job['host']}: {problem}")
            raise Again from None
        word = answer["outcome"]
        _say(f"{job['host']}: {word}" + (f"; {answer['said']}" if answer.get("said") else ""))
        ended = code([word])
        if ended == 1 or answer.get("held") or not answer["kept"]:
            raise Again(word)
        if ended in {3, 4}:
            raise Failed(word)

    async def _answer(self, job: dict[str, Any], attempts: int) -> dict[str, Any]:
        if job.get("form") != passes.FORM:
            raise Problem("its job was made by another relogin than this one: update both")
        hand = await self._hand(job["inventory"])
        if hand.revision != job["revision"]:
            raise Problem(
                f"the pass is of revision {job['revision']} of {job['inventory']}, and this worker"
                f" has {hand.revision}: update it"
            )
        return await hand.work({**job, "attempts": attempts, "deadline": self._ways.deadline})

    async def _hand(self, inventory: str) -> Hand:
        """Give the process that has today's revision of an inventory loaded."""
        now = revision(inventory, Path.cwd())
        async with self._starting[inventory]:
            if (known := self._hands.get((inventory, now))) is None or known.ended:
                made = await Hand.begun(inventory, now, self._options, self._ledger)
                known = self._hands[inventory, now] = made
                for key in [one for one in self._hands if one[0] == inventory and one[1] != now]:
                    await self._hands.pop(key).end_when_idle()
        return known

    async def _refuse_too_many(self, job: dict[str, Any]) -> None:
        if job.get("allowed") is None:
            return
        found = await asyncio.to_thread(passes.standing, self._url, job["of_pass"])
        if len(found.failed) <= job["allowed"]:
            return
        left = await asyncio.to_thread(passes.leave_out, self._url, job["of_pass"])
        why = not_tried(len(found.failed))
        await self._account([job["host"], *left], job["of_pass"], "not-tried", why)
        _say(f"{job['host']} and {len(left)} others: {why}")
        raise exceptions.JobAborted

    async def _account(self, hosts: list[str], of_pass: str, word: str, why: str) -> None:
        while said := await asyncio.to_thread(accounts.account, hosts, of_pass, word, why):
            _say(said)
            await asyncio.sleep(self._ways.backoff)


def asked(hand: Hand, share: str | None, **given: Any) -> Asked:
    """Give what a scheduled pass asks for."""
    return Asked(revision=hand.revision, allowed=allowed(share, len(hand.hosts)), **given)


def _say(text: str) -> None:
    click.echo(redact(f"{time.strftime('%H:%M:%S')} {text}"), err=True)
