"""A host with an engine and nothing else gets a Docker Compose backend; killed, it is completed.

In CI one backend is onboarded, and its run killed once, drawn by the seed that pytest prints;
RELOGIN_TEST_ALL=1 kills the runs of both after each change, until one has nothing left to change.
"""

import os
import signal
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from tests.lab.bare.described import committed, onboard
from tests.lab.compose.product import SECRETS, logs_in
from tests.lab.compose.watched import watched
from tests.lab.host import Host
from tests.lab.product import Ran
from tests.lab.steps import sample, stepping

pytestmark = pytest.mark.lab
ALL = bool(os.environ.get("RELOGIN_TEST_ALL"))
FIRST_CHANGE = 5
MOST = 17  # a whole onboarding has some more remote commands
FILES = {
    "receptionist": ("/opt/ai-receptionist/.env",),
    "agentcaller": ("/opt/agentcaller/.env", "/opt/agentcaller/infra/.env"),
    "edms": ("/opt/edms/.env",),
}
SERVICES = {
    "receptionist": "app postgres qdrant redis",
    "agentcaller": "backend db frontend redis",
    "edms": "backend db worker",
}
BARE = """
docker ps -aq | xargs -r docker rm -f >/dev/null
docker volume ls -q | xargs -r docker volume rm >/dev/null
docker rmi -f ai-receptionist-app:latest infra-backend:latest edms_prod-backend:latest >/dev/null
rm -rf /opt/ai-receptionist /opt/agentcaller /opt/edms
"""
RUNNING = "docker ps --format '{{.Label \"com.docker.compose.service\"}}' | sort | xargs"
VOLUMES = (
    "docker volume ls -q | sort | xargs docker volume inspect --format '{{.Name}} {{.CreatedAt}}'"
)
QUIET = (
    "for _ in $(seq 600); do ls /run/relogin/[1-9]* 2>/dev/null || exit 0; sleep 1; done; exit 1"
)


@pytest.fixture
def host(containers: Host) -> Iterator[Host]:
    """Give the host with an engine and its base images, as if the two had never been there."""
    containers.root(BARE)
    yield containers
    containers.heal()


def run(folder: Path, host: Host, name: str, *words: str, program: tuple[str, ...] = ()) -> Ran:
    return onboard(folder, {host: (name,)}, SECRETS, *words, program=program)


def killed(folder: Path, host: Host, name: str, at: int) -> bool:
    """Kill a run once its remote command of that number has ended; tell whether it came to that."""

    def act(_: str, number: int, moment: str, pid: int) -> None:
        if (number, moment) == (at, "done"):
            os.kill(pid, signal.SIGKILL)

    with stepping(act) as steps:
        ran = run(folder, host, name, program=steps.program)
    host.root(QUIET)
    return ran.code == -signal.SIGKILL


def assert_onboarded(folder: Path, host: Host, name: str) -> None:
    ran = run(folder, host, name)
    assert 0 == ran.code, ran.output
    assert "people can log in" in ran.verdict
    assert logs_in(host, name)
    assert SERVICES[name] == host.root(RUNNING).strip()
    for path in FILES[name]:
        assert "600" == host.root(f"stat -c %a {path}").strip()


@pytest.mark.parametrize("name", sample(list(FILES), 1))
def test_a_project_is_made_and_a_second_run_changes_nothing(
    tmp_path: Path, host: Host, name: str
) -> None:
    committed(tmp_path, name)
    later = cycle(range(FIRST_CHANGE, FIRST_CHANGE + 3))
    with watched(host, making=True):
        if ALL:
            assert any(not killed(tmp_path, host, name, next(later)) for _ in range(60))
        else:
            assert killed(tmp_path, host, name, *sample(range(FIRST_CHANGE, MOST), 1))
        assert_onboarded(tmp_path, host, name)
    before = host.root(VOLUMES)
    with watched(host):
        again = run(tmp_path, host, name)
    assert 0 == again.code, again.output
    assert "people can log in; nothing was changed" in again.verdict
    assert before == host.root(VOLUMES)


@pytest.mark.skipif(not ALL, reason="RELOGIN_TEST_ALL=1 has it")
def test_a_project_that_has_lost_its_data_is_not_made_anew(tmp_path: Path, host: Host) -> None:
    """A part of it that is left says that it lived here: an empty volume would hide the loss."""
    committed(tmp_path, "receptionist")
    labels = "--label com.docker.compose.project=ai-receptionist"
    labels += " --label com.docker.compose.service=redis --label com.docker.compose.oneoff=False"
    host.root(f"docker create --name left {labels} lab/redis:7")
    ran = run(tmp_path, host, "receptionist")
    assert 1 == ran.code, ran.output
    assert "volume ai-receptionist_pgdata does not exist" in ran.output
    assert "" == host.root("docker volume ls -q --filter name=pgdata").strip()
