"""The worker's end of the process that works on hosts (relogin.fleet.hand)."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relogin.secret import Secret

_NUMBERS = itertools.count(1)
_GONE = "the process that works on hosts has ended"
_LONGEST = 2**26  # bytes of one line: the hosts of a large inventory are in the first one

_LOADING = 300  # seconds for an inventory: the other hosts of it wait for that


class Problem(Exception):
    """Raised where a host could not be worked on here; the message is one line."""


class Overdue(Problem):
    """Raised where what worked on a host was ended, for it took too long."""


class Hand:
    """A process with one revision of an inventory, and the `hosts` that it has."""

    def __init__(self, process: asyncio.subprocess.Process, revision: str) -> None:
        self._process, self.revision = process, revision
        self.hosts: list[str] = []
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    async def begun(
        cls, inventory: str, revision: str, options: dict[str, Any], ledger: Secret
    ) -> Hand:
        """Start one. What is secret goes by its stdin, not in its argv or environment.

        Raises:
            Problem: the inventory cannot be loaded, or not in time.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "relogin.fleet.hand", limit=_LONGEST,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        hand = cls(process, revision)
        hand._tell({**options, "inventory": inventory, "ledger": ledger.reveal()})
        assert process.stdout is not None  # noqa: S101 # it was asked for
        try:
            async with asyncio.timeout(_LOADING):
                line = await process.stdout.readline()
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise Problem(f"{inventory} was not loaded after {_LOADING} s") from None
        first = json.loads(line or f'{{"problem": "{_GONE}"}}')
        if "problem" in first:
            raise Problem(first["problem"])
        hand.hosts = first["hosts"]
        hand._reader = asyncio.create_task(hand._read())
        return hand

    @property
    def ended(self) -> bool:
        """Tell whether it is gone, or going."""
        return self._reader is None or self._reader.done()

    async def work(self, job: dict[str, Any]) -> dict[str, Any]:
        """Have one host worked on; give its outcome.

        Raises:
            Problem: it could not be.
            Overdue: it took longer than the job's `deadline` in seconds, and was ended.
        """
        number = next(_NUMBERS)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            if self.ended:
                raise Problem(_GONE)
            self._tell({**job, "id": number})
            answer = await self._waiting[number]
        finally:
            del self._waiting[number]
        if "problem" in answer:
            raise (Overdue if answer.get("overdue") else Problem)(answer["problem"])
        return answer

    async def end_when_idle(self) -> None:
        """Let it go once it has nothing to do; nobody asks it any more."""
        while self._waiting:
            await asyncio.sleep(0.2)
        await self.end()

    async def end(self) -> None:
        """Let it go, with all that it still works on."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(ProcessLookupError):
            await self._process.wait()

    def _tell(self, what: dict[str, Any]) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(what).encode() + b"\n")

    async def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 # it was asked for
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            if (waiting := self._waiting.get(answer["id"])) is not None and not waiting.done():
                waiting.set_result(answer)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result({"problem": _GONE})
