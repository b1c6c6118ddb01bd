"""A pass over many hosts, each of an SSH server many times over, by three workers and by one.

30 of them; RELOGIN_TEST_ALL=1 has 1,000.
"""

import os
import signal

from tests.command.fleets import Fleet, jobs, names, under_way, until

COUNT = 1000 if os.environ.get("RELOGIN_TEST_ALL") else 30
PARALLEL = 4
PATIENCE = 60 + 4 * COUNT
DOING = (
    "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' GROUP BY worker_id ORDER BY 1"
)


def test_every_host_of_a_pass_is_in_the_ledger_once_by_three_workers_and_by_one(fleet):
    """Three of them are seen at work at once, each on as many hosts as it may, and no more."""
    fleet.folder.patience = PATIENCE
    fleet.hosts(COUNT)
    fleet.folder.backend.slow.clear()
    workers = [fleet.worker("--parallel", str(PARALLEL)) for _ in range(3)]
    with under_way(fleet) as ended:
        until(lambda: jobs(fleet) and fleet.sql(DOING) == [str(PARALLEL)] * 3, PATIENCE)
        fleet.folder.backend.slow.set()
    assert [2] == [one.returncode for one in ended], ended[0].stderr + "".join(fleet.said)
    assert_each_once(fleet, passes=1)
    for worker in workers[1:]:
        worker.send_signal(signal.SIGTERM)
    assert [0, 0] == [worker.wait(60) for worker in workers[1:]]
    done = fleet.drift()
    assert 0 == done.returncode, done.stderr + "".join(fleet.said)
    assert f"{COUNT} of {COUNT} hosts: {COUNT} proven" in done.stdout
    assert_each_once(fleet, passes=2)


def assert_each_once(fleet: Fleet, *, passes: int) -> None:
    """Each host has one run in each pass, all in all one change, and each job one try."""
    assert [f"{COUNT}|{COUNT}"] * passes == fleet.sql(
        "SELECT count(*), count(DISTINCT host) FROM relogin.result JOIN relogin.run"
        " ON run.id = result.run WHERE run.seconds IS NOT NULL GROUP BY pass"
    )
    assert [f"{name}|1" for name in names(COUNT)] == fleet.accounted()
    assert [f"succeeded|1|{COUNT * passes}"] == fleet.sql(
        "SELECT status, attempts, count(*) FROM procrastinate_jobs GROUP BY 1, 2"
    )
