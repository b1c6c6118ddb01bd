"""A bare host becomes one on which people log in, whatever interrupts it; what is not its is left.

In CI one run is killed, drawn by the seed that pytest prints; with RELOGIN_TEST_ALL=1 each run is
killed after its first change, or just behind, until one has nothing left to change.
"""

import json
import os
import signal
import subprocess
from itertools import cycle
from pathlib import Path

import pytest

from tests.lab import canaries
from tests.lab.cases.case import BACKEND
from tests.lab.host import Host
from tests.lab.image import BACKEND as CODE
from tests.lab.product import Ran, pyinfra
from tests.lab.steps import sample, stepping

pytestmark = pytest.mark.lab
ALL = bool(os.environ.get("RELOGIN_TEST_ALL"))
MOST = 34  # remote commands of a whole onboarding
# A run that has something to change looks twice, takes the lease, looks again, and changes it.
FIRST_CHANGE = 5
NAME = "org.halext.org"
ALIKE = f"server_name=({NAME!r}, '127.0.0.1')"
WHEELS = "venv=_replace(_example.venv, pip_args=('--no-index', '--find-links=/var/lib/wheels'))"
KEPT = "env_file=_keys(SECRET_KEY=_Secret.kept())"
# sshd, sudo and the firewall are somebody else's.
NOT_OURS = """
find /etc/ssh /etc/sudoers /etc/sudoers.d /etc/pam.d/sudo -type f -exec sha256sum {} + | sort
nft list ruleset 2>/dev/null; iptables-save 2>/dev/null | grep -v '^#'; true
"""
OURS = "/var/lib/relogin/halext"
HOST = "dpkg-query -W; getent passwd; ls /srv /etc/systemd/system /var/lib"
QUIET = (
    "for _ in $(seq 600); do ls /run/relogin/[1-9]* 2>/dev/null || exit 0; sleep 1; done; exit 1"
)


def committed(folder: Path) -> Path:
    """Give a repository of the control machine with the backend's code."""
    made = folder / "code"
    subprocess.run(["cp", "-r", CODE, made], check=True)
    own = ["git", "-C", made, "-c", "user.name=lab", "-c", "user.email=lab@example.com"]
    subprocess.run([*own, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*own, "add", "--", "*.py", "*.ini", "*.txt", "*.mako"], check=True)
    subprocess.run([*own, "commit", "-q", "-m", "first"], check=True)
    return made


def onboard(host: Host, code: Path, *more: str, program: tuple[str, ...] = ()) -> Ran:
    """Run `pyinfra … deploys/onboard.py -y` on the host."""
    source = f"source=_Source({BACKEND!r}, checkout={str(code)!r})"
    profile = ", ".join([f"onboard=_Onboard({ALIKE})", source, WHEELS, *more])
    words = ("deploys/onboard.py", "-y")
    return pyinfra([host], *words, profile=profile, program=program, timeout=1200)


def killed(host: Host, code: Path, at: int) -> bool:
    """Kill a run once its remote command of that number has ended; tell whether it came to that."""

    def act(name: str, number: int, moment: str, pid: int) -> None:
        if (number, moment) == (at, "done"):
            os.kill(pid, signal.SIGKILL)

    with stepping(act) as steps:
        ran = onboard(host, code, program=steps.program)
    host.root(QUIET)
    return ran.code == -signal.SIGKILL


def curl(host: Host, path: str, *lines: str) -> tuple[int, str]:
    """Ask nginx on the host from here, as people do; secrets go in on curl's stdin."""
    config = [*lines, f'url = "http://{host.address}{path}"', f'header = "Host: {NAME}"']
    config += ["silent", "max-time = 30", r'write-out = "\n%{http_code}"']
    done = subprocess.run(
        ["curl", "--disable", "--config", "-"],
        input="\n".join(config),
        capture_output=True,
        text=True,
        check=False,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def log_in(host: Host) -> tuple[int, int]:
    """Give the statuses of a login and of the protected route with its token."""
    code = canaries.ACCESS_CODE.replace("\\", "\\\\").replace('"', '\\"')
    form = {"grant_type": "password", "username": "ops", "password": canaries.OPS_PASSWORD}
    fields = [f'data-urlencode = "{key}={value}"' for key, value in form.items()]
    status, body = curl(host, "/token", f'header = "X-Halext-Code: {code}"', *fields)
    token = json.loads(body)["access_token"] if status == 200 else ""
    return status, curl(host, "/users/me", f'header = "Authorization: Bearer {token}"')[0]


def assert_onboarded(host: Host, code: Path) -> None:
    """See that people log in, and that neither the repair nor another onboarding finds anything."""
    ran = onboard(host, code)
    assert 0 == ran.code, ran.output
    assert "people can log in" in ran.verdict
    assert (200, 200) == log_in(host)
    words = ("deploys/restore_access.py", "-y")
    for again in (pyinfra([host], *words, profile=WHEELS), onboard(host, code)):
        assert 0 == again.code, again.output
        assert "people can log in; nothing was changed" in again.verdict
    said = host.root("systemd-analyze security halext-api.service --no-pager | tail -n 1")
    assert 5.0 > float(said.split("halext-api.service:")[1].split()[0])
    assert "600 halext" == host.root(f"stat -c '%a %U' {BACKEND}/.env").strip()


def assert_refused(host: Host, code: Path) -> None:
    """See that a value that nobody knows is named, with what to declare, and nothing changed."""
    before = host.root(HOST)
    ran = onboard(host, code, KEPT)
    assert 1 == ran.code
    assert f"SECRET_KEY of {BACKEND}/.env: the description says that it is kept" in ran.verdict
    assert "refused before anything was changed" in ran.verdict
    assert before == host.root(HOST)


def assert_left_alone(host: Host, code: Path) -> None:
    """See that nothing is begun where somebody has disabled it, and that this is said."""
    host.root(f"umask 077; mkdir -p {OURS}; printf '0\\nada@here\\nnot yet\\n' >{OURS}/disabled")
    before = host.root(HOST)
    ran = onboard(host, code)
    assert 1 == ran.code
    assert "disabled by ada@here until it is enabled again: not yet" in ran.verdict, ran.output
    assert before == host.root(HOST)
    host.root(f"rm -r {OURS}")


def assert_completed(host: Host, code: Path) -> None:
    """Refuse, kill and complete."""
    others = host.root(NOT_OURS)
    assert_refused(host, code)
    assert_left_alone(host, code)
    if ALL:
        later = cycle((FIRST_CHANGE, FIRST_CHANGE + 1, FIRST_CHANGE + 2))
        assert any(not killed(host, code, next(later)) for _ in range(60))
    else:
        assert killed(host, code, *sample(range(FIRST_CHANGE, MOST), 1))
    assert_onboarded(host, code)
    assert others == host.root(NOT_OURS)


def test_a_bare_host_becomes_one_on_which_people_log_in(bare: Host, tmp_path: Path) -> None:
    assert_completed(bare, committed(tmp_path))


if ALL:

    def test_so_does_one_with_debian_13(bare_trixie: Host, tmp_path: Path) -> None:
        assert_completed(bare_trixie, committed(tmp_path))
