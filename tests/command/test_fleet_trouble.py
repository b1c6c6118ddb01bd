"""A fleet in trouble: a host that hangs, and a line to the queue that is cut and comes back."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.command import shared
from tests.command.fleets import Fleet, alive, hung, jobs, names, under_way, until
from tests.line import Line

DONE = "SELECT args ->> 'host' FROM procrastinate_jobs WHERE status = 'succeeded' ORDER BY 1"


def test_a_host_that_hangs_holds_up_nobody_and_is_ended_by_its_deadline(fleet):
    """The first worker's deadline is far away: it is killed, and the second one takes the host."""
    fleet.hosts(5, hung=(1,))
    killed = fleet.worker("--parallel", "2")
    with under_way(fleet) as ended:
        until(lambda: fleet.sql(DONE) == ["web0", "web2", "web3", "web4"] if jobs(fleet) else False)
        assert hung(fleet)
        killed.kill()
        killed.wait()
        until(lambda: not hung(fleet))
        fleet.worker("--deadline", "2")
    assert [1] == [one.returncode for one in ended], ended[0].stdout + ended[0].stderr
    why = "web1: error: it had not ended after 2 s (--deadline), and was ended with its processes"
    assert why in ended[0].stdout.splitlines()
    assert 2 == len((fleet.folder.home / "hung").read_text().split()), "it is not tried again"
    assert [] == hung(fleet)
    failed = "SELECT args ->> 'host' FROM procrastinate_jobs WHERE status = 'failed'"
    assert ["web1"] == fleet.sql(failed)
    assert ["web1|error"] == fleet.sql(
        "SELECT host, outcome FROM relogin.result WHERE outcome <> 'findings'"
    )
    assert [f"{name}|{int(name != 'web1')}" for name in names(5)] == fleet.accounted()


def test_a_process_that_is_stopped_is_ended_by_its_deadline(fleet):
    """It cannot end itself: nothing that it would do in time runs any more."""
    fleet.hosts(1, hung=(0,))
    fleet.worker("--deadline", "2")
    with under_way(fleet) as ended:
        until(lambda: hung(fleet))
        group = os.getpgid(hung(fleet)[0])
        os.killpg(group, signal.SIGSTOP)
    assert [1] == [one.returncode for one in ended], ended[0].stdout + ended[0].stderr
    assert [] == hung(fleet)
    assert not alive(str(group))


@pytest.fixture
def line(fleet: Fleet) -> Iterator[Line]:
    with Line("127.0.0.1", fleet.server.port) as made:
        yield made


def test_a_cut_between_a_worker_and_the_queue_loses_and_doubles_nothing(fleet, line):
    """It is cut while hosts wait for their logins, and they end with it before it comes back."""
    fleet.hosts(6)
    backend = fleet.folder.backend
    backend.slow.clear()
    far = shared.url(fleet.server, "fleet").replace(f":{fleet.server.port}/", f":{line.port}/")
    fleet.worker("--parallel", "4", QUEUE=far)
    with under_way(fleet) as ended:
        until(lambda: len(backend.logins) >= 4)
        line.down()
        until(lambda: heard(fleet, "; hosts that were begun with are finished"))
        backend.slow.set()
        assert [] == fleet.sql(DONE)
        line.up()
    assert [2] == [one.returncode for one in ended], ended[0].stdout + "".join(fleet.said)
    assert "6 of 6 hosts: 6 findings" in ended[0].stdout
    until(lambda: heard(fleet, "the queue can be reached again"))
    assert [f"{name}|1" for name in names(6)] == fleet.accounted()
    assert names(6) == fleet.sql(DONE)
    assert [] == fleet.doubled()


def heard(fleet: Fleet, words: str) -> bool:
    return any(words in said for said in fleet.said)
