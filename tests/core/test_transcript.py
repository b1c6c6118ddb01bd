"""What is kept of a run's log: each line with its host and run, redacted, and no endless one."""

import gc
import logging

from pyinfra import logger
from pyinfra.context import ctx_host, ctx_state

from relogin import Secret, run
from relogin.transcript import Transcript
from tests.core.verdicts import two_hosts


def lines(said: Transcript, host: str) -> list[str]:
    return [one["line"] for one in said.of(host)]


def test_a_line_is_kept_with_its_host_and_in_its_run() -> None:
    states = [two_hosts(), two_hosts()]
    records = [run.of(state) for state in states]
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        for number, state in enumerate(states):
            host = state.inventory.get_host("one")
            with ctx_state.use(state), ctx_host.use(host):
                logger.info(f"[one] \x1b[31mrun {number}\x1b[0m")
                logger.debug("for a debugger")
        logger.info("about no host")
    finally:
        logger.setLevel(level)
    assert [["run 0"], ["run 1"]] == [lines(one.said, "one") for one in records]
    assert [] == lines(records[0].said, "two")


def test_a_run_that_is_over_is_not_kept_for_its_transcript() -> None:
    before = len(logger.handlers)
    for _ in range(3):
        run.of(two_hosts())
    gc.collect()
    assert len(logger.handlers) - before <= 1


def test_of_a_long_one_the_beginning_and_the_end_are_kept() -> None:
    said = Transcript()
    for number in range(1000):
        said.keep("one", f"line {number}", 5.0 + number)
    kept = lines(said, "one")
    assert ("line 0", "line 999") == (kept[0], kept[-1])
    assert ["… 600 lines left out"] == [one for one in kept if "left out" in one]
    assert 401 == len(kept)


def test_what_is_or_looks_like_a_secret_is_left_out() -> None:
    Secret.seen("canary-in-the-log")
    said = Transcript()
    said.keep("one", "it is canary-in-the-log; password=hunter2\x1b[2J", 5.0)
    assert [r"it is ***; password=***"] == lines(said, "one")
    said.ours = True
    said.keep("one", "POST /token: answered 401 with canary-in-the-log", 6.0)
    assert "POST /token: answered 401 with ***" == lines(said, "one")[-1]
