"""What a probe measures: shares of times, errors, the memory of a service that really grows."""

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paramiko
import pytest

from relogin.facts import api_load
from relogin.facts.api_load import Memory, grown, memory, percentile, to_the_host
from relogin.facts.observation import Observation
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from tests.core.runs import connected
from tests.core.ssh_server import serving_ssh

# Children that hold so many MiB each, told by lines on standard input.
SERVICE = """
import os, sys
held, pid = [], os.fork()
if not pid:
    while True:
        import time; time.sleep(60)
print(os.getpid(), flush=True)
for line in sys.stdin:
    held.append(bytearray(b"x" * (int(line) << 20)))
    print("done", flush=True)
os.kill(pid, 9)
"""


@contextmanager
def service() -> Iterator["subprocess.Popen[str]"]:
    words = [sys.executable, "-c", SERVICE]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        it.stdout.readline()
        yield it


def seen(pid: int | None) -> Observation:
    state = ServiceState("hub", exists=True, active=True, state="active", main_pid=pid)
    return dataclasses.replace(Observation(Unreadable("")), service=state)


def resident(pid: int) -> int:
    """Ask ps, for the process and its children."""
    words = ["ps", "-o", "rss=", "-p", str(pid), "--ppid", str(pid)]
    return sum(map(int, subprocess.run(words, capture_output=True, check=True).stdout.split()))


def test_memory_is_what_ps_says_of_the_service_and_its_children():
    with connected() as (_, host), service() as running:
        found = memory(host, seen(running.pid))
        said = resident(running.pid)
    assert isinstance(found, Memory)
    assert 2 == found.processes
    assert abs(found.resident - said) < 2048


@pytest.mark.parametrize(("mib", "kind"), [(8, ""), (70, "memory-grows")])
def test_a_service_that_grows_is_told_by_how_much(mib, kind):
    with connected() as (_, host), service() as running:
        assert running.stdin is not None
        assert running.stdout is not None
        before = memory(host, seen(running.pid))
        print(mib, file=running.stdin, flush=True)
        running.stdout.readline()
        after = memory(host, seen(running.pid))
    tried = grown(before, after, 64, 100)
    assert (kind, not kind) == (tried.kind, tried.ok)
    assert "MiB after 100 requests, 2 processes" in tried.said


def test_a_service_that_was_restarted_is_told_from_one_that_shrank():
    before, after = Memory(2, 90_000, "100"), Memory(1, 20_000, "900")
    tried = grown(before, after, 64, 100)
    assert (False, "service-restarted") == (tried.ok, tried.kind)


def test_a_process_that_has_ended_is_not_measured():
    with connected() as (_, host):
        with service() as running:
            pass
        found = memory(host, seen(running.pid))
        assert Unreadable(f"process {running.pid} is not there any more") == found
        assert Unreadable("no process of the service is known") == memory(host, seen(None))
    assert None is grown(found, found, 64, 1).ok


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 0.5, 7.0),
        ([7.0], 0.95, 7.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
        ([float(one) for one in range(1, 101)], 0.95, 95.0),
        ([float(one) for one in range(1, 21)], 0.95, 19.0),
        ([float(one) for one in range(1, 20)], 0.95, 19.0),
    ],
)
def test_a_percentile_is_the_nearest_rank(values, share, expected):
    assert expected == percentile(values, share)


@pytest.mark.parametrize(
    ("sent", "failed", "kind"), [(200, 1, ""), (200, 2, "errors"), (100, 0, ""), (3, 1, "errors")]
)
def test_one_of_a_hundred_is_too_many(sent, failed, kind):
    tried = api_load._errors(0.01, sent, failed, {"GET /": failed} if failed else {})
    assert kind == tried.kind
    assert f"{failed} of {sent} requests failed" in tried.said


def test_the_way_to_the_host_is_the_middle_one_of_some():
    class Transport:
        def global_request(self, kind: str, *, wait: bool) -> None:
            assert (kind, wait) == ("keepalive@openssh.com", True)

    class Client:
        def get_transport(self) -> Transport:
            return Transport()

    times = iter([0, 5, 10, 11, 20, 22, 30, 33, 40, 44])
    connector: Any = type("Connector", (), {"client": Client()})
    host: Any = type("Host", (), {"connector": connector})
    assert 3 == to_the_host(host, lambda: next(times))
    with serving_ssh() as port, contextlib.closing(paramiko.Transport(("127.0.0.1", port))) as real:
        real.start_client(timeout=20)
        connector.client = type("Client", (), {"get_transport": lambda _: real})()
        assert 0 < to_the_host(host)
    with connected() as (_, local):
        assert 0 == to_the_host(local)
