"""The backup of a release, of a real PostgreSQL: taken where none is of today, and read back."""

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from relogin import (
    AdminUrl,
    Alembic,
    Backend,
    Backup,
    Compose,
    Django,
    Postgres,
    ProfileError,
    Secret,
    Source,
    Unreadable,
)
from relogin.database_url import DatabaseAddress, build, parse
from relogin.facts import own_url, release, release_new
from relogin.facts.observation import Observation
from relogin.facts.postgres_state import Target
from relogin.operations import release_database, release_store
from tests.embedded.server import Server
from tests.facts.answers import run

from .databases import AWKWARD, described, identifier, literal, serving
from .releases import BACKEND, begin, changed, place, step, under_way

NAME = AWKWARD[1]
PASSWORD = "p@ss:/word 'ü"


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
    answer = step(lines)
    assert 0 == answer.status
    damaged = f"{path} is damaged, and does not count"
    assert ([damaged] if wrong == "short" else []) == answer.lines
    assert (damaged in (place() / "deploy.log").read_text()) == (wrong == "short")
    assert 2 == len(dumps())


def test_a_server_that_gives_none_ends_the_step_and_leaves_nothing(lines):
    answer = step(lines.replace(" -Fc", " -Fc --table=nosuch"))
    assert 1 == answer.status
    assert b"pg_dump: " in answer.text
    assert [] == dumps()


@pytest.mark.parametrize("how", ["AdminUrl", "own URL"])
def test_without_a_peer_it_is_taken_by_a_url_that_is_in_no_argument(
    server, tmp_path, monkeypatch, how
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    begin("a" * 40, "b" * 40)
    backend = by_url(server, how)
    answer = step(release_database.backed_up(backend, Target("dumper", NAME, server.port)))
    assert (0, b"") == (answer.status, answer.text.strip())
    (path,) = (place() / "backups").glob("*.dump")
    command = [server.bin / "pg_restore", "-f", "-", path]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "\nada\n" in text
    assert PASSWORD not in text


def by_url(server: Server, how: str) -> Backend:
    """Describe a backend whose database is reached by a password alone."""
    if server.sql("SELECT 1 FROM pg_roles WHERE rolname = 'dumper'") != "1":
        server.sql(f"CREATE ROLE dumper LOGIN PASSWORD {literal(PASSWORD)}")
        server.sql("GRANT SELECT ON users TO dumper", NAME)
    backend = described(server, "dumper", NAME)
    assert backend.database is not None
    url = DatabaseAddress("postgresql", "dumper", PASSWORD, "127.0.0.1", server.port, NAME)
    admin = AdminUrl(Secret.seen(build(url)), psql=str(server.bin / "psql"))
    if how == "AdminUrl":
        return replace(backend, database=replace(backend.database, admin=admin))
    with_driver = replace(url, driver="postgresql+asyncpg", query=(("ssl", "prefer"), ("x", "y")))
    database = Postgres(Secret.seen(build(with_driver)), admin=None)
    reached = own_url.reached(replace(backend, database=database), lambda _: None)
    assert isinstance(reached, Backend), reached
    assert reached.database is not None
    found = reached.database.admin
    assert isinstance(found, AdminUrl)
    assert (("sslmode", "prefer"),) == parse(found.url.reveal()).query
    assert "psql" == found.psql
    return replace(
        reached, database=replace(reached.database, admin=replace(found, psql=admin.psql))
    )


def test_without_an_administrator_the_backends_own_url_says_size_and_revision(server):
    by_url(server, "own URL")  # makes the role
    server.sql("CREATE TABLE alembic_version AS SELECT '0007' AS version_num", NAME)
    server.sql("GRANT SELECT ON alembic_version TO dumper", NAME)
    url = DatabaseAddress("postgresql", "dumper", PASSWORD, "127.0.0.1", server.port, NAME)
    database = Postgres(Secret.seen(build(url)), admin=None)
    backend = Backend("mine", database=database, migrations=Alembic("/srv"))
    (size,) = run(release.size_script(backend, Observation(machine=Unreadable("no")))).lines
    assert int(size) > 1000
    reached = own_url.reached(backend, lambda _: None)
    assert isinstance(reached, Backend)
    parts = release_new.scripts(
        reached, Source("/srv"), "/nosuch", "a" * 40, Target("dumper", NAME, server.port)
    )
    assert ["0007"] == run(parts["recorded"]).lines


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        (Backend("mine", database=Postgres(Secret.seen("nonsense"), admin=None)), "driver://"),
        (Backend("mine", database=Postgres(Secret.seen("postgresql:///d"), admin=None)), "no host"),
        (
            Backend(
                "mine",
                service=Compose("/srv", "web", database_service="db"),
                database=Postgres(Secret.seen("postgresql://r:p@db/d"), admin=None),
            ),
            "leave out admin=None",
        ),
    ],
)
def test_an_own_url_that_leads_nowhere_says_why(backend, said):
    reached = own_url.reached(backend, lambda _: None)
    assert isinstance(reached, Unreadable)
    assert said in reached.reason


def test_what_a_killed_pg_dump_left_is_removed(lines):
    left = place() / "backups/20261101T000000Z.dump.part"
    left.write_text("half")
    assert 0 == step(lines).status
    assert not left.exists()


@pytest.mark.parametrize(
    ("keep", "stay"),
    [
        (None, ["01", "02", "03", "04", "05"]),
        (9, ["01", "02", "03", "04", "05"]),
        (2, ["01", "04", "05"]),
        (1, ["01", "05"]),
    ],
)
def test_only_so_many_backups_are_kept_as_is_declared_and_never_one_of_other_making(
    tmp_path, monkeypatch, keep, stay
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    begin("a" * 40, "b" * 40)
    folder = place() / "backups"
    made = [f"202611{day}T100000Z.dump" for day in ("01", "02", "03", "04", "05")]
    for name in made:
        (folder / name).write_text("x")
        (folder / f"{name}.sum").write_text("x")
    others = ["mine.dump", "20261031T100000Z.dump", "20261030T100000Z.dump.gz"]
    for name in others:
        (folder / name).write_text("x")
    step(f'put backup "$kept/backups/{made[0]}"')  # as the one that this release read back
    script = release_store.ended(BACKEND, [], running="b" * 40, keep=keep)
    assert 0 == changed(script).status
    left = {path.name for path in folder.glob("2*.dump")} - {others[1]}
    assert [f"202611{day}T100000Z.dump" for day in stay] == sorted(left)
    assert left == {path.name.removesuffix(".sum") for path in folder.glob("*.sum")}
    assert {*others} <= {path.name for path in folder.iterdir()}
    gone = [line for line in (place() / "deploy.log").read_text().splitlines() if "removed" in line]
    assert 5 - len(stay) == len(gone)


@pytest.mark.parametrize("keep", [0, -1, True, "14"])
def test_a_number_of_backups_that_is_none_is_refused(keep):
    with pytest.raises(ProfileError, match="expected a number of backups"):
        Backup(keep)


@pytest.mark.parametrize(
    ("declared", "back"),
    [
        (Alembic("/srv", "alembic upgrade head"), True),
        (Alembic("/srv", "make migrations"), False),
        (Django("/srv", "python manage.py migrate --verbosity 0"), True),
        (Django("/srv", "make migrations"), False),
    ],
    ids=repr,
)
def test_only_alembic_and_django_have_a_way_back(declared, back):
    assert back == release_database.can_go_back(Backend("mine", migrations=declared))
