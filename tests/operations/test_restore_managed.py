"""A server whose administrator is no superuser, as a managed one's: he owns the database."""

import re
import time
from collections.abc import Iterator

import psycopg
import pytest

from .backups import PASSWORD, lines
from .restoring import ADA, Restoring, backed
from .shop_backend import Load
from .under_way import UnderWay

__all__ = ["backed"]
pytestmark = pytest.mark.embedded
KEEPER = "keepers-own"


@pytest.fixture
def managed(backed: Restoring) -> Iterator[Restoring]:
    """The keeper may make databases and is a member of the backend's role; he is nothing else."""
    if backed.server.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'keeper'") == "0":
        backed.server.sql(f"CREATE ROLE keeper LOGIN CREATEDB PASSWORD '{KEEPER}'")
        backed.server.sql("GRANT app TO keeper")
    tables = (f"TABLE shop.{name}" for name in ("users", "posts"))
    for what in ("SCHEMA shop", *tables):
        backed.sql(f"ALTER {what} OWNER TO app")
    backed.sql(f"ALTER DATABASE {backed.database} OWNER TO keeper")
    url = f"postgresql://keeper:{KEEPER}@127.0.0.1:{backed.server.port}/postgres"
    (backed.folder / "keeper").write_text(url)
    backed.described()
    yield backed
    backed.server.sql("ALTER ROLE keeper CREATEDB; GRANT app TO keeper")


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is described has the keeper's URL."""
    whole = Restoring.described

    def by_url(self: Restoring, backup: str = "") -> None:
        whole(self, backup)
        inventory = self.folder / "inventory.py"
        psql, file = self.server.bin / "psql", self.folder / "keeper"
        admin = f"admin=AdminUrl(Secret.file({str(file)!r}), psql={str(psql)!r})),"
        text = re.sub(r"admin=Peer\(.*\)\),", admin, inventory.read_text())
        inventory.write_text(text.replace("import (\n", "import (\n    AdminUrl,"))

    monkeypatch.setattr(Restoring, "described", by_url)


def connected(managed: Restoring, user: str, password: str) -> psycopg.Connection:
    where = {"host": "127.0.0.1", "port": managed.server.port, "dbname": managed.database}
    return psycopg.connect(user=user, password=password, autocommit=True, **where)


def test_it_takes_the_place_of_the_live_one_while_people_log_in(managed, capsys):
    managed.sql(f"ALTER DATABASE {managed.database} SET work_mem = '5MB'")
    managed.sql(f"COMMENT ON DATABASE {managed.database} IS 'the shop''s own'")
    name = managed.back_up()
    head = lines(managed.store / name / "manifest")[0]
    assert not head["passwords"]
    assert "password '" not in (managed.store / name / "roles.sql").read_text()
    managed.sql("DELETE FROM shop.posts; UPDATE shop.users SET active = false WHERE name = 'bob'")
    with connected(managed, "app", PASSWORD) as session:
        with Load(managed.url, "ada", ADA) as load, Load(managed.url, "ada", ADA) as other:
            code, said = managed.restore(managed.place)
        assert 0 == code, said
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    assert "the backup is restored, and people can log in" in said
    assert re.search("connected now: [0-9] as app", said)
    assert KEEPER not in said
    assert managed.lets_in("bob", "bob's")
    assert "2" == managed.sql("SELECT count(*) FROM shop.posts")
    assert "5MB" == managed.sql("SHOW work_mem")
    refused = load.refused + other.refused
    with capsys.disabled():
        switched = next(line.strip() for line in said.splitlines() if "switched in" in line)
        print(f"\n{len(load.statuses)} logins of each, refused {refused}, slowest"
              f" {max(load.slowest, other.slowest) * 1000:.0f} ms; {switched}")  # fmt: skip
    assert {500} >= {*refused}
    assert len(refused) <= 4  # each of two clients, at the login and behind it
    code, said = managed.restore("undo=true")
    assert 0 == code, said
    assert not managed.lets_in("bob", "bob's")
    assert ["", "_undone_"] == [found[:8] for found in managed.databases()]
    comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = "
    assert "the shop's own" == managed.sql(f"{comment}'{managed.database}'")


def test_what_is_under_way_is_not_cut_by_the_switch(managed):
    managed.back_up()
    with UnderWay(managed) as one, UnderWay(managed) as other:
        for words in ([], ["undo=true"]) * 2:
            code, said = managed.restore(*words)
            assert 0 == code, said
    assert min(one.done, other.done) > 20
    assert [] == one.cut + other.cut


def test_a_second_rename_that_fails_leaves_the_first_undone(managed):
    """Somebody whose session the keeper may not end is in the database beside."""
    managed.back_up()
    managed.sql("INSERT INTO shop.users VALUES (3, 'eve', '-')")
    assert 0 == managed.restore("rehearse=true")[0]
    _, side = managed.databases()
    managed.server.sql("CREATE ROLE stays LOGIN SUPERUSER PASSWORD 'stays'")
    where = {"host": "127.0.0.1", "port": managed.server.port}
    with psycopg.connect(user="stays", password="stays", dbname=managed.database + side, **where):
        code, said = managed.restore(managed.place)
    assert 1 == code
    assert "55006" in said
    assert "the databases could not be switched: as before" in said
    assert ["", side] == managed.databases()
    assert "ada,bob,eve" == managed.names()
    assert managed.lets_in()
    code, said = managed.restore(managed.place)
    assert 0 == code, said
    assert "ada,bob" == managed.names()


def test_a_run_that_is_killed_in_the_switch_leaves_one_of_both_and_the_next_ends_it(managed):
    managed.back_up()
    managed.sql("INSERT INTO shop.users VALUES (3, 'eve', '-')")
    assert managed.killed("[@local] put database ", "restore_backup", managed.place)
    switching = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'keeper'"
    deadline = time.monotonic() + 60
    while managed.server.sql(switching) != "0" and time.monotonic() < deadline:
        time.sleep(0.2)
    assert managed.lets_in()
    code, said = managed.restore(managed.place)
    assert 0 == code, said
    assert "ada,bob" == managed.names()
    assert managed.lets_in()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("ALTER ROLE keeper NOCREATEDB", "keeper may not make databases (CREATEDB)"),
        ("ALTER DATABASE {} OWNER TO other", "the database is other's, whom keeper is not"),
        ("ALTER ROLE other IN DATABASE {} SET work_mem = '5MB'", "SET is there for other"),
    ],
)
def test_what_he_may_not_is_said_before_anything_changes(managed, statement, said):
    if managed.server.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'other'") == "0":
        managed.server.sql("CREATE ROLE other LOGIN PASSWORD 'other'")
    managed.back_up()
    managed.server.sql(statement.format(managed.database))
    managed.sql("GRANT SELECT ON ALL TABLES IN SCHEMA shop TO keeper")
    code, told = managed.restore(managed.place)
    assert 1 == code
    assert "the administrator is no superuser, and " in told
    assert said in told
    assert [""] == managed.databases()


def test_sessions_that_he_may_not_end_are_named_before_anything_changes(managed):
    managed.back_up()
    managed.server.sql("CREATE ROLE watcher LOGIN SUPERUSER PASSWORD 'watcher'")
    with connected(managed, "watcher", "watcher"):
        code, said = managed.restore(managed.place)
    assert 1 == code
    assert "watcher is connected, whose sessions keeper may not end" in said
    assert [""] == managed.databases()


def test_a_table_that_he_may_not_read_is_named_and_no_backup_is_left(managed):
    managed.server.sql("CREATE ROLE stranger")
    managed.sql("CREATE TABLE shop.hidden (id int); ALTER TABLE shop.hidden OWNER TO stranger")
    code, said = managed.run("backup")
    assert 1 == code
    assert "permission denied for table hidden" in said
    assert [] == managed.backups()
