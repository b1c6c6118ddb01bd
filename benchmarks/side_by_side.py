"""Compare a pass side by side: `python -m benchmarks.side_by_side`.

relogin, stock pyinfra, Ansible and the floor in turn on the same hosts; the hosts are healthy, or
have one fault to mend: their service is stopped before each run.
"""

import argparse
import os
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.lab.base import LabUnavailableError
from tests.lab.host import Host

from . import measure, peers, report
from .hosts import know, ready
from .kept import SIDE_BY_SIDE, write_part
from .measure import Command, Cost
from .proxy import proxy
from .variants import Bench

NAMES = {
    "floor": "floor: OpenSSH, one script, curl",
    "drift": "relogin drift",
    "login": "relogin by plain pyinfra",
    "stock": "pyinfra, its own operations",
    "shell": "Ansible, one shell task",
    "mitogen": "Ansible with Mitogen, its modules",
    "pipelined": "Ansible pipelined, its modules",
}
ROUND_TRIP = 0.03
_STOP = "systemctl stop halext-api; systemctl reset-failed halext-api 2>/dev/null || true"
# What the others do as well: start what is stopped, and wait until it answers.
_START = """\
systemctl is-active -q halext-api || systemctl start halext-api
until curl -sf -o /dev/null http://127.0.0.1/api/health; do sleep 0.05; done
"""
Costs = dict[tuple[str, str], list[Cost]]


def main() -> None:
    options = _options()
    numbers = sorted({int(word) for word in options.hosts.split(",")})
    variants = options.variants.split(",")
    try:
        with ready(max(numbers)) as bench:
            versions = _prepare(bench)
            patience = 0 if options.trial else 60
            costs = _compared(bench, numbers, variants, options.rounds, patience)
    except LabUnavailableError as error:
        sys.exit(f"The benchmark needs lab hosts: {error}")
    text = _told(costs, versions, options.rounds)
    print(text)
    if options.write:
        write_part(SIDE_BY_SIDE, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each variant (%(default)s)")
    parser.add_argument("--hosts", default="1,10,20", help="numbers of hosts (%(default)s)")
    parser.add_argument("--variants", default=",".join(NAMES), help="which ones (%(default)s)")
    parser.add_argument(
        "--trial", action="store_true", help="do not wait for an idle machine: no figures to keep"
    )
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    return parser.parse_args()


def _prepare(bench: Bench) -> str:
    mending = bench.folder / "mending"
    mending.mkdir()
    for name in ("expected", "login.curl", "ssh_config"):
        shutil.copy(bench.folder / name, mending / name)
    checks = (bench.folder / "checks.sh").read_text()
    (mending / "checks.sh").write_text(_START + checks)
    return peers.prepare(bench.folder)


def _command(bench: Bench, variant: str, addresses: list[str], *, broken: bool) -> Command:
    first = bench.hosts[0]
    if variant == "floor" and broken:
        found = bench.command("floor", addresses)
        return Command([found.words[0], str(bench.folder / "mending"), *addresses], {})
    if variant == "drift":
        return bench.drift(addresses)
    if variant == "stock":
        return peers.stock(bench.folder, bench.pyinfra, first, addresses)
    if variant in {"shell", "mitogen", "pipelined"}:
        return peers.ansible(bench.folder, first, addresses, how=variant)
    return bench.command(variant, addresses)


def _compared(
    bench: Bench, numbers: list[int], variants: list[str], rounds: int, patience: float
) -> Costs:
    """Run each variant so many times in each situation, in turn, after one run for the caches."""
    costs: Costs = defaultdict(list)
    for situation, hosts, addresses, broken in _situations(bench, numbers):
        for turn in range(rounds + 1):
            measure.wait_until_idle(patience)
            for variant in variants:
                if broken:
                    _break(hosts)
                cost = measure.run(_command(bench, variant, addresses, broken=broken))
                if turn:
                    costs[situation, variant].append(cost)
        print(f"{situation}: done", file=sys.stderr)
    return costs


def _situations(
    bench: Bench, numbers: list[int]
) -> Iterator[tuple[str, list[Host], list[str], bool]]:
    for number in numbers:
        hosts = bench.hosts[:number]
        addresses = [f"{host.address}:22" for host in hosts]
        of = "1 host" if number == 1 else f"{number} hosts"
        yield f"{of}, healthy", hosts, addresses, False
        yield f"{of}, one fault each", hosts, addresses, True
    with _far(bench) as address:
        far = f"1 host, {ROUND_TRIP * 1000:.0f} ms away"
        yield f"{far}, healthy", bench.hosts[:1], [address], False
        yield f"{far}, one fault", bench.hosts[:1], [address], True


@contextmanager
def _far(bench: Bench) -> Iterator[str]:
    with proxy(bench.hosts[0].address, delay=ROUND_TRIP / 2) as (port, _):
        address = f"127.0.0.1:{port}"
        know(bench.folder, bench.hosts[:1], [address])
        yield address


def _break(hosts: list[Host]) -> None:
    with ThreadPoolExecutor(len(hosts)) as pool:
        list(pool.map(lambda host: host.root(_STOP), hosts))


def _told(costs: Costs, versions: str, rounds: int) -> str:
    day = time.strftime("%Y-%m-%d", time.gmtime())
    lines = [
        SIDE_BY_SIDE, "",
        f"Measured {day} by `python -m benchmarks.side_by_side --rounds {rounds}`, in turn, on",
        f"{os.cpu_count()} cores that the hosts share (load {os.getloadavg()[1]:.1f}); {versions}.",
        "", _ABOUT, "",
        "| where | what | wall s | x floor | CPU s | x floor |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for (situation, variant), runs in costs.items():
        floor = costs.get((situation, "floor"), runs)
        wall = report.compared([run.wall for run in runs], [run.wall for run in floor])
        cpu = report.compared([run.cpu for run in runs], [run.cpu for run in floor])
        lines.append(f"| {situation} | {NAMES[variant]} | {wall} | {cpu} |")
    return "\n".join([*lines, ""])


_ABOUT = """\
The work is that of the floor above: packages, four keys of .env, role and account, unit, login and
a protected route. The fault is a service that is stopped; every variant starts it and waits until
it answers. pyinfra's own operations are pip.packages, files.line, server.shell (psql, curl) and
systemd.service; Ansible's modules command (pip, psql), lineinfile, systemd_service and uri, with as
many forks as hosts. relogin makes one request more (the route without a token) and keeps a history.
Seconds are medians, the minimum in brackets; CPU is that of the control machine's processes that
had ended by then: what Ansible leaves in the background (SSH masters) is not in it."""


if __name__ == "__main__":
    main()
