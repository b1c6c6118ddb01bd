"""Many hosts without a queue: so many are worked on at a time, and one that hangs holds up none."""

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator

from tests.command.fleets import Fleet, hung, names, until


@contextlib.contextmanager
def drifting(fleet: Fleet, *words: str) -> Iterator[list["subprocess.CompletedProcess[str]"]]:
    """Have a run on all hosts meanwhile; what hangs there is ended at last."""
    ended: list[subprocess.CompletedProcess[str]] = []
    given = ("drift", "inventory.py", "--ssh-password", "any", *words)
    asking = threading.Thread(target=lambda: ended.append(fleet.folder.run(*given)))
    asking.start()
    try:
        yield ended
    finally:
        while not ended:
            for pid in hung(fleet):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            asking.join(0.2)


def mended(fleet: Fleet, count: int) -> list[int]:
    files = [fleet.folder.home / f"env{number}" for number in range(count)]
    return [number for number, file in enumerate(files) if file.read_text() == "MODE=live\n"]


def test_a_host_that_hangs_holds_up_no_other_one(fleet):
    fleet.hosts(6, hung=(1,))
    with drifting(fleet, "--parallel", "2"):
        until(lambda: mended(fleet, 6) == [0, 2, 3, 4, 5] and hung(fleet))
        assert 1 == len(hung(fleet))


def test_fifty_hosts_are_worked_on_at_a_time(fleet):
    fleet.hosts(52, hung=tuple(range(52)))
    with drifting(fleet, "--json") as ended:
        until(lambda: len(hung(fleet)) == 50)
        assert [] == ended
    told = json.loads(ended[0].stdout)
    asked = (fleet.folder.home / "hung").read_text().split()
    assert 52 == len(asked), "the last two came when others had ended"
    assert names(52) == sorted(host["host"] for host in told["hosts"])
