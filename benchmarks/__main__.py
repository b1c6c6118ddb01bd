"""Measure a pass over healthy lab hosts, interleaved with the floor: `python -m benchmarks`."""

import argparse
import os
import sys
from collections import defaultdict

from tests.lab.base import LabUnavailableError

from . import measure, report
from .counts import counts
from .hosts import ready
from .kept import PASSES, write_part
from .measure import Cost
from .variants import NAMES, Bench

Costs = dict[tuple[int, str], list[Cost]]


def main() -> None:
    options = _options()
    numbers = sorted({int(word) for word in options.hosts.split(",")})
    try:
        with ready(max(numbers)) as bench:
            before = os.getloadavg()[0]
            costs = timed(bench, numbers, options.rounds)
            load = before, os.getloadavg()[0]
            counted = {} if options.no_counts else {name: counts(bench, name) for name in NAMES}
    except LabUnavailableError as error:
        sys.exit(f"The benchmark needs lab hosts: {error}")
    text = report.markdown(costs, counted, rounds=options.rounds, load=load)
    print(text)
    if options.write:
        write_part(PASSES, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="runs of each variant (%(default)s)")
    parser.add_argument("--hosts", default="1,4", help="numbers of hosts (%(default)s)")
    parser.add_argument("--no-counts", action="store_true", help="only time")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    return parser.parse_args()


def timed(bench: Bench, numbers: list[int], rounds: int) -> Costs:
    """Run every variant so many times, in turn, after one run that warms every cache."""
    costs: Costs = defaultdict(list)
    for number in numbers:
        addresses = [f"{host.address}:22" for host in bench.hosts[:number]]
        for turn in range(rounds + 1):
            measure.wait_until_idle()
            for variant in NAMES:
                cost = measure.run(bench.command(variant, addresses))
                if turn:
                    costs[number, variant].append(cost)
        print(f"{number} host(s): done", file=sys.stderr)
    return costs


main()
