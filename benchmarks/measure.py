"""Run a command and tell what it cost."""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Cost:
    """Wall seconds of the whole process, and the CPU seconds (user, system) of all it started.

    `peak` is the memory in MiB of the largest of them.
    """

    wall: float
    cpu: float
    peak: int = 0


@dataclass(frozen=True)
class Command:
    """A variant's command line and what its environment has beside ours."""

    words: list[str]
    environment: Mapping[str, str]


def run(command: Command) -> Cost:
    """Run it once.

    Raises:
        RuntimeError: it failed, so that what it cost means nothing; with the end of what it said.
    """
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command.words,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd=REPOSITORY,
            env={**_environment(), **command.environment},
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            said.seek(0)
            raise RuntimeError(f"{command.words[:2]} failed: {said.read()[-3000:].decode()}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)


def _environment() -> dict[str, str]:
    """Give ours without what would change how the measured Python runs."""
    return {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}


def wait_until_idle(limit: float = 60) -> None:
    """Wait, at most so many seconds, for half a second in which the machine has little to do."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        before = _ticks()
        time.sleep(0.5)
        idle, total = (now - then for now, then in zip(_ticks(), before, strict=True))
        if idle > 0.85 * total:
            return


def _ticks() -> tuple[int, int]:
    """Give the CPUs' idle time and all time (proc(5), /proc/stat)."""
    numbers = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return numbers[3] + numbers[4], sum(numbers)


def median(values: list[float]) -> float:
    return statistics.median(values)
