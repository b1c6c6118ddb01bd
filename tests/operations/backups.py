"""A backend with a database of its own, and the deploys of its backups as a person runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.embedded.programs import owner
from tests.embedded.server import Server
from tests.outputs import why_stopped

REPOSITORY = Path(__file__).parents[2]
PASSWORD = "secret-of-app"
INVENTORY = """\
from relogin import (
    Account, Accounts, Alembic, Backend, Backup, Columns, DatabaseUrl, EnvFile, FromEnv, Jwt,
    Login, Peer, Postgres, Secret,
)

hosts = [("@local", {{"_sudo": False, "mine": Backend(
    "mine",
    env_file=EnvFile({env!r}, keys={{
        "DATABASE_URL": DatabaseUrl(user="app", database={database!r}, port={port})}}),
    database=Postgres(
        url=FromEnv("DATABASE_URL"), schema="shop",
        admin=Peer(os_user={user!r}, socket={socket!r}, port={port}, psql={psql!r})),
    accounts=Accounts(present=[Account("ada")], columns=Columns(
        login="name", email=None, password="hash", active="active", admin=None)),
    {more}
)}})]
"""
TABLES = """
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO app;
CREATE TABLE shop.users (id serial PRIMARY KEY, name text, hash text, active bool DEFAULT true);
CREATE TABLE shop.posts (id serial PRIMARY KEY, user_id int REFERENCES shop.users);
INSERT INTO shop.users (name, hash) VALUES ('ada', '$2b$12$ofada'), ('b''ob "ü', '$2b$12$ofbob');
INSERT INTO shop.posts (user_id) VALUES (1), (2), (2);
GRANT SELECT, INSERT, UPDATE ON shop.users, shop.posts TO app;
"""


class Backed:
    """A folder with an inventory, and deploys run in it."""

    def __init__(self, folder: Path, server: Server, database: str, more: str = "") -> None:
        self.folder, self.server, self.database = folder, server, database
        if server.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'app'") == "0":
            server.sql(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'")
        server.sql(f"CREATE DATABASE {database}")
        server.sql(TABLES, database)
        self.env = folder / ".env"
        url = f"postgresql://app:{PASSWORD}@127.0.0.1:{server.port}/{database}"
        self.env.write_text(f"DATABASE_URL={url}\n")
        self.env.chmod(0o600)
        self.describe(more)

    def describe(self, more: str) -> None:
        """Write the inventory, with further parts of the backend."""
        server = self.server
        described = {"database": self.database, "port": server.port, "user": owner().pw_name}
        at = {"socket": str(server.socket), "psql": str(server.bin / "psql"), "env": str(self.env)}
        text = INVENTORY.format(**described, **at, more=more)
        (self.folder / "inventory.py").write_text(text)

    def sql(self, statements: str, database: str = "") -> str:
        return self.server.sql(statements, database or self.database)

    def run(self, deploy: str, *words: str, **environment: str) -> tuple[int, str]:
        """Give the exit code and all that was said; a word with = is one of `--data`."""
        path = str(REPOSITORY / f"deploys/{deploy}.py")
        options = [
            part for word in words for part in (("--data", word) if "=" in word else (word,))
        ]
        yes = [] if "--dry" in words else ["-y"]
        state = {"XDG_STATE_HOME": str(self.folder / "state"), "NO_COLOR": "1", **environment}
        done = subprocess.run(
            [Path(sys.executable).parent / "pyinfra", *yes, "inventory.py", path, *options],
            cwd=self.folder, env={**os.environ, **state}, capture_output=True, text=True,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        assert PASSWORD not in said
        assert "ofada" not in said
        return done.returncode, said

    def killed(self, at: str, deploy: str, *words: str) -> bool:
        """Run a deploy, and kill its process with -9 as soon as a line begins with `at`."""
        path = str(REPOSITORY / f"deploys/{deploy}.py")
        options = [part for word in words for part in ("--data", word)]
        state = {"XDG_STATE_HOME": str(self.folder / "state"), "NO_COLOR": "1"}
        with subprocess.Popen(
            [Path(sys.executable).parent / "pyinfra", "-y", "inventory.py", path, *options],
            cwd=self.folder, env={**os.environ, **state}, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as running:  # fmt: skip
            assert running.stdout is not None
            for line in running.stdout:
                if line.strip().startswith(at):
                    running.kill()
                    return True
        return False

    def why(self) -> str:
        """Give what is kept of the last run: why it stopped."""
        return why_stopped(self.folder / "state")

    @property
    def store(self) -> Path:
        return self.folder / "state/relogin/mine/backups"

    def backups(self) -> list[Path]:
        """Give all that is in the place of backups, the oldest first."""
        return sorted(self.store.iterdir()) if self.store.is_dir() else []

    def restored(self, dump: bytes) -> str:
        """Give what pg_restore makes of a dump."""
        command = [self.server.bin / "pg_restore", "-f", "-"]
        done = subprocess.run(command, input=dump, capture_output=True, check=True)
        return done.stdout.decode()


def stopped(said: str) -> str:
    """Give the line of a verdict that says why the run stopped."""
    return said.rpartition("\n  Stopped\n    ")[2].partition("\n")[0]


def lines(path: Path) -> list[dict[str, Any]]:
    """Read a file that has one JSON document in each line."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def sealed_again(made: Path) -> None:
    """Give a backup that was changed the sums that it has now."""
    names = sorted(path.name for path in made.iterdir() if path.name != "SHA256SUMS")
    with (made / "SHA256SUMS").open("w") as sums:
        subprocess.run(["sha256sum", "--", *names], cwd=made, stdout=sums, check=True)
