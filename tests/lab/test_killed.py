"""The command's process is killed, its host reboots, or its clock jumps: no lease is ever stuck.

RELOGIN_TEST_ALL=1 kills it after each remote command, and waits for each lease's end by the clock.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from relogin.lease import HELD_FOR

from .cases import EVERYTHING
from .clocks import date_ahead, jump, right, set_right
from .host import Host
from .steps import Steps, sample, stepping
from .test_command import BREAK, COMMAND, ran
from .test_cuts import DECLARED, MOST, assert_left_whole
from .test_restore import differences, unexpected

pytestmark = pytest.mark.lab
ALL = bool(os.environ.get("RELOGIN_TEST_ALL"))
AFTER = range(1, MOST + 1)
KILLED = sample(
    [("another", at) for at in (AFTER if ALL else range(4, MOST - 6))]
    + [("the same", at) for at in AFTER if ALL],
    1,
)
# Another machine is one with another machine-id(5), or another name where there is none.
_ELSEWHERE = (
    'hostname other; [ ! -e /etc/machine-id ] || mount --bind "$0" /etc/machine-id; exec "$@"'
)
# With a backend that is broken still, systemd is done with starting, but calls itself degraded.
UP = """
timeout 60 systemctl is-system-running --wait >/dev/null || :
for _ in $(seq 100); do systemctl -q is-active ssh && exit; sleep 0.2; done; exit 1
"""
_LEASE = "cat /run/relogin-lease/halext/[1-9]* 2>/dev/null; date +%s"

Act = Callable[[Host, int], None]
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    with right(lab[0]):
        yield lab[0]
    lab[0].heal()


def stepped(host: Host, folder: Path, at: int, moment: str, do: Act) -> tuple[Done, Steps]:
    """Restore with the command; do something at a moment of its remote command of that number."""

    def act(name: str, number: int, when: str, pid: int) -> None:
        if (number, when) == (at, moment):
            do(host, pid)

    with stepping(act) as steps:
        return ran(folder, [host], "restore", program=steps.program), steps


def kill(host: Host, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def reboot(host: Host, pid: int) -> None:
    subprocess.run(["docker", "restart", "--time", "0", host.name], check=True, timeout=120)


def elsewhere(folder: Path) -> list[str | Path]:
    """Give the command as another machine runs it."""
    (folder / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    own = ["--mount", "--uts", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    return ["unshare", *own, "sh", "-c", _ELSEWHERE, folder / "machine-id", COMMAND]


def lasts(host: Host) -> int:
    """Give the seconds for which a lease on the host still holds; 0 where there is none."""
    *lease, now = host.root(_LEASE).splitlines()
    return max(0, int(lease[0]) - int(now)) if lease else 0


def assert_healed(
    host: Host, healthy: dict[str, str], folder: Path, program: Sequence[str | Path] = (COMMAND,)
) -> None:
    done = ran(folder, [host], "restore", program=program)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "What was done" not in done.stdout or 0 == lasts(host)  # who changes nothing takes none
    assert host.login().works
    again = json.loads(ran(folder, [host], "restore", "--json", program=program).stdout)
    [backend] = again["hosts"][0]["backends"]
    assert ("proven", []) == (backend["outcome"], backend["changes"])
    differ = differences(healthy, host.snapshot())
    assert {} == unexpected(differ, (*DECLARED, "file:/usr/local/"))  # where date_ahead is


@pytest.mark.parametrize(("machine", "at"), KILLED)
def test_who_was_killed_holds_up_nobody_beyond_the_lease(host, tmp_path, machine, at) -> None:
    """On the same machine it is known to be dead, and nobody waits at all."""
    healthy = host.snapshot()
    host.root(EVERYTHING)
    program = [COMMAND] if machine == "the same" else elsewhere(tmp_path)

    done, steps = stepped(host, tmp_path, at, "done", kill)

    assert_left_whole(host)
    assert (-signal.SIGKILL if steps.count(host.name) >= at else 0) == done.returncode
    left = lasts(host)
    assert HELD_FOR >= left
    if left and machine != "the same":
        assert_left_alone(ran(tmp_path, [host], "restore", program=program))
        let_end(host)
        assert 0 == lasts(host)
    assert_healed(host, healthy, tmp_path, program=program)


def assert_left_alone(refused: Done) -> None:
    """Another machine's run changes nothing: it is refused, or there is nothing left to change."""
    assert "What was done" not in refused.stdout
    if refused.returncode == 0:
        assert "people can log in; nothing was changed" in refused.stdout
        return
    assert 4 == refused.returncode, refused.stdout
    assert " is changing it now (run " in refused.stdout


def let_end(host: Host) -> None:
    if ALL:
        time.sleep(lasts(host) + 1)
    else:
        date_ahead(host, HELD_FOR + 1)


@pytest.mark.parametrize("at", sample(AFTER, 1))
def test_a_host_that_reboots_in_the_middle_is_mended_by_the_next_run(host, tmp_path, at) -> None:
    healthy = host.snapshot()
    host.root(EVERYTHING)

    done, steps = stepped(host, tmp_path, at, "sent", reboot)

    host.root(UP)
    assert_left_whole(host)
    if steps.count(host.name) > at:  # the last one only gives the lease up, behind the proof
        assert 1 == done.returncode, done.stdout
        assert "Traceback" not in done.stderr
        assert "people can log in again" not in done.stdout
    assert_healed(host, healthy, tmp_path)


@pytest.mark.parametrize("by", sample([-86400, 86400], 1))
def test_a_hosts_clock_that_jumps_in_the_middle_of_a_run_ends_no_lease(host, tmp_path, by) -> None:
    host.root(BREAK)
    done, _ = stepped(host, tmp_path, 4, "begin", lambda host, pid: jump(host, by))
    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"24 hours {'ahead of' if by > 0 else 'behind'} this machine's" in done.stdout
    assert "What needs you" in done.stdout
    set_right(host)
    assert host.login().token_status == 200
    assert "" == host.root("ls -R /run/relogin-lease 2>/dev/null; true").strip()
