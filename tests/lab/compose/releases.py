"""AI Receptionist as a git working tree on a lab host, and a client on it that logs in."""

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import windows
from tests.lab.compose import canaries
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
TEAR_DOWN = """rm -rf /srv/git /run/stop-client; docker rmi -f relogin-former/receptionist
umount -l /opt /var/lib/relogin; true"""
_CHANGED = f"""
from dataclasses import replace as _replace
from runpy import run_path as _run_path

from relogin import Source as _Source

_example = _run_path("inventories/group_data/receptionist.py")["receptionist"]
receptionist = _replace(_example, source=_Source({TOP!r}, "main"))
del _example
"""
# With a token of before; `1` where a fresh login, its token and that one all work.
_CLIENT = f"""
import json, os, time, urllib.request
def ask(path, body=None, token=None):
    headers = {{"Content-Type": "application/json"}}
    if token: headers["Authorization"] = "Bearer " + token
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request("http://127.0.0.1:8002" + path, data, headers)
    return json.load(urllib.request.urlopen(request, timeout=30))
def log_in():
    fields = {{"email": "owner@example.com", "password": {canaries.OWNER_PASSWORD!r}}}
    return ask("/api/auth/login", fields)["access_token"]
first = log_in()
while not os.path.exists("/run/stop-client"):
    begun, works = time.monotonic(), 1
    try:
        for token in (log_in(), first): ask("/api/auth/me", token=token)
    except Exception: works = 0
    print(begun, works, flush=True)
    time.sleep(0.1)
for token in (first,): ask("/api/auth/me", token=token); print("old token good")
"""


def committed(host: Host, change: str) -> str:
    """Commit a change (a script in the source's folder) and push it; give its id."""
    return host.root(f"""set -e
    rm -rf /tmp/work; git clone -q {BARE} /tmp/work; cd /tmp/work
    {{ {change}
    }} >&2
    git add -A; {GIT} commit -q -m change; git push -q origin HEAD:main; git rev-parse HEAD
    rm -rf /tmp/work""").strip()


def small(host: Host, folder: str) -> None:
    """Put what is in a folder of the host on a file system that can be filled in a moment."""
    host.root(f"""mkdir -p {folder} /run/small; cp -a {folder}/. /run/small/
    mount -t tmpfs -o size=300m tmpfs {folder}; cp -a /run/small/. {folder}/; rm -r /run/small""")


def fill(host: Host, folder: str) -> None:
    """Leave no byte on that file system."""
    host.root(f"dd if=/dev/zero of={folder}/filler bs=64k; cat /dev/zero >>{folder}/filler; :")


def at(host: Host) -> str:
    """Give the commit that the working tree is at, and what of it is not as committed."""
    return host.root(f"cd {TOP}; git rev-parse HEAD; git status --porcelain -uno").strip()


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


@dataclass
class Client:
    """What a client on the host saw: when each attempt began, and whether it worked."""

    seen: list[tuple[float, bool]] = field(default_factory=list)
    old_token_good: bool = False

    def read(self, text: str) -> None:
        for line in text.splitlines():
            if line == "old token good":
                self.old_token_good = True
            else:
                begun, works = line.split()
                self.seen.append((float(begun), works == "1"))

    @property
    def window(self) -> float:
        """Give the longest time in seconds in which nobody could log in."""
        longest, down = 0.0, None
        for moment, works in self.seen:
            down = None if works else moment if down is None else down
            longest = max(longest, moment - down + 0.1) if down is not None else longest
        return longest


@contextmanager
def logging_in(host: Host) -> Iterator[Client]:
    """Have a client on the host log in throughout."""
    client = Client()
    command = ["docker", "exec", "-i", host.name, "python3", "-"]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    collected: list[str] = []
    reader = threading.Thread(target=lambda: collected.append(running.communicate(_CLIENT)[0]))
    reader.start()
    try:
        yield client
    finally:
        host.root("touch /run/stop-client")
        reader.join(120)
        client.read("".join(collected))
        windows.note(client.window)
