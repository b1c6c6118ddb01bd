"""Two healthy backends in containers: nothing is found, nothing is changed, the login is proven."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compose.image import NAMES
from tests.lab.compose.product import diagnose, run, what_there_is
from tests.lab.compose.watched import removes, watched
from tests.lab.host import Host
from tests.lab.test_counts import counted

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("backend", NAMES)
def test_a_healthy_backend_has_no_findings(tmp_path: Path, containers: Host, backend: str) -> None:
    looked = diagnose(tmp_path, containers, backend)

    assert 0 == looked.code, looked.output
    assert "nothing was changed" in looked.verdict, looked.output
    assert [] == looked.section("What was wrong first"), looked.output
    assert [] == looked.section("What could not be seen"), looked.output


@pytest.mark.parametrize("backend", NAMES)
def test_a_healthy_database_is_sound(tmp_path: Path, containers: Host, backend: str) -> None:
    checked = run(tmp_path, containers, backend, "deploys/check_database.py", "--dry")

    assert 0 == checked.code, checked.output
    assert "the database is sound; nothing was changed" in checked.verdict, checked.output


@pytest.fixture
def counting(containers: Host) -> Iterator[Host]:
    """Give the host without a Python of its own, and an sshd that says what is asked of it."""
    containers.root("""
    mkdir /root/python; mv /usr/bin/python3* /root/python/
    echo 'LogLevel DEBUG1' >/etc/ssh/sshd_config.d/verbose.conf; systemctl restart ssh""")
    yield containers
    containers.root("""
    mv /root/python/* /usr/bin/; rmdir /root/python
    rm /etc/ssh/sshd_config.d/verbose.conf; systemctl restart ssh""")


@pytest.mark.parametrize("backend", NAMES)
def test_a_healthy_backend_is_proven_and_left_as_it_is_by_one_command_and_without_python(
    tmp_path: Path, counting: Host, backend: str
) -> None:
    before = what_there_is(counting)
    counting.root("journalctl -q --rotate --vacuum-time=1s 2>/dev/null; true")

    ran = run(tmp_path, counting, backend)

    assert 0 == ran.code, ran.output
    assert [] == ran.changed(), ran.output
    assert before == what_there_is(counting)
    assert {**ONE, "tunnels": counted(counting)["tunnels"]} == counted(counting)


ONE = {"connections": 1, "commands": 1, "subsystems": 0, "shells": 0, "forwardings": 0}


@pytest.mark.parametrize("making", [False, True])
def test_what_no_run_may_do_would_be_seen(containers: Host, making: bool) -> None:
    with pytest.raises(AssertionError) as failed, watched(containers, making=making):
        containers.root("docker volume rm $(docker volume create lost)")
    assert "volume destroy" in str(failed.value)
    with pytest.raises(AssertionError) as failed, watched(containers):
        containers.ssh("python3 -c 0")
    assert "on the host there was run: ['python3']" == str(failed.value).partition("\n")[0]
    assert removes(["docker", "compose", "-f", "x.yml", "up", "-d", "--remove-orphans"])
    assert removes(["/usr/libexec/docker/cli-plugins/docker-compose", "compose", "down", "-v"])
    assert not removes(["docker", "exec", "-i", "db", "psql", "-v", "ON_ERROR_STOP=1"])
