"""The result as Markdown."""

import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from .counts import Counts
from .measure import Cost, median
from .variants import NAMES

GOAL, OF_THE_COMMAND = 1.6, 1.1
_HEAD = """\
# What a pass over healthy hosts costs

Measured {date} by `make bench` (`python -m benchmarks --rounds {rounds}`), every variant in turn,
the hosts being containers on the same machine.

- {machine}; load average {load}
- {versions}

- **floor** is the same work by hand: OpenSSH, one connection, one script under sudo that checks the
  packages of requirements.txt (importlib.metadata), four keys of .env, role and account (psql) and
  the unit (systemctl); then the login by curl through the same connection (POST /token, GET
  /users/me).
- **plain pyinfra, the floor's requests** is `pyinfra INVENTORY deploys/restore_access.py -y` on the
  shipped example with `Login(refusals=False)` and without its probe: the same two requests, and one
  without a token beside the second. relogin is installed from its wheel in an environment of its
  own.
- **relogin restore** is `relogin restore INVENTORY` on the same, by a driver of its own: each host
  is connected to, looked at, logged in to and let go at its own pace. It keeps its history.
- **the full proof** also tries a wrong password and four forged tokens, side by side.

The goal on one host, the proof's extra requests aside, is at most {goal} x the floor for plain
pyinfra, and {command} x for the command.
"""
_CAVEATS = """\
Each round begins when the machine is idle, or after a minute. Seconds are medians, the minimum in
brackets; x is the ratio of the medians, in brackets that of the minima. CPU is user and system time
of the control machine's processes; what the hosts do shares its cores. The account's bcrypt cost is
4: at 12, which is the usual one, each check of a password takes some 0.2 s more, on the host in
every variant and once in relogin, and hides the rest. The lab's recorder of programs is off and
systemd-logind is masked. Round trips are worked out from the time that a delay of 50 ms each way
adds, so they have a little noise; the other counts have none.
"""


def markdown(
    costs: Mapping[tuple[int, str], Sequence[Cost]],
    counted: Mapping[str, Counts],
    *,
    rounds: int,
    load: tuple[float, float],
) -> str:
    """Give the page: what was measured where, the tables, and what to mind in reading them."""
    head = _HEAD.format(
        date=date.today().isoformat(),
        rounds=rounds,
        machine=_machine(),
        load=f"{load[0]:.1f} before, {load[1]:.1f} after",
        versions=_versions(),
        goal=GOAL,
        command=OF_THE_COMMAND,
    )
    return "\n".join([head, *_times(costs), "", *_counts(counted), "", _CAVEATS])


def _times(costs: Mapping[tuple[int, str], Sequence[Cost]]) -> Iterator[str]:
    yield "| hosts | what | wall s | x floor | CPU s | x floor |"
    yield "|---|---|---|---|---|---|"
    for (number, variant), runs in costs.items():
        floor = costs[number, "floor"]
        wall = compared([run.wall for run in runs], [run.wall for run in floor])
        cpu = compared([run.cpu for run in runs], [run.cpu for run in floor])
        yield f"| {number} | {NAMES[variant]} | {wall} | {cpu} |"


def compared(values: list[float], floor: list[float]) -> str:
    """Give median and minimum, and the ratios of both to the floor's: two cells."""
    middle, least = median(values), min(values)
    ratios = f"{middle / median(floor):.2f} ({least / min(floor):.2f})"
    return f"{middle:.2f} ({least:.2f}) | {ratios}"


def _counts(counted: Mapping[str, Counts]) -> Iterator[str]:
    if not counted:
        return
    yield "| one host | sessions | connections | bytes up | bytes down | round trips |"
    yield "|---|---|---|---|---|---|"
    for variant, found in counted.items():
        numbers = f"{found.sessions} | {found.connections} | {found.up} | {found.down}"
        yield f"| {NAMES[variant]} | {numbers} | {found.round_trips:.1f} |"


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = models[0] if models else platform.machine()
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release()}"


def _versions() -> str:
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True).stderr
    names = ("relogin", "pyinfra", "paramiko", "gevent")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    return f"Python {platform.python_version()}, {packages}, {ssh.partition(',')[0]}"
