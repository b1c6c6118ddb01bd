"""A pass over many hosts, each of an SSH server many times over, by one worker and by three.

30 of them; RELOGIN_TEST_ALL=1 has 1,000.
"""

import os

from tests.command.fleets import Fleet, names, under_way, until

COUNT = 1000 if os.environ.get("RELOGIN_TEST_ALL") else 30
PARALLEL = 4
DOING = (
    "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' GROUP BY worker_id ORDER BY 1"
)


def test_every_host_of_a_pass_is_in_the_ledger_once_by_one_worker_and_by_three(fleet):
    """Three of them are seen at work at once, each on as many hosts as it may, and no more."""
    fleet.folder.patience = 60 + 4 * COUNT
    fleet.hosts(COUNT)
    fleet.worker("--parallel", str(PARALLEL))
    done = fleet.drift()
    assert 2 == done.returncode, done.stderr + "".join(fleet.said)
    assert f"{COUNT} of {COUNT} hosts: {COUNT} findings" in done.stdout
    assert_each_once(fleet, passes=1)
    fleet.modes(COUNT, "dead")
    fleet.folder.backend.slow.clear()
    fleet.worker("--parallel", str(PARALLEL))
    fleet.worker("--parallel", str(PARALLEL))
    with under_way(fleet, "--cooldown", "0") as ended:
        until(lambda: fleet.sql(DOING) == [str(PARALLEL)] * 3, fleet.folder.patience)
        fleet.folder.backend.slow.set()
    assert [2] == [one.returncode for one in ended], ended[0].stderr + "".join(fleet.said)
    assert_each_once(fleet, passes=2)


def assert_each_once(fleet: Fleet, *, passes: int) -> None:
    """Each host has one run in each pass, with its one change; and each job one try."""
    assert [f"{COUNT}|{COUNT}"] * passes == fleet.sql(
        "SELECT count(*), count(DISTINCT host) FROM relogin.result JOIN relogin.run"
        " ON run.id = result.run WHERE run.seconds IS NOT NULL GROUP BY pass"
    )
    assert [f"{name}|{passes}" for name in names(COUNT)] == fleet.accounted()
    assert [f"succeeded|1|{COUNT * passes}"] == fleet.sql(
        "SELECT status, attempts, count(*) FROM procrastinate_jobs GROUP BY 1, 2"
    )
