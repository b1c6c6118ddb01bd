"""The relogin command on real hosts: what it costs, mends and honours, from any control machine."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.line import Line
from tests.outputs import assert_readable

from .cases.case import BACKEND
from .host import Host
from .inventory import GROUP_DATA, by, through, written
from .leaks import SIGNS, leaks
from .product import REPOSITORY, SECRETS
from .test_counts import commands, counted, forget
from .test_service import starts

pytestmark = pytest.mark.lab
COMMAND = Path(sys.executable).with_name("relogin")
BREAK = """
sed -i /^DEV_MODE=/d /srv/halext.org/halext-org/backend/.env
sudo -u postgres psql -qd halext_org -c "UPDATE users SET is_active = false WHERE username = 'ops'"
"""

# No SSH session begins before there are two (sshd(8), SSHRC).
GATE = """mkdir -m 1777 /run/gate
cat >/etc/ssh/sshrc <<'SH'
mktemp /run/gate/XXXXXX >/dev/null
until [ "$(ls /run/gate | wc -l)" -ge 2 ]; do sleep 0.1; done
SH
"""


@pytest.fixture
def hosts(lab: list[Host]) -> Iterator[list[Host]]:
    yield lab
    for host in lab:
        host.heal()


def ran(
    folder: Path,
    hosts: list[Host],
    *words: str,
    program: Sequence[str | Path] = (COMMAND,),
    line: Line | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command as a control machine of its own: `folder` is all that it remembers."""
    command, *options = words
    inventory = written(folder, *(through(line, one, folder) if line else by(one) for one in hosts))
    done = subprocess.run(
        [*program, command, inventory, *GROUP_DATA, *options],
        cwd=REPOSITORY, env={**os.environ, **SECRETS, "XDG_STATE_HOME": str(folder / "state")},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert_readable(words, done.stdout, folder)
    assert [] == leaks(done.stdout + done.stderr, SIGNS)
    for file in filter(Path.is_file, (folder / "state").rglob("*")):
        assert [] == leaks(file.read_bytes().decode(errors="replace"), SIGNS)
    return done


@pytest.mark.parametrize("command", ["diagnose", "restore", "drift"])
def test_a_healthy_host_costs_one_connection_and_one_command(hosts, tmp_path, command) -> None:
    [host, *_] = hosts
    host.root("""
    echo 'LogLevel DEBUG1' >/etc/ssh/sshd_config.d/verbose.conf
    systemctl restart ssh
    """)
    forget(host)
    with Line(host.address) as line:
        done = ran(tmp_path, [host], command, line=line)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert 1_000 < line.counts["sent"] < 32_000, line.counts
    assert 1_000 < line.counts["received"] < 32_000, line.counts
    assert line.counts["turns"] <= 48, line.counts  # pieces of an answer count too: 15 to 28 seen
    seen = counted(host)
    assert 1 <= seen.pop("tunnels") <= 9
    expected = {"connections": 1, "commands": 1, "subsystems": 0, "shells": 0, "forwardings": 0}
    assert (expected, 1) == (seen, commands(host))


def test_two_hosts_are_mended_side_by_side_and_then_left_alone(hosts, tmp_path) -> None:
    for host in hosts:
        host.root(BREAK)
    assert 3 == ran(tmp_path, hosts, "diagnose").returncode
    done = ran(tmp_path, hosts, "restore", "--json")
    assert 0 == done.returncode, done.stderr
    document = json.loads(done.stdout)
    assert [("proven", True)] * 2 == [
        (one["outcome"], bool(one["backends"][0]["changes"])) for one in document["hosts"]
    ]
    again = json.loads(ran(tmp_path, hosts, "restore", "--json").stdout)
    assert [([], [])] * 2 == [
        (one["backends"][0]["findings"], one["backends"][0]["changes"]) for one in again["hosts"]
    ]


def test_what_another_tool_changes_back_is_corrected_once_and_then_left_to_you(
    hosts, tmp_path
) -> None:
    [host, *_] = hosts
    tool = f"sed -i s/^DEV_MODE=.*/DEV_MODE=true/ {BACKEND}/.env"
    forms = ("--json", "--junit", str(tmp_path / "it.xml"), "--prometheus", str(tmp_path / "it"))
    host.root(tool)
    assert 2 == ran(tmp_path, [host], "drift", *forms).returncode
    assert "DEV_MODE=false" == host.root(f"grep ^DEV_MODE {BACKEND}/.env").strip()
    assert {} == refused_logins(tmp_path / "it")  # of before the first run nothing is counted
    host.root("s=$(date +%s); until [ $(date +%s) -gt $s ]; do sleep 0.1; done")
    for name in ("mallory", "mallory", "ops"):  # the journal has whole seconds
        assert 401 == host.login(name, "wrong").token_status
    host.root(tool)
    done = ran(tmp_path, [host], "drift", *forms)
    assert 4 == done.returncode, done.stderr
    [backend] = json.loads(done.stdout)["hosts"][0]["backends"]
    assert ("refused", []) == (backend["outcome"], backend["changes"])
    assert "DEV_MODE=true" == host.root(f"grep ^DEV_MODE {BACKEND}/.env").strip()
    assert {"unknown user": 2, "password differs": 1} == refused_logins(tmp_path / "it")


def refused_logins(file: Path) -> dict[str, float]:
    """Give what is told to Prometheus of logins that the backend's journal calls refused."""
    return {
        one.labels["reason"]: one.value
        for family in text_string_to_metric_families(file.read_text())
        if family.name == "relogin_refused_logins"
        for one in family.samples
    }


def test_what_one_machine_has_disabled_another_one_leaves_alone(hosts, tmp_path) -> None:
    [host, *_] = hosts
    ada, bob = tmp_path / "ada", tmp_path / "bob"
    ada.mkdir()
    bob.mkdir()
    said = ran(ada, [host], "disable", "--reason", "the database is moved", "--until", "2h")
    assert 0 == said.returncode, said.stderr
    there = "/var/lib/relogin/halext/disabled"
    assert "root 600" == host.root(f"stat -c '%U %a' {there}").strip()
    host.root(BREAK)
    done = ran(bob, [host], "restore")
    assert 4 == done.returncode, done.stdout
    assert "the database is moved" in done.stdout
    assert "" == host.root("grep DEV_MODE /srv/halext.org/halext-org/backend/.env; true").strip()
    assert 0 == ran(bob, [host], "enable").returncode
    assert 0 == ran(bob, [host], "restore").returncode
    assert "gone" == host.root(f"[ -e {there} ] || echo gone").strip()


def test_of_two_machines_that_restore_at_once_one_works_and_the_other_says_who(
    hosts, tmp_path
) -> None:
    [host, *_] = hosts
    host.root(BREAK)
    host.root("""cd /etc/systemd/system; mkdir halext-api.service.d
    printf '[Service]\\nExecStartPre=/bin/sleep 5\\n' >halext-api.service.d/slow.conf
    systemctl stop halext-api; systemctl daemon-reload""")
    machines = [tmp_path / "ada", tmp_path / "bob"]
    for folder in machines:
        folder.mkdir()
    before = starts(host)
    host.root(GATE)  # else the second may look while the first works, and finds all well

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda folder: ran(folder, [host], "restore"), machines))

    host.root("rm -r /etc/ssh/sshrc /run/gate")
    worked, left = sorted(done, key=lambda one: one.returncode)
    assert (0, 4) == (worked.returncode, left.returncode), worked.stdout + left.stdout
    assert "people can log in again" in worked.stdout
    assert "Left to another run" in left.stdout
    assert " is changing it now (run " in left.stdout
    assert "What was done" not in left.stdout
    assert before + 1 == starts(host)
    assert "" == host.root("ls -R /run/relogin-lease 2>/dev/null; true").strip()
    assert 0 == ran(machines[1], [host], "restore").returncode
