"""A real PostgreSQL for the layers that change one, and names that are awkward in SQL and sh."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from relogin import Accounts, Backend, DatabaseUrl, EnvFile, FromEnv, Peer, Postgres, Unreadable
from relogin.database_url import DatabaseAddress, build
from relogin.facts import accounts, env_file, postgres
from relogin.facts.observation import Observation
from relogin.fault import Fault
from relogin.finding import Finding
from tests.embedded.programs import owner, temporary_root
from tests.embedded.server import Server
from tests.embedded.world import free_port
from tests.facts.answers import run
from tests.operations.looks import carried_out

AWKWARD = (
    "user",
    "it's a \"quoted\" back\\slash\\'; --",
    "-dash :name: :'wanted' $$dollar$$",
    "postgresql://u=x'y\\z",
    "Mixed/naïve 測試 `id`$(id) %s {0}",
)

# A server that would write every statement into its log, if the session let it.
LOUD = """
ALTER SYSTEM SET log_statement = 'all';
ALTER SYSTEM SET log_min_duration_statement = 0;
ALTER SYSTEM SET log_transaction_sample_rate = 1;
ALTER SYSTEM SET log_min_error_statement = 'error';
SELECT pg_reload_conf();
"""


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """Run a server of its own that logs as much as it can."""
    folder = Path(tempfile.mkdtemp(prefix="relogin-", dir=temporary_root()))
    folder.chmod(0o711)
    server = Server(folder / "postgres", free_port())
    try:
        server.start()
        server.sql(LOUD)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def described(
    server: Server, role: str, database: str, declared: Accounts | None = None, **more: Any
) -> Backend:
    """Describe a backend whose role and database are on this server."""
    peer = Peer(
        os_user=owner().pw_name,
        socket=str(server.socket),
        port=server.port,
        psql=str(server.bin / "psql"),
    )
    url = DatabaseUrl(user=role, database=database, port=server.port)
    return Backend(
        "awkward",
        env_file=EnvFile("/srv/.env", keys={"DATABASE_URL": url}),
        database=Postgres(url=FromEnv("DATABASE_URL"), admin=peer, **more),
        accounts=declared,
    )


def look(backend: Backend, password: str = "p@ss:/word 'ü") -> Observation:
    """Ask the server as the look does; the env file has a URL with this password."""
    target = postgres.declared_target(backend)
    assert target is not None
    answer = run(postgres.script(backend, target))
    address = DatabaseAddress(
        "postgresql", target.role, password, "127.0.0.1", target.port, target.database
    )
    text = f"DATABASE_URL={build(address)}\n"
    size = len(text.encode())
    line = f"regular file|600|u|g|1|1|{size}|{_TIME}|{_TIME}\n/srv/.env\n{text}"
    return Observation(
        machine=Unreadable("not asked"),
        env_files=(env_file.parse("/srv/.env", run(f"printf %s {_quoted(line)}")),),
        postgres=postgres.parse(answer),
        accounts=accounts.parse(backend, answer),
    )


_TIME = "2026-11-21 10:00:00.000000000 +0000"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def enters(server: Server, role: str, password: str, database: str = "postgres") -> bool:
    """Log in over TCP, with psql, as the backend would."""
    psql = [server.bin / "psql", "-X", "-w", "-qAt", "-h", "127.0.0.1", "-p", str(server.port)]
    done = subprocess.run(
        [*psql, "-U", role, "-c", "select 1"],
        capture_output=True,
        check=False,
        env={"PATH": os.defpath, "PGPASSWORD": password, "PGDATABASE": database},
    )
    return done.stdout == b"1\n"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for a server with standard_conforming_strings on, as it is by default."""
    return "'" + text.replace("'", "''") + "'"


def mended(
    backend: Backend, faults: tuple[Fault, ...], look: Callable[[], Observation]
) -> list[Finding]:
    """Mend what a machine mends, each judged on a fresh look; give all that was found."""
    every: list[Finding] = []
    seen = look()
    for fault in faults:
        for finding in fault.found(backend, seen):
            every.append(finding)
            if fault.fix is None or finding.by_person:
                continue
            for change in fault.fix(backend, seen, finding):
                answer = carried_out(change)
                assert (0, b"") == (answer.status, answer.text)
            seen = look()
    return every
