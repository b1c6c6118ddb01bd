"""The backup of a release, of a real PostgreSQL: taken where none is of today, and read back."""

import os
import subprocess
import time
from collections.abc import Iterator

import pytest

from relogin import Alembic, Backend, Unreadable
from relogin.operations import release_database
from tests.embedded.server import Server

from .databases import AWKWARD, described, identifier, serving
from .releases import begin, place, step, under_way

NAME = AWKWARD[1]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        running.sql(f"CREATE DATABASE {identifier(NAME)}")
        running.sql("CREATE TABLE users AS SELECT 'ada' AS name", NAME)
        yield running


@pytest.fixture
def lines(server, tmp_path, monkeypatch) -> str:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    begin("a" * 40, "b" * 40)
    backend = described(server, "nobody", NAME)
    target = release_database.target(backend, None)  # type: ignore[arg-type] # it is declared
    assert not isinstance(target, Unreadable)
    return release_database.backed_up(backend, target)


def dumps() -> list[str]:
    return sorted(
        path.name for path in (place() / "backups").glob("*.dump*") if path.suffix != ".sum"
    )


def test_one_is_taken_for_root_only_and_holds_the_rows(server, lines):
    answer = step(lines)
    assert (0, b"") == (answer.status, answer.text.strip())
    (path,) = (place() / "backups").glob("*.dump")
    assert 0o600 == path.stat().st_mode & 0o777
    command = [server.bin / "pg_restore", "-f", "-", path]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "\nada\n" in text
    assert under_way() is not None
    assert str(path) == getattr(under_way(), "backup", "")


def test_one_of_today_that_reads_back_is_enough(lines):
    step(lines)
    first = dumps()
    time.sleep(1.1)  # their names have seconds
    step(lines)
    assert first == dumps()


@pytest.mark.parametrize("wrong", ["old", "short"])
def test_one_that_is_old_or_does_not_read_back_is_not(lines, wrong):
    step(lines)
    (path,) = (place() / "backups").glob("*.dump")
    if wrong == "old":
        os.utime(path, (time.time() - 90_000,) * 2)
    else:
        path.write_bytes(path.read_bytes()[:-40])
    time.sleep(1.1)
    assert 0 == step(lines).status
    assert 2 == len(dumps())


def test_a_server_that_gives_none_ends_the_step_and_leaves_nothing(lines):
    answer = step(lines.replace(" -Fc", " -Fc --table=nosuch"))
    assert 1 == answer.status
    assert b"pg_dump: " in answer.text
    assert [] == dumps()


@pytest.mark.parametrize(
    ("command", "back"),
    [("alembic upgrade head", True), ("python manage.py migrate", False)],
)
def test_only_alembic_has_a_way_back(command, back):
    backend = Backend("mine", migrations=Alembic("/srv", command))
    assert back == release_database.can_go_back(backend)
