"""AI Receptionist as a git working tree on a lab host, and its releases."""

from collections.abc import Sequence
from pathlib import Path

from tests.lab.compose.client import STOP
from tests.lab.compose.product import SECRETS
from tests.lab.compose.watched import watched
from tests.lab.host import Host
from tests.lab.inventory import by
from tests.lab.product import Ran, pyinfra

TOP = "/opt/ai-receptionist"
BARE = "/srv/git/receptionist.git"
STORE = "/var/lib/relogin/receptionist/release"
GIT = "git -c user.name=lab -c user.email=lab@example.com"
SET_UP = f"""
mkdir -p /srv/git; cd {TOP}
printf '.env\\nuploads/\\n' >.gitignore; mkdir -p uploads; echo precious >uploads/kept
git init -q -b main; git add .; {GIT} commit -q -m first
git clone -q --bare . {BARE}; git remote add origin {BARE}
"""
TEAR_DOWN = f"""rm -rf /srv/git {STOP}; docker rmi -f relogin-former/receptionist
umount -l /opt /var/lib/relogin /var/lib/docker/tmp; true"""
_CHANGED = f"""
from dataclasses import replace as _replace
from runpy import run_path as _run_path

from relogin import Source as _Source

_example = _run_path("inventories/group_data/receptionist.py")["receptionist"]
receptionist = _replace(_example, source=_Source({TOP!r}, "main"))
del _example
"""


def committed(host: Host, change: str) -> str:
    """Commit a change (a script in the source's folder) and push it; give its id."""
    return host.root(f"""set -e
    rm -rf /tmp/work; git clone -q {BARE} /tmp/work; cd /tmp/work
    {{ {change}
    }} >&2
    git add -A; {GIT} commit -q -m change; git push -q origin HEAD:main; git rev-parse HEAD
    rm -rf /tmp/work""").strip()


def at(host: Host) -> str:
    """Give the commit that the working tree is at, and what of it is not as committed.

    Without a lock: the disk may be full.
    """
    status = "git --no-optional-locks status --porcelain -uno"
    return host.root(f"cd {TOP}; git rev-parse HEAD; {status}").strip()


def release(folder: Path, host: Host, *words: str, program: Sequence[str] = ()) -> Ran:
    """Run the release on the host, without a prompt."""
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data/receptionist.py").write_text(_CHANGED)
    path = folder / "hosts.py"
    path.write_text(f"receptionist = [\n{by(host).line()}]\n")
    data = ("--group-data", str(folder / "data"))
    command = (*data, "deploys/release.py", "-y", *words)
    with watched(host):
        return pyinfra(
            [], *command, inventory=str(path), secrets=SECRETS, program=program, timeout=900
        )
