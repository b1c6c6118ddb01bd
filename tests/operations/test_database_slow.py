"""What makes a database slow, and what a crash empties, on real servers."""

import contextlib
import dataclasses
import signal
import time

import pytest

from relogin import Account, Accounts, Columns, Health, Severity
from relogin.facts import database_slow, database_sql
from relogin.facts.database_state import DatabaseState, TableIndex
from relogin.operations.database_slow import _begins
from tests.embedded.server import Server
from tests.operations import databases
from tests.operations.databases import described
from tests.operations.shops import SHOP, Shop, described_shop

pytestmark = pytest.mark.embedded
WIDE = (
    "INSERT INTO users (name) SELECT 'w' || n || repeat('.', 200) FROM generate_series(1, 39999) n"
)


def with_login(shop: Shop, schema: str = "public") -> Shop:
    accounts = Accounts(columns=Columns(login="name", email=None, password="name", active=None),
                        present=[Account("it's u\\7")])  # fmt: skip
    backend = described(shop.server, "nobody", shop.name, accounts, health=Health(), schema=schema)
    return dataclasses.replace(shop, backend=backend)


def test_a_login_that_reads_a_large_users_table_is_named_with_the_index_that_it_needs(shop):
    shop = with_login(shop)
    shop.sql(f"{WIDE}; ANALYZE users")
    assert [] == shop.faults()
    shop.sql("ALTER TABLE users DROP CONSTRAINT users_name_key")
    [_, finding] = shop.found()  # it is missing as well, by the baseline
    assert ("database.login-scans", "public.users") == finding.key
    assert "Seq Scan over 9 MiB" in finding.seen
    shop.sql(finding.remedy)
    assert ["constraint-missing"] == shop.faults()


def test_an_index_that_is_not_valid_does_not_help_the_login(shop):
    shop = with_login(shop)
    shop.sql(f"{WIDE}; ALTER TABLE users DROP CONSTRAINT users_name_key;"
             "INSERT INTO users (name) VALUES ('u1'); ANALYZE users")  # fmt: skip
    with pytest.raises(RuntimeError):
        shop.sql("CREATE UNIQUE INDEX CONCURRENTLY by_name ON users (name)")
    [finding] = [one for one in shop.found() if one.fault == "database.login-scans"]
    assert finding.seen.endswith("; public.by_name is not valid")
    assert "REINDEX INDEX CONCURRENTLY public.by_name;" == finding.remedy


def test_in_a_small_table_or_by_an_index_on_the_folded_name_nothing_is_slow(shop):
    shop = with_login(shop)
    shop.sql("ALTER TABLE users DROP CONSTRAINT users_name_key")
    assert ["constraint-missing"] == shop.faults()
    shop.sql(f"{WIDE}; CREATE UNIQUE INDEX folded ON users (lower(name)); ANALYZE users")
    assert ["constraint-missing"] == shop.faults()


@pytest.mark.parametrize(
    ("keys", "begins"),
    [
        ("btree (name)", True),
        ('btree ("name", id)', True),
        ("hash (name)", True),
        ("btree (lower((name)::text))", True),
        ("btree (name) WHERE (id > 0)", True),
        ("btree (id, name)", False),
        ("btree (id) INCLUDE (name)", False),
        ("btree (id) WHERE (name IS NULL)", False),
        ("btree (nickname)", False),
    ],
)
def test_an_index_begins_with_the_column_or_an_expression_of_it(keys, begins):
    made = f"CREATE INDEX i ON public.users USING {keys}"
    index = TableIndex("i", "public.users", False, False, True, made)
    assert begins == _begins(index, "name")


def test_what_takes_thrice_the_room_of_its_rows_is_named_and_the_sql_helps(shop, monkeypatch):
    text = database_slow._ROOM.replace(str(database_sql.LARGE), "40")
    monkeypatch.setattr(database_slow, "_ROOM", text)
    shop.sql("CREATE TABLE big (id int, name text) WITH (autovacuum_enabled = false);"
             "INSERT INTO big SELECT n, repeat('x', 200) FROM generate_series(1, 40000) n;"
             "CREATE INDEX by_id ON big (id); VACUUM ANALYZE big")  # fmt: skip
    assert [] == shop.faults()
    shop.sql("DELETE FROM big WHERE id % 10 > 0; VACUUM ANALYZE big")
    found = {one.subject: one for one in shop.found()}
    assert {"public.big", "public.by_id"} == found.keys()
    assert {"database.bloated"} == {one.fault for one in found.values()}
    shop.sql(found["public.by_id"].remedy)
    assert ["public.big"] == [one.subject for one in shop.found()]
    shop.sql("VACUUM (FULL, ANALYZE) big")
    assert [] == shop.faults()


def test_slow_statements_are_named_with_their_mean_and_without_what_is_quoted(debian):
    server = debian.server
    server.sql("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    server.stop()
    server._launch(server.folder / "data")
    shop = dataclasses.replace(
        debian, backend=described(server, "nobody", debian.name, health=Health(slow=20))
    )
    slow = "SELECT pg_sleep(0.05), 'secret-of-app' AS \"it's\" FROM roles LIMIT 1;\n"
    shop.sql(slow * 19)
    assert [] == shop.faults()
    shop.sql("CREATE EXTENSION pg_stat_statements")
    assert [] == shop.faults()
    shop.sql(slow * 2 + "SELECT 1;\n" * 30)
    [finding] = shop.found()
    assert "database.slow-statement" == finding.fault
    assert "a statement takes 5" in finding.what
    assert "secret-of-app" not in str(finding)
    assert "21 calls in pg_stat_statements" == finding.seen


def test_an_extension_that_is_not_loaded_is_said(debian):
    debian.sql("CREATE EXTENSION pg_stat_statements")
    state = debian.look().database
    assert isinstance(state, DatabaseState)
    assert ("slow statements were not looked at (SQLSTATE 55000)",) == state.unasked
    assert [] == debian.faults()


def killed(server: Server) -> None:
    """End the server as kill -9 does, and start it once its processes are gone."""
    assert server._process is not None
    server._process.send_signal(signal.SIGKILL)
    server._process.wait()
    for _ in range(50):  # while one of them is left, it refuses to start
        with contextlib.suppress(RuntimeError):
            server._launch(server.folder / "data")
            return
    raise AssertionError(server.log.read_text())


def test_after_a_kill_nothing_is_lost_but_what_the_server_counts_and_that_is_a_note(undo):
    with databases.serving() as server:
        server.sql("CREATE DATABASE killed")
        server.sql(SHOP, "killed")
        shop = described_shop(server, "killed")
        shop.sql("ANALYZE; CHECKPOINT; INSERT INTO users (name) VALUES ('last')")
        assert [] == shop.faults()
        time.sleep(1)  # a file's time has whole seconds, and the crash comes after the database
        killed(server)
        [finding] = shop.found()
        assert ("database.statistics-emptied", "killed") == finding.key
        assert Severity.NOTE is finding.severity
        assert "51" == shop.sql("SELECT count(*) FROM users")
        shop.sql("ANALYZE")
        assert [] == shop.faults()
