"""Run every test, in parts, three of them side by side.

    python -m tests [OPTION OF PYTEST…]

What a part prints is shown when it ends, and is in .make/tests/PART.log while it runs. Last of all
come the minutes beside their budget, which no test asserts: a machine may be busy.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path

from .lab import engine
from .lab.base import BACKENDS, BARE, BOOKWORM, COMPOSE, TRIXIE, LabUnavailableError
from .lab.side_by_side import all_seconds

LOGS = Path(__file__).parents[1] / ".make" / "tests"
FLEET = tuple(f"tests/command/test_fleet{name}.py" for name in ("", "_many", "_trouble"))
WITHOUT_HOSTS = ("without-hosts", "tests", *(f"--ignore={path}" for path in ("tests/lab", *FLEET)))
MANY_BACKENDS = ("tests/lab/compose", "tests/lab/backends")
CASES = ("tests/lab/test_restore.py", "tests/lab/test_hosts.py", "tests/lab/test_pairs.py")
# The cases come last: on three hosts at once they fill both cores also when nothing else runs. The
# fleet's tests, which need no host, are where all parts end together.
ON_HOSTS = (
    ("hosts", "tests/lab", *(f"--ignore={path}" for path in (*MANY_BACKENDS, *CASES)), *FLEET),
    ("many-backends", *MANY_BACKENDS),
    ("cases", *CASES),
)
SIDE_BY_SIDE = 3  # more would only wait for each other, on two cores
BUDGET, OF_CASES = 50, 18  # minutes of all, and of the part with the catalogue's cases
NOTHING_CHOSEN = 5  # pytest's exit code where its options leave no test


def main(options: Sequence[str]) -> int:
    """Give 0 if no part failed; pytest's own code where the options leave no test in any of them.

    The images are made while the first part runs.
    """
    started = time.monotonic()
    # where nobody keeps bytecode, each of the tests' some thousand commands would compile it anew
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    LOGS.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool, ExitStack() as kept:
        running = [pool.submit(_part, WITHOUT_HOSTS, options)]
        try:
            kept.enter_context(engine.prepared({BOOKWORM, TRIXIE, COMPOSE, BACKENDS, BARE}))
        except LabUnavailableError as error:  # the tests skip, or fail where it is required
            _say(f"no lab: {error}")
        running += [pool.submit(_part, part, options) for part in ON_HOSTS]
        codes, took = set(), {}
        for done in as_completed(running):
            part, code, minutes = done.result()
            output = (LOGS / f"{part}.log").read_text()
            _say(f"\n######## {part}: exit code {code}\n{output}")
            codes.add(code)
            took[part] = minutes, all_seconds(output)
    _say(taken(took, (time.monotonic() - started) / 60))
    if codes <= {0, NOTHING_CHOSEN}:
        return min(codes)
    return 1  # also where a signal ended one: its code is negative (subprocess, returncode)


def taken(took: Mapping[str, tuple[float, int]], whole: float) -> str:
    """Say each part's minutes beside what it may take, and its cases' seconds, which overlap."""
    parts = []
    for part, (minutes, seconds) in took.items():
        may = f" of {OF_CASES}" if part == "cases" else ""
        summed = f"; its cases, side by side, sum up to {seconds / 60:.1f}" if seconds else ""
        parts.append(f"  {part}: {minutes:.1f}{may} minutes{summed}")
    return "\n".join([f"\n######## {whole:.1f} of {BUDGET} minutes", *parts])


def _part(part: Sequence[str], options: Sequence[str]) -> tuple[str, int, float]:
    name, *words = part
    log = LOGS / f"{name}.log"
    started = time.monotonic()
    _say(f"running: {name} (tail -f {log.relative_to(LOGS.parents[1])})")
    with log.open("w") as output:
        command = [sys.executable, "-m", "pytest", "--durations=25", *words, *options]
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    return name, done.returncode, (time.monotonic() - started) / 60


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
