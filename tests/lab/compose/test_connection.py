"""The database as the backend sees it: at its container's address, and through SSH."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compose.case import RECEPTIONIST, people
from tests.lab.compose.product import diagnose
from tests.lab.host import Host
from tests.lab.steps import sample

pytestmark = pytest.mark.lab

# Nobody gets in, so it is asked whether the backend's own URL connects.
REFUSED = people(RECEPTIONIST, "UPDATE users SET is_active = {} WHERE id = 1")
LOGGED = people(RECEPTIONIST, "ALTER SYSTEM SET log_connections = on; SELECT pg_reload_conf()")
IS_LOGGED = people(RECEPTIONIST, "SHOW log_connections")
LOGGED_NO_MORE = people(RECEPTIONIST, "ALTER SYSTEM RESET log_connections; SELECT pg_reload_conf()")
DATABASE = "ai-receptionist-postgres-1"
NETWORK = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}"
TARGET = r"server_request_direct_tcpip: .* target (\S+) port (\d+)"
WAYS = {
    "a channel": "AllowTcpForwarding yes",
    "a relay by bash": "AllowTcpForwarding no",
}


@pytest.fixture(params=sample(list(WAYS), 1))
def host(request: pytest.FixtureRequest, containers: Host) -> Iterator[Host]:
    """Give the host without a Python of its own, whose sshd says what is asked of it."""
    containers.root(f"""
    mkdir /root/python; mv /usr/bin/python3* /root/python/
    printf 'LogLevel DEBUG1\\n{WAYS[request.param]}\\n' >/etc/ssh/sshd_config.d/0.conf
    systemctl restart ssh
    {REFUSED.format("false")}
    {LOGGED}
    until ( {IS_LOGGED} ) | grep -q ' on'; do sleep 0.1; done""")
    yield containers
    containers.root(f"""
    mv /root/python/* /usr/bin/; rmdir /root/python
    rm /etc/ssh/sshd_config.d/0.conf; systemctl restart ssh
    {REFUSED.format("true")}
    {LOGGED_NO_MORE}""")


def test_the_backend_s_own_url_is_tried_at_its_database_s_container(
    tmp_path: Path, host: Host
) -> None:
    """No port of the database is published: nobody else's connection comes from the host."""
    address, gateway = host.root(f"docker inspect -f '{NETWORK}' {DATABASE}").split()
    host.root("journalctl -q --rotate --vacuum-time=1s 2>/dev/null; true")
    host.forget_execs()
    since = host.root("date +%s.%N").strip()

    ran = diagnose(tmp_path, host, RECEPTIONIST)

    assert "accounts.inactive" in ran.section("What was wrong first")[0], ran.output
    assert "postgres.url-refused" not in ran.verdict, ran.output
    said = host.root(f"docker logs --since {since} {DATABASE} 2>&1")
    assert "receptionist" in roles_from(gateway, said)
    asked = {at for at in forwarded(host) | relayed(host) if at[1] == "5432"}
    assert {(address, "5432")} == asked
    assert bool(forwarded(host)) != bool(relayed(host))
    assert "login.healthy-but-dead" in ran.verdict, ran.output


def roles_from(address: str, log: str) -> list[str]:
    """Give as whom PostgreSQL let each connection in that came from this address.

    One that only tries the port, as bash's relay does, was let in as nobody.
    """
    came = re.findall(rf"\[(\d+)\] LOG:  connection received: host={address} ", log)
    let_in = dict(re.findall(r"\[(\d+)\] LOG:  connection authorized: user=(\S+)", log))
    return [let_in.get(process, "") for process in came]


def forwarded(host: Host) -> set[tuple[str, str]]:
    """Give where sshd was asked to connect to, and was let."""
    journal = host.root("journalctl --sync; journalctl -q --no-pager -o cat -t sshd")
    return set() if "refused local port forward" in journal else {*re.findall(TARGET, journal)}


def relayed(host: Host) -> set[tuple[str, str]]:
    """Give where bash was told to connect to."""
    given = [each.argv for each in host.execs()]
    return {
        (one[-2], one[-1]) for one in given if one[:2] == ["bash", "-c"] and "/dev/tcp" in one[2]
    }
