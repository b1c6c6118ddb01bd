"""Never together: a restart that is due, and something broken that the next start needs.

Somebody corrected the env file, so the backend runs on older values and nobody can log in; a
restart would help, were it not for the other fault, with which it would not come up again.
"""

from collections.abc import Iterator

import pytest

from .cases.case import BACKEND, RESTART, UNINSTALL, drop_in
from .host import Host
from .product import restore

pytestmark = pytest.mark.lab

DUE = f"""
cd {BACKEND}; cp -p .env /root/env.right
sed -i 's/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' .env
{RESTART}
sleep 1.1; cp -p /root/env.right .env.new; mv .env.new .env; rm /root/env.right
"""
NEVER_TOGETHER = {
    "venv.requirement-missing": f"{UNINSTALL} python-multipart; mv /srv/wheels /srv/wheels.away",
    "venv.missing": f"mv {BACKEND}/env {BACKEND}/env.away; mv /srv/wheels /srv/wheels.away\n"
    f"mkdir {BACKEND}/env; touch {BACKEND}/env/somebodys",
    "postgres.server-down": "systemctl stop postgresql@15-main\n"
    "echo 'nonsense = on' >>/etc/postgresql/15/main/postgresql.conf",
    "service.wrong-working-directory": drop_in("zzz", "[Service]\\nWorkingDirectory=/srv/nowhere"),
    "service.bad-setting": drop_in("bad", "[Service]\\nExecStart=\\nExecStart=relative/path x"),
}


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


def process(host: Host) -> str:
    return host.root("systemctl show halext-api -p MainPID,ExecMainStartTimestamp --value")


@pytest.mark.parametrize("fault", NEVER_TOGETHER)
def test_what_runs_is_left_running_while_its_next_start_would_fail(host: Host, fault: str) -> None:
    host.root(DUE + NEVER_TOGETHER[fault])
    before = process(host)

    ran = restore(host)

    assert 1 == ran.code, ran.output
    assert before == process(host), ran.output
    assert not [line for line in ran.section("What was done") if "restart" in line], ran.output
    assert f"not tried while there is {fault}" in ran.output.replace("\n", " "), ran.output


def test_once_that_is_mended_the_restart_is_made(host: Host) -> None:
    host.root(DUE + NEVER_TOGETHER["venv.requirement-missing"])
    assert 1 == restore(host).code
    host.root("mv /srv/wheels.away /srv/wheels")

    ran = restore(host)

    assert 0 == ran.code, ran.output
    assert host.login().works
