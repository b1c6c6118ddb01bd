"""Try a module's cases side by side, each on a host that is free; each test waits for its own."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue
from typing import Any

import pytest

from .cases.case import NOTHING
from .host import Host
from .leaks import assert_handed_back

Chain = Callable[[Host, Any], None]
# How long each case took, with healing, by its test's id: tests/conftest.py says the slowest.
SECONDS = pytest.StashKey[dict[str, float]]()


@contextmanager
def taken(free: "Queue[Host]") -> Iterator[Host]:
    """Give a host that nobody uses; afterwards it is healed, and free again."""
    host = free.get()
    try:
        yield host
    finally:
        try:
            host.heal()
        finally:
            free.put(host)


@contextmanager
def side_by_side(
    request: pytest.FixtureRequest, free: "Queue[Host]", chains: dict[str, Chain]
) -> Iterator[dict[str, "Future[float]"]]:
    """Start the chosen tests' chains (by the test's function); give their seconds by test id."""
    pool = ThreadPoolExecutor(free.qsize())
    started = {
        item.nodeid: pool.submit(_timed, free, chains[item.originalname], item.callspec.params)
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname in chains
    }
    try:
        yield started
    finally:
        pool.shutdown(cancel_futures=True)
        request.config.stash.setdefault(SECONDS, {}).update(_seconds(started))


def slowest(seconds: Mapping[str, float], count: int = 10) -> list[str]:
    """Give a line for each of the cases that took longest."""
    longest = sorted(seconds, key=seconds.__getitem__, reverse=True)[:count]
    return [f"{seconds[name]:6.1f} s  {name}" for name in longest]


def in_all(seconds: Mapping[str, float]) -> str:
    """Give the line that sums up the cases; `all_seconds` reads it."""
    return f"{sum(seconds.values()):.0f} s in all for {len(seconds)} cases on lab hosts"


def all_seconds(output: str) -> int:
    """Give the seconds of the cases whose sums were printed."""
    return sum(map(int, re.findall(r"(?m)^(\d+) s in all for \d+ cases", output)))


def _timed(free: "Queue[Host]", chain: Chain, given: dict[str, Any]) -> float:
    case = given["case"]
    host = free.get()
    started = time.monotonic()
    try:
        chain(host, case)
    finally:
        try:
            if getattr(case, "inject", "") != NOTHING:
                host.heal()
            else:  # where nothing was done, nothing has to be healed
                assert_handed_back(host)
        finally:
            free.put(host)
    return time.monotonic() - started


def _seconds(started: dict[str, "Future[float]"]) -> dict[str, float]:
    return {
        name: future.result()
        for name, future in started.items()
        if not future.cancelled() and future.exception() is None
    }
