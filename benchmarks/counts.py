"""What a pass sends and opens; these have no noise."""

import time
from dataclasses import dataclass

from . import measure
from .hosts import know
from .proxy import proxy
from .variants import Bench

_DELAY = 0.05
_VERBOSE = "/etc/ssh/sshd_config.d/benchmark.conf"
_SESSIONS = "journalctl -q -o cat -t sshd --since @{since} | grep -c '^Starting session: ' || true"


@dataclass(frozen=True)
class Counts:
    """`round_trips` is from the slope over two delays, plus one for the TCP handshake."""

    sessions: int
    connections: int
    up: int
    down: int
    round_trips: float


def counts(bench: Bench, variant: str, rounds: int = 3) -> Counts:
    """Count one pass over the first host, and time it on a line with and without delay."""
    host = bench.hosts[0]
    with proxy(host.address) as (port, traffic):
        short = _walls(bench, variant, port, rounds)
        host.root(f"echo LogLevel VERBOSE >{_VERBOSE}; systemctl restart ssh")
        since = time.time()
        before = traffic.connections, traffic.up, traffic.down
        measure.run(bench.command(variant, [f"127.0.0.1:{port}"]))
        passed = traffic.connections, traffic.up, traffic.down
    sessions = int(host.root(_SESSIONS.format(since=since)))
    host.root(f"rm {_VERBOSE}; systemctl restart ssh")
    with proxy(host.address, delay=_DELAY) as (port, _):
        long = _walls(bench, variant, port, rounds)
    connections, up, down = (now - then for now, then in zip(passed, before, strict=True))
    return Counts(sessions, connections, up, down, (long - short) / (2 * _DELAY) + 1)


def _walls(bench: Bench, variant: str, port: int, rounds: int) -> float:
    address = f"127.0.0.1:{port}"
    know(bench.folder, bench.hosts[:1], [address])
    command = bench.command(variant, [address])
    return measure.median([measure.run(command).wall for _ in range(rounds)])
