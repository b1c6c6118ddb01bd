"""What a run on a healthy host costs, counted by the host's own sshd and by a proxy before it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.line import Line

from .host import Host
from .inventory import block, by, run, through
from .product import Ran

pytestmark = pytest.mark.lab

# sshd's words at LogLevel DEBUG1.
COUNTED = {
    "connections": r"Accepted publickey for deploy",
    "commands": r"Starting session: command for deploy",
    "subsystems": r"Starting session: subsystem|subsystem request for",
    "shells": r"Starting session: shell",
    "tunnels": r"server_request_direct_tcpip: ",
    "forwardings": r"tcpip-forward|direct-streamlocal",
}


@pytest.fixture(scope="module")
def host(lab: list[Host]) -> Iterator[Host]:
    lab[0].root("""
    echo 'LogLevel DEBUG1' >/etc/ssh/sshd_config.d/verbose.conf
    systemctl restart ssh
    """)
    yield lab[0]
    lab[0].heal()


def counted(host: Host) -> dict[str, int]:
    """Count by sshd's journal what was asked of it since `forget`."""
    journal = host.root("journalctl --sync; journalctl -q --no-pager -o cat -t sshd")
    return {name: len(re.findall(said, journal)) for name, said in COUNTED.items()}


def forget(host: Host) -> None:
    host.root("journalctl -q --rotate --vacuum-time=1s 2>/dev/null; true")
    host.forget_execs()


@pytest.mark.parametrize("deploy", ["restore_access", "diagnose"])
def test_a_healthy_host_costs_one_connection_and_one_command(host, tmp_path, deploy):
    forget(host)

    ran = run(tmp_path, [by(host)], f"deploys/{deploy}.py", "-y")

    assert_healthy(ran, host)
    seen = counted(host)
    requests = seen.pop("tunnels")
    expected = {"connections": 1, "commands": 1, "subsystems": 0, "shells": 0, "forwardings": 0}
    assert expected == seen
    # login, route with and without the token, four forged ones, a wrong password, the probe
    assert 4 <= requests <= 9
    assert commands(host) == 1
    assert not {"sftp-server", "scp"} & programs(host)


def test_a_run_that_asks_first_looks_again_before_it_changes_anything(host, tmp_path):
    forget(host)
    ran = run(tmp_path, [by(host)], "deploys/restore_access.py", "--dry")
    assert_healthy(ran, host)
    assert (1, 1) == (counted(host)["connections"], counted(host)["commands"])


def test_nothing_is_left_on_a_healthy_host(host, tmp_path):
    before = host.root(LISTED)
    assert_healthy(run(tmp_path, [by(host)]), host)
    assert before == host.root(LISTED)


# A file that was there for a moment leaves its trace in the folder's time of change.
LISTED = """
cd /srv/halext.org/halext-org/backend
stat -c '%n %z' . /tmp /var/tmp /root /home/deploy /var/lib
find /tmp /var/tmp /root /home /var/lib/relogin -newer /etc/ssh/sshd_config.d/verbose.conf
true
"""


def test_a_healthy_host_costs_little_in_bytes(host, tmp_path):
    with Line(host.address) as line:
        ran = run(tmp_path, [through(line, host, tmp_path)])
    assert_healthy(ran, host)
    bytes_of = line.counts
    assert bytes_of["connections"] == 1
    assert 1_000 < bytes_of["sent"] < 32_000, bytes_of
    assert 1_000 < bytes_of["received"] < 32_000, bytes_of


def assert_healthy(ran: Ran, host: Host) -> None:
    assert 0 == ran.code, ran.output
    assert "people can log in; nothing was changed" in block(ran, host)


def commands(host: Host) -> int:
    """Count the shells that sshd started for a command: `bash -c …` of the session's user."""
    return sum(each.argv[:2] == ["bash", "-c"] and each.uid >= 1000 for each in host.execs())


def programs(host: Host) -> set[str]:
    return {Path(each.argv[0]).name for each in host.execs() if each.argv}
