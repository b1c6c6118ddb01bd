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

from tests.command.fleets import Fleet, under_way, until
from tests.command.folder import Folder, answering
from tests.command.shared import shared_server

from .base import BOOKWORM
from .booted import booted
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


@pytest.fixture(scope="module")
def hosts() -> Iterator[list[Host]]:
    with booted({BOOKWORM: HOSTS}) as found:
        yield found


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with answering() as backend, shared_server() as server:
        made = Fleet(Folder(tmp_path, backend), server, 0)
        made.folder.patience = 3600
        made.environ |= SECRETS
        (made.folder.home / "group_data").mkdir()
        example = REPOSITORY / "inventories/group_data/halext.py"
        shutil.copy(example, made.folder.home / "group_data")
        yield made
        made.end()


def described(fleet: Fleet, hosts: list[Host], times: int) -> None:
    """Write an inventory that has each host so many times."""
    lines = [
        by(dataclasses.replace(host, name=f"{host.name}-at-{number}")).line()
        for number in range(times)
        for host in hosts
    ]
    (fleet.folder.home / "inventory.py").write_text(f"halext = [\n{''.join(lines)}]\n")


def test_a_pass_over_1000_hosts_survives_a_killed_worker_and_a_restart_of_the_queue(
    fleet: Fleet, hosts: list[Host]
) -> None:
    with ThreadPoolExecutor(HOSTS) as pool:
        list(pool.map(lambda host: host.root(f"sed -i /^DEV_MODE=/d {BACKEND}/.env"), hosts))
    killed, *_ = [fleet.worker("--parallel", "12") for _ in range(3)]
    described(fleet, hosts, 1)
    done = fleet.drift()
    assert 2 == done.returncode, told(fleet, done)
    assert [f"{HOSTS}|{HOSTS}"] == fleet.sql(
        "SELECT count(*), count(DISTINCT host) FROM relogin.change WHERE ok = 1"
    )
    for host in hosts:
        assert "1" == host.root(f"grep -c ^DEV_MODE= {BACKEND}/.env").strip()
        assert EXAMPLE.logs_in(host)

    described(fleet, hosts, TIMES)
    with under_way(fleet) as ended:
        until(lambda: worked(fleet) > COUNT * 0.2, 900)
        killed.kill()
        until(lambda: worked(fleet) > COUNT * 0.6, 900)
        fleet.server.stop()
        fleet.server._launch(fleet.server.folder / "data")
    assert [0] == [one.returncode for one in ended], told(fleet, *ended)
    assert f"{COUNT} of {COUNT} hosts: {COUNT} proven" in ended[0].stdout
    assert [str(COUNT)] == fleet.sql("SELECT count(DISTINCT host) FROM relogin.result")
    assert [] == fleet.doubled()
    assert [f"succeeded|{COUNT + HOSTS}"] == fleet.sql(
        "SELECT status, count(*) FROM procrastinate_jobs GROUP BY 1"
    )
    assert [str(HOSTS)] == fleet.sql("SELECT count(*) FROM relogin.change")
    server = fleet.server
    at = ["-h", str(server.socket), "-p", str(server.port)]
    kept = server._run([str(server.bin / "pg_dump"), *at, "fleet"], "")
    assert hosts[0].name in kept
    assert [] == leaks(kept, {*SIGNS, *SECRETS.values()})


def worked(fleet: Fleet) -> int:
    """Give how many jobs of the large pass have ended."""
    return int(fleet.sql("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'")[0])


def told(fleet: Fleet, *ended: "subprocess.CompletedProcess[str]") -> str:
    said = "".join(one.stdout[-3000:] + one.stderr[-3000:] for one in ended)
    return said + "".join(fleet.said[-50:])
