"""Measure what each of many hosts costs the control machine: `python -m benchmarks.many`.

Some lab hosts, each many times over: `relogin drift` over healthy ones, 50 at a time.
"""

import argparse
import os
import sys
import time

from tests.lab.base import LabUnavailableError

from . import measure
from .hosts import ready
from .kept import MANY, write_part
from .measure import Cost
from .variants import Bench

_HEAD = """\
{title}

Measured {day} by `python -m benchmarks.many --hosts {hosts} --lab {lab}`, on
{cores} cores that the hosts share (load {load:.1f}): `relogin drift` over healthy hosts, {parallel}
at a time; they are {lab} of the lab's, each many times over. CPU and memory are of the control
machine's process; what a host more costs is worked out from the fewest hosts.

| hosts | wall s | CPU s | CPU ms a host more | peak MiB | KiB a host more |
|---|---|---|---|---|---|
"""
_GOAL = """\
The goal for 1,000 hosts is at most 12 CPU seconds and 250 MB. To connect to {most} hosts and run
`true` there, with nothing of relogin (paramiko under gevent, as pyinfra has it), takes {wall:.1f} s
and {cpu:.1f} CPU seconds by itself."""


def main() -> None:
    options = _options()
    numbers = sorted({int(word) for word in options.hosts.split(",")})
    try:
        with ready(options.lab) as bench:
            costs = {number: _cost(bench, number, options.parallel) for number in numbers}
            addresses = _addresses(bench, numbers[-1])
            alone = measure.run(bench.transport(addresses, options.parallel))
    except LabUnavailableError as error:
        sys.exit(f"The benchmark needs lab hosts: {error}")
    text = _told(costs, alone, options)
    print(text)
    if options.write:
        write_part(MANY, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description=__doc__)
    parser.add_argument("--hosts", default="50,200,1000", help="numbers of hosts (%(default)s)")
    # from the tenth that is about to log in an sshd drops some (sshd_config(5), MaxStartups)
    parser.add_argument("--lab", type=int, default=8, help="lab hosts behind them (%(default)s)")
    parser.add_argument("--parallel", type=int, default=50, help="at a time (%(default)s)")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    return parser.parse_args()


def _addresses(bench: Bench, number: int) -> list[str]:
    return [f"{bench.hosts[one % len(bench.hosts)].address}:22" for one in range(number)]


def _cost(bench: Bench, number: int, parallel: int) -> Cost:
    cost = measure.run(bench.drift(_addresses(bench, number), "--parallel", str(parallel)))
    print(f"{number} hosts: done", file=sys.stderr)
    return cost


def _told(costs: dict[int, Cost], alone: Cost, options: argparse.Namespace) -> str:
    about = _HEAD.format(
        title=MANY, day=time.strftime("%Y-%m-%d", time.gmtime()), hosts=options.hosts,
        lab=options.lab, parallel=options.parallel, cores=os.cpu_count(), load=os.getloadavg()[1],
    )  # fmt: skip
    fewest, least = next(iter(costs.items()))
    lines = []
    for number, cost in costs.items():
        more = number - fewest
        cpu = f"{(cost.cpu - least.cpu) / more * 1000:.1f}" if more else "-"
        memory = f"{(cost.peak - least.peak) / more * 1024:.0f}" if more else "-"
        lines.append(
            f"| {number} | {cost.wall:.1f} | {cost.cpu:.1f} | {cpu} | {cost.peak} | {memory} |"
        )
    goal = _GOAL.format(most=max(costs), wall=alone.wall, cpu=alone.cpu)
    return about + "\n".join([*lines, "", goal, ""])


if __name__ == "__main__":
    main()
