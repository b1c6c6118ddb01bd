"""The backend's own commands, run by two hosts that have one database: one after another."""

import dataclasses
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

import pytest

from relogin import Alembic, Backend, Login, Register, remote
from relogin.facts.observation import Observation
from relogin.facts.revisions import Migrations, Revision
from relogin.fault import Change
from relogin.finding import Finding
from relogin.operations import accounts, migrations
from relogin.remote import Answer
from relogin.tunnel import Tunnel
from tests.core.certificates import serving
from tests.embedded.programs import owner, temporary_root
from tests.embedded.server import Server
from tests.facts.answers import SHELLS, run
from tests.operations import databases
from tests.operations.logins import HOST
from tests.operations.test_elsewhere import PASSWORD, carried_out, changed, populated

pytestmark = pytest.mark.embedded
BEHIND = Migrations((Revision("1"), Revision("2", down=("1",))), recorded=("1",))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give the backend's folder, which belongs to whoever runs the server's programs."""
    with tempfile.TemporaryDirectory(prefix="relogin-", dir=temporary_root()) as made:
        if os.geteuid() == 0:
            os.chown(made, owner().pw_uid, owner().pw_gid)
        yield Path(made)


def command(server: Server, folder: Path, database: str, statement: str) -> str:
    """Give a command that notes when it begins and ends, and takes a second for its statement."""
    (folder / "run.sh").write_text(
        f"""echo begin >>{folder}/noted; sleep 1; cd /
{server.bin}/psql -Xq -h {server.socket} -p {server.port} {database} -c "{statement}" || exit 7
echo end >>{folder}/noted
"""
    )
    return f"sh {folder}/run.sh"


def noted(folder: Path) -> list[str]:
    return (folder / "noted").read_text().split()


def at_once(backend: Backend, change: Change, sh: tuple[str, ...] = ("sh",)) -> list[Answer]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda _: carried_out(backend, change, sh), range(2)))


def migrating(server: Server, folder: Path, name: str, to: str) -> tuple[Backend, Observation]:
    backend = populated(server, name)
    database = f"{name}_db"
    server.sql("CREATE TABLE alembic_version (version_num text)", database)
    server.sql("INSERT INTO alembic_version VALUES ('1')", database)
    text = command(server, folder, database, f"UPDATE alembic_version SET version_num = '{to}'")
    declared = Alembic(str(folder), command=text)
    seen = databases.look(backend, PASSWORD)
    known = dataclasses.replace(BEHIND, recorded=("1",))
    return dataclasses.replace(backend, migrations=declared), dataclasses.replace(
        seen, migrations=known
    )


def upgrade(backend: Backend, seen: Observation) -> Change:
    assert migrations.BEHIND.fix is not None
    (change,) = migrations.BEHIND.fix(backend, seen, Finding("behind"))
    return change


@pytest.mark.parametrize("sh", SHELLS)
def test_migrations_are_run_by_one_host_and_left_alone_by_the_other(server, undo, folder, sh):
    backend, seen = migrating(server, folder, f"migrates_{sh[0]}", "2")

    answers = at_once(backend, upgrade(backend, seen), sh)

    assert [(0, []), (0, ["#already"])] == sorted((one.status, one.lines) for one in answers)
    assert ["begin", "end"] == noted(folder)


def test_a_command_of_two_hosts_that_leaves_the_record_as_it_was_never_overlaps(
    server, undo, folder
):
    backend, seen = migrating(server, folder, "overlaps", "1")

    answers = at_once(backend, upgrade(backend, seen))

    assert [0, 0] == [one.status for one in answers], answers
    assert ["begin", "end", "begin", "end"] == noted(folder)


def test_a_command_that_fails_says_so_and_gives_the_lock_up(server, undo, folder):
    backend, seen = migrating(server, folder, "fails", "2")
    server.sql("ALTER TABLE alembic_version RENAME version_num TO elsewhere", "fails_db")

    answers = at_once(backend, upgrade(backend, seen))

    assert [7, 7] == [one.status for one in answers]
    assert ["begin", "begin"] == noted(folder)


def test_an_account_is_made_by_the_command_of_one_host(server, undo, folder):
    backend = populated(server, "creates")
    server.sql("ALTER TABLE users ALTER hashed_password SET DEFAULT 'x'", "creates_db")
    made = "INSERT INTO users (username) VALUES ('ops')"
    assert backend.accounts is not None
    create = f"{command(server, folder, 'creates_db', made)} {{login}}"
    declared = dataclasses.replace(backend.accounts, create=create)
    environment = dataclasses.replace(backend.env_files[0], path=f"{folder}/.env")
    backend = dataclasses.replace(backend, accounts=declared, env_file=environment)
    seen = databases.look(backend, PASSWORD)
    (change,) = changed(accounts.FAULTS, backend, seen)

    answers = at_once(backend, change)

    assert [(0, []), (0, ["#already"])] == sorted((one.status, one.lines) for one in answers)
    assert ["begin", "end"] == noted(folder)
    assert "1" == server.sql("SELECT count(*) FROM users", "creates_db")


def test_the_lock_lasts_as_long_as_a_command_whose_shell_was_ended(server, undo, folder):
    """It is ended at its deadline, and what it had begun goes on."""
    backend, seen = migrating(server, folder, "outlives", "2")
    text = (folder / "run.sh").read_text()
    (folder / "run.sh").write_text(f"kill -9 $PPID 2>/dev/null\n{text}")
    change = upgrade(backend, seen)
    with ThreadPoolExecutor() as pool:
        first: Future[Answer] = pool.submit(carried_out, backend, change)
        while not (folder / "noted").exists():
            time.sleep(0.05)
        (folder / "run.sh").write_text(text)
        second = carried_out(backend, change)
        first.result()
    assert (0, ["#already"]) == (second.status, second.lines)
    assert ["begin", "end"] == noted(folder)


class Registering(BaseHTTPRequestHandler):
    """Makes the account that it is asked for."""

    server_of: ClassVar[Server]
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(self.path)
        self.server_of.sql("INSERT INTO users VALUES (DEFAULT, 'ops', '', 'x')", "registers_db")
        self.send_response(201)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


def test_an_account_is_registered_by_the_request_of_one_host(server, undo, monkeypatch):
    backend = populated(server, "registers")
    assert backend.accounts is not None
    monkeypatch.setattr(Tunnel, "to", lambda host, backend: Tunnel(None))
    monkeypatch.setattr(remote, "change", lambda host, script, deadline: run(f"(\n{script}\n)"))
    handler = type("Shared", (Registering,), {"server_of": server, "asked": []})
    with serving(handler) as url:
        login = Login(f"{url}/login", account="ops", deadline=1)
        declared = dataclasses.replace(backend.accounts, create=Register(f"{url}/register"))
        backend = dataclasses.replace(backend, accounts=declared, login=login)
        seen = databases.look(backend, PASSWORD)
        request, _ = changed(accounts.FAULTS, backend, seen)
        assert request.request is not None
        answers = [request.request(HOST) for _ in range(2)]

    assert [Answer(b"", 0), Answer(b"#already", 0)] == answers
    assert ["/register"] == handler.asked
