"""Try a module's cases side by side, each on a host that is free; each test waits for its own."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue

import pytest

from .cases.case import NOTHING, Case
from .host import Host

Chain = Callable[[Host, Case], None]


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
        _say_the_slowest(request, started)


def _timed(free: "Queue[Host]", chain: Chain, given: dict[str, Case]) -> float:
    case = given["case"]
    host = free.get()
    started = time.monotonic()
    try:
        chain(host, case)
    finally:
        try:
            if case.inject != NOTHING:  # where nothing was done, nothing has to be healed
                host.heal()
        finally:
            free.put(host)
    return time.monotonic() - started


def _say_the_slowest(request: pytest.FixtureRequest, started: dict[str, "Future[float]"]) -> None:
    seconds = {
        name: future.result()
        for name, future in started.items()
        if not future.cancelled() and future.exception() is None
    }
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    for name in sorted(seconds, key=seconds.__getitem__, reverse=True)[:5]:
        reporter.write_line(f"{seconds[name]:6.1f} s with healing: {name.partition('::')[2]}")
