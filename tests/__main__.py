"""Run every test, in parts, three of them side by side; the longest ones begin.

    python -m tests [OPTION OF PYTEST…]

What a part prints is shown when it ends, and is in .make/tests/PART.log while it runs.
"""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path

from .lab import engine
from .lab.base import BACKENDS, BOOKWORM, COMPOSE, TRIXIE, LabUnavailableError

LOGS = Path(__file__).parents[1] / ".make" / "tests"
WITHOUT_HOSTS = ("without-hosts", "tests", "--ignore=tests/lab")
MANY_BACKENDS = ("tests/lab/compose", "tests/lab/backends")
CASES = ("tests/lab/test_restore.py", "tests/lab/test_hosts.py", "tests/lab/test_pairs.py")
ON_HOSTS = (
    ("hosts", "tests/lab", *(f"--ignore={path}" for path in (*MANY_BACKENDS, *CASES))),
    ("cases", *CASES),
    ("many-backends", *MANY_BACKENDS),
)
SIDE_BY_SIDE = 3  # more would only wait for each other, on two cores
NOTHING_CHOSEN = 5  # pytest's exit code where its options leave no test


def main(options: Sequence[str]) -> int:
    """Give the worst exit code of the parts; the images are made while the first one runs."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool, ExitStack() as kept:
        running = [pool.submit(_part, WITHOUT_HOSTS, options)]
        try:
            kept.enter_context(engine.prepared({BOOKWORM, TRIXIE, COMPOSE, BACKENDS}))
        except LabUnavailableError as error:  # the tests skip, or fail where it is required
            _say(f"no lab: {error}")
        running += [pool.submit(_part, part, options) for part in ON_HOSTS]
        codes = []
        for done in as_completed(running):
            part, code = done.result()
            output = (LOGS / f"{part}.log").read_text()
            _say(f"\n######## {part}: exit code {code}\n{output}")
            codes.append(0 if code == NOTHING_CHOSEN else code)
    return max(codes)


def _part(part: Sequence[str], options: Sequence[str]) -> tuple[str, int]:
    name, *words = part
    log = LOGS / f"{name}.log"
    _say(f"running: {name} (tail -f {log.relative_to(LOGS.parents[1])})")
    with log.open("w") as output:
        command = [sys.executable, "-m", "pytest", *words, *options]
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    return name, done.returncode


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
