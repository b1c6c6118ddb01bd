"""Measure a check of a database with millions of users: `python -m benchmarks.database`."""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.embedded.programs import owner, temporary_root
from tests.embedded.server import Server
from tests.operations.databases import serving

from . import measure
from .kept import DATABASE, write_part

INVENTORY = """\
from relogin import (
    Accounts, Backend, DatabaseUrl, EnvFile, Expiring, FromEnv, Health, Peer, Postgres, Query,
    Relation,
)

hosts = [("@local", {{"_sudo": False, "large": Backend(
    "large",
    env_file=EnvFile({env!r}, keys={{
        "DATABASE_URL": DatabaseUrl(user="app", database="large", port={port})}}),
    database=Postgres(
        url=FromEnv("DATABASE_URL"),
        admin=Peer(os_user={user!r}, socket={socket!r}, port={port}, psql={psql!r}),
        health=Health(
            counted=["users", "sessions"],
            relations=[Relation("sessions", "user_id", "users")],
            expiring=[Expiring("sessions")],
            queries=[Query("roles", "SELECT name FROM roles ORDER BY name", ["admin", "user"])],
        ),
    ),
    accounts=Accounts(),
)}})]
"""
TABLES = """
CREATE ROLE app LOGIN PASSWORD 'benchmark';
CREATE DATABASE large OWNER app;
\\connect large
CREATE TABLE roles (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO roles (name) VALUES ('admin'), ('user');
CREATE TABLE users (id bigserial PRIMARY KEY, username text NOT NULL, email text NOT NULL,
  hashed_password text NOT NULL, is_active boolean NOT NULL DEFAULT true,
  is_admin boolean NOT NULL DEFAULT false,
  role_id int NOT NULL REFERENCES roles, created_at timestamptz NOT NULL DEFAULT now());
ALTER TABLE users DROP CONSTRAINT users_role_id_fkey;
INSERT INTO users (username, email, hashed_password, role_id)
 SELECT 'user' || n, 'user' || n || '@example.com', '$2b$12$' || rpad(md5(n::text), 53, 'x'), 2
 FROM generate_series(1, {rows}) n;
ALTER TABLE users ADD UNIQUE (username), ADD FOREIGN KEY (role_id) REFERENCES roles;
CREATE UNIQUE INDEX ON users (lower(email));
CREATE TABLE sessions (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users,
  expires_at timestamptz NOT NULL);
ALTER TABLE sessions DROP CONSTRAINT sessions_user_id_fkey;
INSERT INTO sessions (user_id, expires_at)
 SELECT n, now() + interval '1 day' FROM generate_series(1, {rows}, 10) n;
ALTER TABLE sessions ADD FOREIGN KEY (user_id) REFERENCES users;
CREATE INDEX ON sessions (user_id);
GRANT USAGE ON SCHEMA public TO app;
GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app;
VACUUM ANALYZE;
CHECKPOINT;
"""


def main() -> None:
    options = _options()
    with serving() as server, tempfile.TemporaryDirectory(dir=temporary_root()) as folder:
        print(f"making {options.rows} users", file=sys.stderr)
        server.sql(TABLES.format(rows=options.rows))
        command = _command(Path(folder), server)
        unseen = _unseen(command)
        costs = [_measured(command, server) for _ in range(options.rounds)]
        text = _told(options.rows, costs, server, unseen)
    print(text)
    if options.write:
        write_part(DATABASE, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.database", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="users (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs (%(default)s)")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    return parser.parse_args()


def _command(folder: Path, server: Server) -> measure.Command:
    folder.chmod(0o755)
    env = folder / ".env"
    env.write_text(f"DATABASE_URL=postgresql://app:benchmark@127.0.0.1:{server.port}/large\n")
    env.chmod(0o600)
    at = {"env": str(env), "socket": str(server.socket), "psql": str(server.bin / "psql")}
    inventory = folder / "inventory.py"
    inventory.write_text(INVENTORY.format(port=server.port, user=owner().pw_name, **at))
    words = [str(Path(sys.executable).parent / "pyinfra"), "-y", str(inventory)]
    words.append(str(measure.REPOSITORY / "deploys/check_database.py"))
    return measure.Command(words, {"XDG_STATE_HOME": str(folder / "state")})


def _unseen(command: measure.Command) -> str:
    """Run it once, for the caches; give what it said that it did not see, as a list."""
    done = subprocess.run(
        command.words, env={**os.environ, **command.environment, "NO_COLOR": "1"},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    rest = (done.stdout + done.stderr).partition("What could not be seen\n")[2].splitlines()
    section = itertools.takewhile(lambda line: line.startswith("    "), rest)
    lines = [one for line in section for one in line.strip().split("; ")]
    return "\n".join(f"- {line}" for line in lines) or "- nothing"


def _measured(command: measure.Command, server: Server) -> tuple[measure.Cost, int]:
    """Give what a run cost us, and the most memory of its own that the server's process had."""
    measure.wait_until_idle(10)
    with _watched(server) as most:
        cost = measure.run(command)
    return cost, most[0] // 1024


@contextmanager
def _watched(server: Server) -> Iterator[list[int]]:
    """Look every tenth of a second; give the most kB, once that is over."""
    most, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            most[0] = max(most[0], _private(server))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()


def _private(server: Server) -> int:
    """Give the memory in kB of the server's largest client process, without what all share."""
    sizes = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
            title = (status.parent / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if title.startswith(b"postgres: ") and b" large [local] " in title:
            sizes.append(int(fields["RssAnon"].split()[0]))
    return max(sizes)


def _told(rows: int, costs: list[tuple[measure.Cost, int]], server: Server, unseen: str) -> str:
    walls = [cost.wall for cost, _ in costs]
    cpu = measure.median([cost.cpu for cost, _ in costs])
    ours, theirs = max(cost.peak for cost, _ in costs), max(most for _, most in costs)
    size = server.sql("SELECT pg_size_pretty(pg_database_size('large'))")
    version = server.sql("SHOW server_version").split()[0]
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return f"""\
{DATABASE}

`python -m benchmarks.database` makes a PostgreSQL {version} with {rows:,} users and a tenth as
many sessions ({size}), and runs `pyinfra -y INVENTORY deploys/check_database.py` on it:
users and sessions counted and their pages read, a relation, an expiry and a query declared.
Nothing is found. What it says that it did not see, or not all of:

{unseen}

| wall s | CPU s of ours | our memory | the server process's own memory |
|---|---|---|---|
| {measure.median(walls):.1f} ({min(walls):.1f}) | {cpu:.1f} | {ours} MiB | {theirs} MiB |

The goal is at most 60 s and 200 MB. Seconds are medians of {len(costs)} runs, the minimum in
brackets; memory is the most of all, without what the server shares among its processes.
{day}, {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}.
"""


if __name__ == "__main__":
    main()
