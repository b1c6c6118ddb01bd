"""1,000 hosts in a queue: 20 of the lab's, each many times over, by workers of which one is killed.

By `make test-all`: it boots its hosts for itself.
"""

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.command.fleets import Fleet, jobs, under_way, until
from tests.command.folder import Folder, answering
from tests.command.shared import shared_server

from . import engine
from .base import BOOKWORM, LabUnavailableError
from .cases.case import BACKEND
from .host import Host
from .inventory import by
from .leaks import SIGNS, leaks
from .product import REPOSITORY, SECRETS
from .test_restore import EXAMPLE

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not os.environ.get("RELOGIN_TEST_ALL"), reason="by make test-all"),
]
HOSTS, TIMES = 20, 50
COUNT = HOSTS * TIMES
ENDED = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'"
MENDED = """
SELECT regexp_replace(host, '-at-[0-9]+$', ''), count(*) FROM relogin.change WHERE ok = 1
GROUP BY 1 ORDER BY 1
"""


@pytest.fixture(scope="module")
def hosts() -> Iterator[list[Host]]:
    try:
        with engine.hosts({BOOKWORM: HOSTS}) as booted:
            yield booted
    except LabUnavailableError as error:
        if engine.required():
            raise
        pytest.skip(f"lab skipped: {error}")


@pytest.fixture
def fleet(tmp_path: Path, hosts: list[Host]) -> Iterator[Fleet]:
    """Give a queue and a folder whose inventory has each host so many times."""
    lines = [
        by(dataclasses.replace(host, name=f"{host.name}-at-{number}")).line()
        for number in range(TIMES)
        for host in hosts
    ]
    with answering() as backend, shared_server() as server:
        made = Fleet(Folder(tmp_path, backend), server, 0)
        home = made.folder.home
        (home / "inventory.py").write_text(f"halext = [\n{''.join(lines)}]\n")
        (home / "group_data").mkdir()
        shutil.copy(REPOSITORY / "inventories/group_data/halext.py", home / "group_data")
        made.folder.patience = 3600
        made.environ |= SECRETS
        yield made
        made.end()


def test_a_pass_over_1000_hosts_by_three_workers_of_which_one_is_killed(
    fleet: Fleet, hosts: list[Host]
) -> None:
    with ThreadPoolExecutor(HOSTS) as pool:
        list(pool.map(lambda host: host.root(f"sed -i /^DEV_MODE=/d {BACKEND}/.env"), hosts))
    killed, *_ = [fleet.worker("--parallel", "12") for _ in range(3)]
    with under_way(fleet) as ended:
        until(lambda: jobs(fleet) == COUNT and int(fleet.sql(ENDED)[0]) > COUNT / 5, 900)
        killed.kill()
    assert [2] == [one.returncode for one in ended], told(fleet, ended)
    assert_accounted(fleet, passes=1)
    assert [f"{host.name}|1" for host in sorted(hosts, key=lambda one: one.name)] == fleet.sql(
        MENDED
    )
    for host in hosts:
        assert "1" == host.root(f"grep -c ^DEV_MODE= {BACKEND}/.env").strip()
        assert EXAMPLE.logs_in(host)

    with under_way(fleet) as ended:
        until(lambda: int(fleet.sql(ENDED)[0]) > COUNT * 1.2, 900)
        fleet.server.stop()
        fleet.server._launch(fleet.server.folder / "data")
    assert [0] == [one.returncode for one in ended], told(fleet, ended)
    assert f"{COUNT} of {COUNT} hosts: {COUNT} proven" in ended[0].stdout
    assert_accounted(fleet, passes=2)
    server = fleet.server
    at = ["-h", str(server.socket), "-p", str(server.port)]
    kept = server._run([str(server.bin / "pg_dump"), *at, "fleet"], "")
    assert hosts[0].name in kept
    assert [] == leaks(kept, {*SIGNS, *SECRETS.values()})


def told(fleet: Fleet, ended: list["subprocess.CompletedProcess[str]"]) -> str:
    return "".join(one.stdout[-3000:] + one.stderr[-3000:] for one in ended) + "".join(
        fleet.said[-50:]
    )


def assert_accounted(fleet: Fleet, *, passes: int) -> None:
    """Each host is in the ledger once for each pass, and no job is left."""
    assert [str(COUNT)] == fleet.sql("SELECT count(DISTINCT host) FROM relogin.result")
    assert [] == fleet.doubled()
    assert [f"succeeded|{COUNT * passes}"] == fleet.sql(
        "SELECT status, count(*) FROM procrastinate_jobs GROUP BY 1"
    )
