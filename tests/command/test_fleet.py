"""A fleet: hosts in a queue, workers that come and die, and every host accounted for once."""

import json
import signal
import time
from pathlib import Path

import pytest

from tests.command import shared
from tests.command.fleets import Fleet, jobs, names, under_way, until
from tests.command.folder import PASSWORD


def test_two_workers_heal_every_host_once_and_the_ledger_has_all_of_them(fleet):
    fleet.hosts(6)
    workers = [fleet.worker(), fleet.worker()]
    done = fleet.drift("--json")
    assert 2 == done.returncode, done.stderr + "".join(fleet.said)
    told = json.loads(done.stdout)
    assert names(6) == sorted(host["host"] for host in told["hosts"])
    assert [f"{name}|1" for name in names(6)] == fleet.accounted()
    assert ["6"] == fleet.sql("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'")
    shown = fleet.folder.run("report", told["run"], "--ledger", "env:QUEUE", **fleet.environ)
    assert all(name in shown.stdout for name in names(6))
    again = fleet.drift()
    assert 0 == again.returncode, again.stdout + again.stderr
    assert "6 of 6 hosts: 6 proven" in again.stdout
    assert [f"{name}|1" for name in names(6)] == fleet.accounted()
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    assert [0, 0] == [worker.wait(60) for worker in workers]
    assert_no_secret(fleet)


def assert_no_secret(fleet: Fleet) -> None:
    """Neither the tables of the queue, nor those of the ledger, nor what was said has one."""
    tables = fleet.sql(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE tablename LIKE 'procrastinate%' OR schemaname = 'relogin'"
    )
    assert 10 <= len(tables)
    rows = [row for table in tables for row in fleet.sql(f"SELECT x::text FROM {table} x")]
    everything = "\n".join([*rows, *fleet.said])
    assert "web0" in everything
    for canary in (PASSWORD, shared.PASSWORD, fleet.url.split("//")[1].split("@")[0]):
        assert canary not in everything


def test_the_hosts_of_a_worker_that_is_killed_are_taken_up_and_none_is_lost(fleet):
    """It is killed while its hosts wait for their logins: what is changed is not changed again."""
    fleet.hosts(5)
    fleet.folder.backend.slow.clear()
    killed = fleet.worker()
    with under_way(fleet) as ended:
        until(lambda: len(fleet.folder.backend.logins) >= 3)
        shown = fleet.shown()
        assert "relogin.fleet.hand" in shown
        assert not any(word in shown for word in (PASSWORD, shared.PASSWORD, "canary"))
        killed.kill()
        killed.wait()
        assert not processes_of(fleet), "its processes outlive it"
        fleet.folder.backend.slow.set()
        fleet.worker()
    assert [2] == [one.returncode for one in ended], ended[0].stdout + ended[0].stderr
    assert names(5) == [row.split("|")[0] for row in fleet.accounted()]
    assert not [row for row in fleet.accounted() if int(row.split("|")[1]) > 1]
    assert [] == fleet.doubled()
    assert ["5"] == fleet.sql("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'")


def processes_of(fleet: Fleet) -> list[int]:
    """Give what works on hosts in this folder, once it had a moment to end."""
    deadline = time.monotonic() + 10
    while (found := _hands(fleet)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _hands(fleet: Fleet) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            here = (process / "cwd").readlink() == fleet.folder.home
        except OSError:
            continue
        if here and b"relogin.fleet.hand" in words:
            found.append(int(process.name))
    return found


def test_the_queue_restarted_in_the_middle_loses_and_doubles_nothing(fleet):
    fleet.hosts(5)
    fleet.folder.backend.slow.clear()
    fleet.worker()
    with under_way(fleet) as ended:
        until(lambda: len(fleet.folder.backend.logins) >= 3)
        fleet.server.stop()
        fleet.folder.backend.slow.set()
        fleet.server._launch(fleet.server.folder / "data")
    assert [2] == [one.returncode for one in ended], ended[0].stdout + ended[0].stderr
    assert [f"{name}|1" for name in names(5)] == fleet.accounted()
    assert [] == fleet.doubled()


def test_a_host_that_the_ledger_has_already_is_not_done_again(fleet):
    """Its worker died after the run was kept, and before the queue knew."""
    fleet.hosts(2)
    fleet.worker()
    assert 2 == fleet.drift().returncode
    logins = len(fleet.folder.backend.logins)
    finished = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'"
    fleet.server.sql(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL"
        " WHERE args ->> 'host' = 'web0'", "fleet"
    )  # fmt: skip
    assert ["1"] == fleet.sql(finished)
    until(lambda: fleet.sql(finished) == ["2"])
    assert logins == len(fleet.folder.backend.logins)
    assert [] == fleet.doubled()


def test_two_schedulers_at_once_make_one_pass(fleet):
    fleet.hosts(3)
    fleet.folder.backend.slow.clear()
    with under_way(fleet) as one, under_way(fleet) as other:
        until(lambda: one or other)
        [refused] = one or other
        assert 4 == refused.returncode
        assert "no second one was begun" in refused.stderr
        fleet.folder.backend.slow.set()
        fleet.worker()
    assert [2, 4] == sorted(found.returncode for found in (*one, *other))
    assert ["3"] == fleet.sql("SELECT count(*) FROM procrastinate_jobs")


def test_workers_that_share_a_schedule_make_one_pass_for_each_tick(fleet):
    """Every second is croniter's sixth field."""
    fleet.hosts(3, mode="live")
    every = ("--every", "* * * * * */5", "--inventory", "inventory.py")
    fleet.worker(*every)
    fleet.worker(*every)
    ticks = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'relogin.tick'"
    until(lambda: jobs(fleet))
    until(lambda: [int(one) for one in fleet.sql(ticks)] >= [2])
    passes = "SELECT count(DISTINCT args ->> 'of_pass') FROM procrastinate_jobs"
    until(lambda: [int(one) for one in fleet.sql(passes)] >= [2])
    doubled = "SELECT args ->> 'of_pass' FROM procrastinate_jobs WHERE task_name = 'relogin.host'"
    assert [] == fleet.sql(f"{doubled} GROUP BY 1 HAVING count(*) <> 3")
    assert [] == fleet.sql(
        "SELECT defer_timestamp FROM procrastinate_periodic_defers GROUP BY 1 HAVING count(*) > 1"
    )


def test_a_fleet_stops_after_the_declared_share_of_failures(fleet):
    fleet.hosts(9, lost=(0, 1), mode="live")
    fleet.worker("--parallel", "1", "--tries", "1")
    done = fleet.drift("--max-failures", "12%")
    assert 1 == done.returncode
    said = "not-tried: not tried: 2 hosts have failed, more than --max-failures allows"
    assert [f"web{number}: {said}" for number in range(2, 9)] == [
        line for line in done.stdout.splitlines() if "not-tried" in line
    ][:7]
    assert "9 of 9 hosts: 7 not-tried, 2 unreachable" in done.stdout
    assert [] == fleet.folder.backend.logins


def test_a_host_beyond_reach_is_tried_again_and_is_no_other_hosts_business(fleet):
    fleet.hosts(4, lost=(2,), mode="live")
    fleet.worker()
    done = fleet.drift()
    assert 1 == done.returncode
    assert "4 of 4 hosts: 3 proven, 1 unreachable" in done.stdout
    assert ["3"] == fleet.sql("SELECT attempts FROM procrastinate_jobs WHERE status = 'failed'")
    assert ["3"] == fleet.sql("SELECT count(*) FROM relogin.result WHERE host = 'web2'")


def test_a_worker_with_another_revision_leaves_the_host_alone_and_says_so(fleet, tmp_path):
    fleet.hosts(2)
    with under_way(fleet) as ended:
        until(lambda: jobs(fleet) == 2)
        inventory = fleet.folder.home / "inventory.py"
        inventory.write_text(inventory.read_text() + "# changed\n")
        fleet.worker()
    assert 1 == ended[0].returncode
    assert "2 of 2 hosts: 2 error" in ended[0].stdout
    assert "and this worker has" in ended[0].stdout
    assert [] == fleet.folder.backend.logins


def test_a_worker_of_an_older_version_refuses_in_one_line(fleet):
    fleet.hosts(1)
    fleet.folder.run("history", "--ledger", "env:QUEUE", **fleet.environ)
    fleet.server.sql("CREATE SCHEMA relogin AUTHORIZATION fleet", "fleet")
    fleet.server.sql("CREATE TABLE relogin.form AS SELECT 99 AS steps", "fleet")
    fleet.server.sql("ALTER TABLE relogin.form OWNER TO fleet", "fleet")
    worker = fleet.worker()
    assert 1 == worker.wait(60)
    until(lambda: fleet.said)
    assert ["written by a newer relogin" in line for line in fleet.said] == [True]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--data", "a=canary-9"), "--data is for relogin worker"),
        (("--ssh-password", "canary-9"), "--ssh-password is for relogin worker"),
        (("--max-failures", "many"), "--max-failures 'many' is no number"),
        (("--ledger", "sqlite:///x"), "is no URL of a PostgreSQL"),
    ],
)
def test_what_no_job_carries_is_refused_before_anything_is_queued(fleet, words, said):
    fleet.hosts(1)
    done = fleet.drift(*words)
    assert 64 == done.returncode
    assert said in done.stderr
    assert "canary-9" not in done.stderr
    assert ["f"] == fleet.sql("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")


def test_a_restore_stops_after_the_declared_failures_and_names_those_not_tried(fleet):
    """Without a queue."""
    fleet.hosts(5, lost=(1,), mode="live")
    words = ("--max-failures", "0", "--parallel", "1", "--ssh-password", "any")
    done = fleet.folder.run("restore", "inventory.py", *words, "--json")
    told = {host["host"]: host["outcome"] for host in json.loads(done.stdout)["hosts"]}
    left = {f"web{number}": "not-tried" for number in (2, 3, 4)}
    assert {"web0": "proven", "web1": "unreachable", **left} == told
    assert 1 == done.returncode
    assert "web3: not tried: 1 host has failed, more than --max-failures allows" in done.stderr
