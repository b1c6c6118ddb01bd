"""A real database that its backend can log in to, for the tests that break it."""

import contextlib
import dataclasses
import os
import subprocess
from collections.abc import Iterator
from functools import partial

from relogin import Account, Accounts, Backend, Finding
from relogin.operations.postgres import FAULTS
from tests.embedded.server import Server
from tests.operations import databases
from tests.operations.databases import described, identifier, literal
from tests.operations.looks import found

ROLE = 'it\'s "app" :name:'
DATABASE = "The $db$"
PASSWORD = "p@ss:/word 'ü"
APP, DB = identifier(ROLE), identifier(DATABASE)
LOGIN = "SELECT id FROM users WHERE username = 'ops'"
MADE = f"""
CREATE ROLE {APP} LOGIN PASSWORD {literal(PASSWORD)};
CREATE DATABASE {DB};
"""
TABLE = f"""
CREATE TABLE users (id serial PRIMARY KEY, username text UNIQUE, email text,
  hashed_password text, is_active boolean, is_admin boolean);
INSERT INTO users (username) VALUES ('ops'), ('bob');
GRANT SELECT, INSERT, UPDATE ON users TO {APP};
GRANT USAGE ON SEQUENCE users_id_seq TO {APP};
"""
STATE = """
SELECT to_jsonb(r) - 'rolpassword', (SELECT jsonb_agg(s ORDER BY setdatabase, setrole) FROM
  pg_db_role_setting s) FROM pg_roles r UNION ALL SELECT to_jsonb(d) - 'datfrozenxid', NULL
  FROM pg_database d ORDER BY 1
"""


@dataclasses.dataclass(frozen=True)
class Place:
    """A database that its backend can log in to, and how it is broken."""

    server: Server
    backend: Backend

    def found(self) -> list[Finding]:
        return found(FAULTS, databases.look(self.backend, PASSWORD), self.backend)

    def mended(self) -> list[str]:
        """Mend what a machine mends; give the faults that were found."""
        look = partial(databases.look, self.backend, PASSWORD)
        found = databases.mended(self.backend, FAULTS, look)
        return [finding.fault.partition(".")[2] for finding in found]

    def sql(self, statements: str) -> str:
        return self.server.sql(statements, DATABASE)

    def _done(self, statement: str) -> subprocess.CompletedProcess[bytes]:
        psql = [self.server.bin / "psql", "-XwqAt", "-h", "127.0.0.1", "-U", ROLE, "-d", DATABASE]
        return subprocess.run(
            [*psql, "-p", str(self.server.port), "-c", statement],
            capture_output=True,
            check=False,
            env={"PATH": os.defpath, "PGPASSWORD": PASSWORD},
        )

    def works(self, statement: str = LOGIN) -> bool:
        """Do what the backend does, as its role, by TCP."""
        done = self._done(statement)
        return done.returncode == 0 and done.stdout != b""

    def refusal(self, statement: str) -> str:
        """Give what the server says to the backend's role, in its first line."""
        return self._done(statement).stderr.decode().partition("\n")[0]


@contextlib.contextmanager
def placed(server: Server) -> Iterator[Place]:
    server.sql(MADE)
    server.sql(TABLE, DATABASE)
    accounts = Accounts(present=[Account("ops")])
    yield Place(server, described(server, ROLE, DATABASE, accounts))
    server.sql(f"ALTER DATABASE {DB} ALLOW_CONNECTIONS true; DROP DATABASE {DB} WITH (FORCE)")
    server.sql(f"DROP ROLE {APP}; ALTER ROLE ALL RESET ALL")


def by_hand(place: Place, fault: str) -> Finding:
    """Find what a person has to mend: exactly this."""
    (finding,) = place.found()
    assert (f"postgres.{fault}", True) == (finding.fault, finding.by_person)
    return finding
