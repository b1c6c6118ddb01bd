"""A database with three tables on a real server, looked at as a check looks."""

import contextlib
import dataclasses
import itertools
import subprocess
from collections.abc import Iterator

from relogin import Backend, Health, Unreadable, baseline
from relogin.facts import database, postgres
from relogin.facts.database_state import DatabaseState
from relogin.facts.observation import Observation
from relogin.finding import Finding
from relogin.operations.database import FAULTS, REPAIRED
from tests.embedded.programs import as_owner
from tests.embedded.server import Server
from tests.facts.answers import run
from tests.operations import databases
from tests.operations.databases import described

SHOP = """
CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE roles (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
CREATE TABLE sessions (id bigserial PRIMARY KEY, user_id int NOT NULL REFERENCES users,
  role_id int REFERENCES roles, spent int CHECK (spent >= 0));
CREATE INDEX sessions_user ON sessions (user_id);
INSERT INTO users (name) SELECT 'u' || n FROM generate_series(1, 50) n;
INSERT INTO roles (name) VALUES ('admin'), ('reader');
INSERT INTO sessions (user_id, role_id, spent) SELECT n, 1, 0 FROM generate_series(1, 50) n;
"""
numbers = itertools.count()


@dataclasses.dataclass
class Shop:
    """A database of its own with three tables; `learnt` is what it had when it was sound."""

    server: Server
    name: str
    backend: Backend
    learnt: baseline.Baseline | None = None

    def sql(self, statements: str) -> str:
        return self.server.sql(statements, self.name)

    def look(self) -> Observation:
        target = postgres.declared_target(self.backend)
        assert target is not None
        answer = run(postgres.script(self.backend, target, deep=True))
        state = database.parse(answer, self.backend)
        assert isinstance(state, DatabaseState), state
        return Observation(
            machine=Unreadable("not asked"),
            postgres=postgres.parse(answer),
            database=state.against(self.learnt),
        )

    def found(self) -> list[Finding]:
        seen = self.look()
        return [one for fault in FAULTS for one in fault.found(self.backend, seen)]

    def faults(self) -> list[str]:
        return [finding.fault.removeprefix("database.") for finding in self.found()]

    def mended(self) -> list[str]:
        every = databases.mended(self.backend, REPAIRED, self.look)
        return [finding.fault.removeprefix("database.") for finding in every]

    def indexes(self) -> str:
        return self.sql("SELECT count(*) FROM pg_index WHERE NOT (indisvalid AND indisready)")


def described_shop(server: Server, name: str) -> Shop:
    health = Health(counted=["users", "sessions"])
    return Shop(server, name, described(server, "nobody", name, tables=["users"], health=health))


@contextlib.contextmanager
def held(shop: Shop, statement: str, *, waits: bool = False) -> Iterator[int]:
    """Keep a transaction open in another session, which runs a statement; give its process.

    One that `waits` for another does not get to its end.
    """
    psql = [shop.server.bin / "psql", "-XqAt", "-h", str(shop.server.socket)]
    psql += ["-p", str(shop.server.port), "-U", shop.server.superuser, "-d", shop.name]
    with subprocess.Popen(
        psql, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", **as_owner()
    ) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        session.stdin.write(f"SELECT pg_backend_pid();\nBEGIN; {statement};\n\\echo there\n")
        session.stdin.flush()
        pid = int(session.stdout.readline())
        if not waits:
            while session.stdout.readline() not in {"there\n", ""}:
                pass
        else:
            _until_it_waits(shop, pid)
        try:
            yield pid
        finally:
            shop.server.sql(f"SELECT pg_terminate_backend({pid})")


def _until_it_waits(shop: Shop, pid: int) -> None:
    """Each question takes a process of its own: no busy loop."""
    waiting = f"SELECT wait_event_type FROM pg_stat_activity WHERE pid = {pid}"
    while shop.sql(waiting) != "Lock":
        pass
