"""Every way to a host: users, sudo, forwarding or none, several hosts at once, no way at all."""

import dataclasses
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from paramiko import Ed25519Key, SSHClient

from relogin import web
from relogin.tunnel import Tunnel

from . import canaries
from .cases.case import BACKEND, PSQL
from .host import Host
from .inventory import at_a_terminal, block, by, run
from .product import Ran
from .steps import sample
from .test_restore import differences

pytestmark = pytest.mark.lab

# Needs root, the database's administrator and the service manager.
BREAK = f"""
systemctl stop halext-api
sed -i 's/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' {BACKEND}/.env
{PSQL} -c "ALTER ROLE halext_user PASSWORD 'of-yesterday'"
"""
PROVEN = "people can log in; nothing was changed"
HEALED = "people can log in again"


@pytest.fixture
def pair(lab: list[Host]) -> Iterator[list[Host]]:
    yield lab
    with ThreadPoolExecutor() as pool:
        list(pool.map(Host.heal, lab))


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


@pytest.mark.parametrize("user", ["root", "deploy"])
def test_a_user_who_is_root_or_becomes_it_without_a_password(host, tmp_path, user):
    host.root(BREAK)
    assert_healed(run(tmp_path, [by(host, user)]), host)


def test_a_sudo_password_that_the_inventory_names(host, tmp_path):
    host.root(BREAK)
    way = by(host, "deploypw", sudo_password="Secret.env('OF_SUDO')")
    assert_healed(run(tmp_path, [way], secrets={"OF_SUDO": canaries.SUDO_PASSWORD}), host)


OPTIONS = ("--same-sudo-password", "--use-sudo-password")
TYPED = [
    *sample([("pyinfra", option) for option in OPTIONS], 1),
    *(("relogin", option) for option in OPTIONS),
]


@pytest.mark.parametrize(("program", "option"), TYPED)
def test_a_sudo_password_that_is_typed(host, tmp_path, program, option):
    host.root(BREAK)
    host.forget_execs()
    typed = canaries.SUDO_PASSWORD
    ran = at_a_terminal(
        tmp_path, [by(host, "deploypw")], option, "-vvv", typed=typed, program=program
    )
    assert_healed(ran, host)
    assert canaries.SUDO_PASSWORD not in ran.output
    assert [] == [each.argv for each in host.execs() if each.holds(canaries.SUDO_PASSWORD)]


def test_a_wrong_sudo_password_is_tried_once_and_stops_that_host_alone(pair, tmp_path):
    one, two = pair
    one.root(BREAK)
    before = one.snapshot()
    ways = [
        by(host, "deploypw", sudo_password=f"Secret.env('OF_{host.name[-1]}')") for host in pair
    ]
    given = {"OF_1": "not-the-right-one", "OF_2": canaries.SUDO_PASSWORD}

    ran = run(tmp_path, ways, secrets=given)

    assert 1 == ran.code, ran.output
    assert "Traceback" not in ran.output
    said = "sudo refused the password that was given (tried once, so as not to lock you out)"
    assert 1 == log(ran).count(said), ran.output
    assert said in block(ran, one)
    assert PROVEN in block(ran, two)
    failures = one.root("journalctl -q --no-pager -t sudo").count("authentication failure")
    assert 1 == failures
    assert {} == differences(before, one.snapshot())


@pytest.mark.parametrize("way", [{"user": "nosudo"}, {"user": "deploy", "_sudo": "False"}], ids=str)
def test_without_root_nothing_is_guessed(host, tmp_path, way):
    host.root(BREAK)
    before = host.snapshot()

    ran = run(tmp_path, [by(host, **way)])

    assert 1 == ran.code, ran.output
    assert "Traceback" not in ran.output
    said = block(ran, host)
    assert f"env_file: {BACKEND}/.env cannot be read by the user we are on the host" in said
    assert "postgres: the server answers, but psql was not let in as its administrator" in said
    assert f"host: we were {way['user']} there, without root: log in as root, let" in said
    assert "the login could not be tried" in said
    assert {} == differences(before, host.snapshot())


def test_without_forwarding_the_login_is_proven_through_a_relay(host, tmp_path):
    host.root(BREAK)
    forbid(host, "AllowTcpForwarding no")
    assert_healed(run(tmp_path, [by(host)]), host)


def test_the_relay_runs_on_any_python_and_on_bash_alone(host):
    forbid(host, "PermitOpen none")
    tried: list[tuple[str, ...]] = [("python3",), ("no-such-python", "/no/python"), ()]
    with connected(host) as client:
        tunnels = [Tunnel(client.get_transport(), pythons) for pythons in tried]
        got = [asked(tunnel, "http://127.0.0.1/api/health") for tunnel in tunnels]
        closed = [asked(tunnel, "http://127.0.0.1:9/") for tunnel in tunnels]
    assert [(200, {"status": "ok"})] * 3 == [(each.status, each.json) for each in got]
    assert [(None, True)] * 3 == [(each.status, each.refused) for each in closed]


def test_without_forwarding_and_without_a_relay_one_line_says_what_to_allow(host):
    forbid(host, "AllowTcpForwarding no\nSetEnv PATH=/nowhere")
    with connected(host) as client:
        tunnel = Tunnel(client.get_transport(), ("python3",))
        got = asked(tunnel, "http://127.0.0.1:8000/api/health")
    expected = (
        "could not be asked: sshd forbids forwarding and there is neither Python nor bash for a "
        "relay; allow it for this user: AllowTcpForwarding local, PermitOpen 127.0.0.1:8000"
    )
    assert expected == got.shown


@pytest.mark.parametrize("case", ["closed port", "no such address"])
def test_a_host_that_is_not_reached_does_not_keep_the_other_from_its_proof(lab, tmp_path, case):
    one, two = lab
    nobody = re.sub(r"\.\d+\.\d+$", ".255.254", one.address)
    lost = {
        "closed port": by(one, ssh_port="2"),
        "no such address": by(dataclasses.replace(one, address=nobody), ssh_connect_timeout="2"),
    }[case]

    ran = run(tmp_path, [lost, by(two)])

    assert 1 == ran.code, ran.output
    assert "Traceback" not in ran.output
    assert PROVEN in block(ran, two)
    assert f"{one.name}: could not be reached; nothing is known" == block(ran, one)


def test_two_hosts_with_faults_of_their_own_are_healed_at_once(pair, tmp_path):
    one, two = pair
    one.root("systemctl stop halext-api")
    two.root(f"{PSQL} -d halext_org -c \"DELETE FROM users WHERE username = 'ops'\"")

    ran = run(tmp_path, [by(one), by(two)])

    assert 0 == ran.code, ran.output
    assert "✓ halext-api.service is stopped" in block(ran, one)
    assert "✓ account ops does not exist" in block(ran, two)
    assert "account ops" not in block(ran, one)
    assert [True, True] == [host.login().works for host in pair]


def test_a_limit_leaves_the_other_host_alone(pair, tmp_path):
    one, two = pair
    for host in pair:
        host.root("systemctl stop halext-api")
        host.forget_execs()

    ran = run(tmp_path, [by(one), by(two)], "deploys/restore_access.py", "-y", "--limit", two.name)

    assert 0 == ran.code, ran.output
    assert HEALED in block(ran, two)
    assert one.name not in ran.output
    assert [] == [each.argv for each in one.execs() if each.argv[0].endswith("sshd")]
    assert [False, True] == [host.login().works for host in pair]


def test_the_sudo_option_of_pyinfra_changes_nothing(host, tmp_path):
    host.root(BREAK)
    assert_healed(run(tmp_path, [by(host)], "deploys/restore_access.py", "-y", "--sudo"), host)


def test_a_dry_run_shows_what_would_be_mended_and_touches_nothing(host, tmp_path):
    host.root(BREAK)
    before = host.snapshot()

    ran = run(tmp_path, [by(host)], "deploys/restore_access.py", "--dry")

    assert 0 == ran.code, ran.output
    assert "Traceback" not in ran.output
    assert "people cannot log in" in block(ran, host)
    assert 3 == block(ran, host).count("would be mended: ")
    assert {} == differences(before, host.snapshot())


def test_a_dry_run_without_a_look_says_so(lab, tmp_path):
    host = lab[0]
    ran = run(tmp_path, [by(host)], "deploys/restore_access.py", "--dry", "-y")
    assert 0 == ran.code, ran.output
    assert "nothing was looked at (--dry with -y runs no operation" in block(ran, host)


SLOW = """
cd /run/systemd/system; mkdir halext-api.service.d
printf '[Service]\\nExecStartPre=/bin/sleep 4\\n' >halext-api.service.d/slow.conf
systemctl daemon-reload
systemctl stop halext-api
"""
CUT = """
until ps -eo args | grep -q '^systemctl .*start halext-api'; do sleep 0.1; done
pkill -f '^sshd: deploy@notty'
"""


def test_a_connection_that_is_lost_while_something_changes_is_healed_by_the_next_run(
    host, tmp_path
):
    host.root(SLOW)
    cut = threading.Thread(target=host.root, args=(CUT,))
    cut.start()

    ran = run(tmp_path, [by(host)])

    cut.join()
    assert 1 == ran.code, ran.output
    assert "Traceback" not in ran.output
    said = (
        "the outcome of a change is unknown: the connection was lost before the answer was complete"
    )
    assert 1 == log(ran).count(said), ran.output
    assert said in block(ran, host)

    assert 0 == run(tmp_path, [by(host)]).code
    assert host.login().works


def forbid(host: Host, setting: str) -> None:
    host.root(f"echo '{setting}' >/etc/ssh/sshd_config.d/test.conf; systemctl restart ssh")
    deadline = time.monotonic() + 10
    while host.ssh("true").returncode == 255 and time.monotonic() < deadline:
        time.sleep(0.1)


def asked(tunnel: Tunnel, url: str) -> web.Reply:
    return web.request(tunnel, "GET", url, headers={}, deadline=10)


def connected(host: Host) -> SSHClient:
    client = SSHClient()
    client.load_host_keys(str(host.known_hosts))
    key = Ed25519Key.from_private_key_file(str(host.key))
    client.connect(host.address, username="deploy", pkey=key, look_for_keys=False)
    return client


def log(ran: Ran) -> str:
    return ran.output.partition("─" * 78)[0]


def assert_healed(ran: Ran, host: Host) -> None:
    assert 0 == ran.code, ran.output
    assert HEALED in block(ran, host), ran.output
    assert "✗" not in block(ran, host), ran.output
    assert host.login().works
