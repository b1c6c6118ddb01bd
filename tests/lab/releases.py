"""A git repository on a lab host, revisions of the backend in it, and a client that logs in."""

import http.client
import json
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import canaries, windows
from .cases.case import BACKEND
from .host import Host
from .product import SECRETS, Ran, pyinfra

TOP = BACKEND.rpartition("/")[0]
BARE = "/srv/git/halext.git"
STORE = "/var/lib/relogin/halext/release"
SOURCE = f"source=_Source({TOP!r}, 'main')"
GIT = "git -c user.name=lab -c user.email=lab@example.com"
# The backend's folder becomes a clone, as an admin would have made it: in place, as its own user.
SET_UP = f"""
mkdir -p /srv/git; chown halext: /srv/git
as() {{ runuser -u halext -- "$@"; }}
cd {TOP}
printf 'env/\\n.env\\n__pycache__/\\nuploads/\\n*.relogin-*\\n' >.gitignore
chown halext: .gitignore
mkdir -p {BACKEND}/uploads; echo precious >{BACKEND}/uploads/kept; echo mine >{BACKEND}/notes.txt
chown -R halext: {BACKEND}/uploads {BACKEND}/notes.txt
as git init -q -b main; echo notes.txt >>.git/info/exclude
as git add .; as {GIT} commit -q -m first
as git clone -q --bare . {BARE}; as git remote add origin {BARE}
"""
TEAR_DOWN = "rm -rf /srv/git /var/lib/relogin"
# What a revision changes: scripts in the backend's folder.
BETTER = 'sed -i \'s/"status": "ok"/"status": "better"/\' main.py'
BROKEN = "sed -i 's/^ALGORITHM = .*/ALGORITHM = \"none-such\"/' main.py"
MIGRATION = """
cat >migrations/versions/0002.py <<'TEXT'
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD COLUMN nickname text")
    STEP


def downgrade() -> None:
    op.execute("ALTER TABLE users DROP COLUMN nickname")
TEXT
"""
WITHOUT_WAY_BACK = MIGRATION.replace("STEP", "").replace("DROP COLUMN nickname", "DROP nick, 1 / 0")
DELETES = MIGRATION.replace("STEP", 'op.execute("DROP TABLE users")')
# It says its secrets while it fails, as a careless backend does.
ENDS_AT_ONCE = """cat >careless.py <<'TEXT'
import os, sys
for key in ("SECRET_KEY", "DATABASE_URL", "ACCESS_CODE"):
    print("with", os.environ[key], file=sys.stderr)
raise RuntimeError("no such luck with " + os.environ["SECRET_KEY"])
TEXT
sed -i '1i import careless' main.py"""
NEWER = "echo '# as of today' >>requirements.txt"


def committed(host: Host, change: str) -> str:
    """Commit a change of the backend's files (a script in its folder) and push it; give its id."""
    return host.root(f"""set -e
    rm -rf /tmp/tree; runuser -u halext -- git clone -q {BARE} /tmp/tree; cd /tmp/tree/backend
    {{ {change}
    }} >&2
    chown -R halext: /tmp/tree; cd /tmp/tree
    runuser -u halext -- git add -A; runuser -u halext -- {GIT} commit -q -m change
    runuser -u halext -- git push -q origin HEAD:main; git -c safe.directory='*' rev-parse HEAD
    rm -rf /tmp/tree""").strip()


def small(host: Host, folder: str, size: str) -> None:
    """Put what is in a folder of the host on a file system that can be filled in a moment."""
    host.root(f"""mkdir -p {folder} /run/small; cp -a {folder}/. /run/small/
    mount -t tmpfs -o size={size} tmpfs {folder}; cp -a /run/small/. {folder}/; rm -r /run/small""")


def fill(host: Host, folder: str) -> None:
    """Leave no byte on that file system."""
    host.root(f"dd if=/dev/zero of={folder}/filler bs=64k; cat /dev/zero >>{folder}/filler; :")


def checked_out(host: Host, folder: Path) -> None:
    """Clone the host's repository to the control machine, and take its remote from the host."""
    packed = host.console(["git", "--git-dir", BARE, "bundle", "create", "-q", "-", "main"])
    bundle = folder.with_suffix(".bundle")
    bundle.write_bytes(packed.stdout)
    subprocess.run(["git", "clone", "-q", "-b", "main", bundle, folder], check=True)
    host.root(f"runuser -u halext -- git -C {TOP} remote remove origin; rm -rf {BARE}")


def changed_here(folder: Path, name: str, before: str, after: str) -> str:
    """Commit a change of one file in the control machine's clone; give its id."""
    path = folder / "backend" / name
    path.write_text(path.read_text().replace(before, after))
    named = ["-c", "user.name=lab", "-c", "user.email=lab@example.com"]
    subprocess.run(["git", "-C", folder, *named, "commit", "-qam", "change"], check=True)
    done = subprocess.run(
        ["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def at(host: Host) -> str:
    """Give the commit that the working tree is at, and what of it is not as committed."""
    as_owner = f"runuser -u halext -- git -C {TOP}"
    said = f"{as_owner} rev-parse HEAD; {as_owner} --no-optional-locks status --porcelain -uno"
    return host.root(said).strip()


def better(host: Host) -> bool:
    """Tell whether what runs is the revision that is better."""
    return "better" in host.root("curl -s http://127.0.0.1/api/health")


def columns(host: Host) -> int:
    """Count the columns that the migration of a revision adds."""
    asked = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'nickname'"
    return int(host.psql(asked))


def release(
    *hosts: Host,
    words: Sequence[str] = (),
    profile: str = SOURCE,
    program: Sequence[str] = (),
    history: Path | None = None,
) -> Ran:
    """Run the release on these hosts, without a prompt; its history may be kept in a folder."""
    command = ("deploys/release.py", "-y", *words)
    given = SECRETS if history is None else {**SECRETS, "XDG_STATE_HOME": str(history)}
    return pyinfra([*hosts], *command, profile=profile, program=program, secrets=given, timeout=900)


@dataclass(frozen=True)
class Stands:
    """What a release leaves as it was, whatever comes of it, and what tells that nothing ran."""

    files: str
    rows: str
    running: str
    commit: str


def stands(host: Host) -> Stands:
    """Give the files that git does not track, the rows, the service's process, and the commit."""
    files = f"cat {BACKEND}/uploads/kept {BACKEND}/notes.txt; sha256sum {BACKEND}/.env"
    pid = f"systemctl show -P MainPID halext-api; stat -c %i {BACKEND}/env"
    count = "SELECT count(*), max(id) FROM users"
    return Stands(host.root(files), host.psql(count), host.root(pid), at(host))


@dataclass
class Client:
    """Somebody who logs in and asks for the protected route, every 100 ms."""

    address: str
    token: str = field(repr=False)
    seen: list[tuple[float, bool]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def attempt(self) -> bool:
        """Tell whether a new login works, its token opens the route, and the old one does."""
        try:
            fresh = log_in(self.address)
            return bool(fresh) and opens(self.address, fresh) and opens(self.address, self.token)
        except (OSError, http.client.HTTPException, ValueError):
            return False

    def run(self) -> None:
        while not self.stopped.wait(0.1):
            begun = time.monotonic()
            self.seen.append((begun, self.attempt()))

    @property
    def window(self) -> float:
        """Give the longest time in seconds in which nobody could log in."""
        longest, down = 0.0, None
        for moment, works in self.seen:
            if works:
                down = None
            else:
                down = moment if down is None else down
                longest = max(longest, moment - down + 0.1)
        return longest


def ask(address: str, method: str, path: str, headers: dict[str, str], body: str = "") -> bytes:
    """Send one request to the host's web server; give the body of a 200, else nothing."""
    line = http.client.HTTPConnection(address, 80, timeout=60)
    try:
        line.request(method, path, body or None, headers)
        reply = line.getresponse()
        text = reply.read()
        return text if reply.status == 200 else b""
    finally:
        line.close()


def log_in(address: str) -> str:
    fields = {"username": "ops", "password": canaries.OPS_PASSWORD}
    headers = {
        "X-Halext-Code": canaries.ACCESS_CODE,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    said = ask(address, "POST", "/token", headers, urllib.parse.urlencode(fields))
    return str(json.loads(said)["access_token"]) if said else ""


def opens(address: str, token: str) -> bool:
    headers = {"X-Halext-Code": canaries.ACCESS_CODE, "Authorization": f"Bearer {token}"}
    return bool(ask(address, "GET", "/users/me", headers))


@contextmanager
def logging_in(host: Host) -> Iterator[Client]:
    """Have a client log in throughout, with a token of before."""
    client = Client(host.address, log_in(host.address))
    thread = threading.Thread(target=client.run)
    thread.start()
    try:
        yield client
    finally:
        client.stopped.set()
        thread.join()
        windows.note(client.window)
