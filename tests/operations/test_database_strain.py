"""What strains a server just now: slots, prepared transactions, locks, idle sessions, dead rows."""

import dataclasses
from contextlib import ExitStack

import psycopg
import pytest

from relogin import Severity, Unreadable
from relogin.facts import database, database_deep, postgres
from relogin.facts.database_state import DatabaseState, Slot, Strain
from relogin.operations import database_server
from tests.facts.answers import run
from tests.operations import databases
from tests.operations.databases import described
from tests.operations.shops import SHOP, described_shop, held

pytestmark = pytest.mark.embedded


def test_a_slot_that_nobody_reads_is_named_with_what_it_keeps(debian):
    debian.sql("SELECT pg_create_physical_replication_slot('old', true)")
    assert [] == debian.faults()
    for _ in range(18):
        debian.sql("SELECT pg_logical_emit_message(true, 'x', 'y'), pg_switch_wal()")
    [finding] = debian.found()
    assert ("database.slot-holds-wal", "old") == finding.key
    debian.sql("SELECT pg_drop_replication_slot('old')")
    assert [] == debian.faults()


@pytest.mark.parametrize(
    ("slot", "found"),
    [
        (Slot("a", "extended", 2**30, active=True), False),
        (Slot("a", "extended", 6 * 2**30, active=True), True),
        (Slot("a", "lost", 0, active=True), True),
        (Slot("a", "reserved", 2**30, active=False), True),
    ],
)
def test_a_slot_whose_reader_is_only_a_little_behind_is_no_finding(shop, slot, found):
    state = DatabaseState("shop", strain=Strain(slots=(slot,)))
    seen = dataclasses.replace(shop.look(), database=state)
    assert found == bool(database_server.SLOT_HOLDS_WAL.found(shop.backend, seen))


@pytest.fixture
def pooled(shop):
    """The backend's role is no superuser, and may connect; what it held is gone in the end."""
    shop.sql("CREATE ROLE pooled LOGIN PASSWORD 'known'")
    yield dataclasses.replace(shop, backend=described(shop.server, "pooled", shop.name))
    while shop.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'pooled'") != "0":
        pass  # each question takes a process of its own: no busy loop
    shop.sql("DROP ROLE pooled")


@pytest.mark.parametrize(
    ("limits", "room", "what"),
    [
        ("ROLE pooled", 10, "role pooled"),
        ("DATABASE {own}", 10, "database {name}"),
        (None, 97, "the server"),  # of 100, three are the superuser's (PostgreSQL docs, 19.3)
    ],
)
def test_connections_that_near_a_limit_are_said_before_nobody_gets_one(pooled, limits, room, what):
    if limits:
        limited = limits.format(own=databases.identifier(pooled.name))
        pooled.sql(f"ALTER {limited} CONNECTION LIMIT {room}")
    where = {"host": "127.0.0.1", "port": pooled.server.port, "dbname": pooled.name}
    near = -(-room * 4 // 5)
    with ExitStack() as held:

        def connections(count: int) -> None:
            for _ in range(count):
                held.enter_context(psycopg.connect(user="pooled", password="known", **where))

        connections(near - 1)
        assert [] == pooled.faults()
        connections(1)
        [finding] = pooled.found()
        key = "database.connections-near-limit", what.format(name=pooled.name)
        assert (key, Severity.WARNING) == (finding.key, finding.severity)
        assert f"{near} of {room} " in finding.seen
        assert f"{near} of pooled" in finding.seen
        connections(room - near)  # from here on it is a fault that keeps people out
        assert [] == pooled.faults()


def test_a_prepared_transaction_that_a_crash_leaves_is_named_with_the_way_to_end_it(
    undo, monkeypatch
):
    soon = database_deep._STRAIN.replace(database_deep.IDLE, "0 seconds")
    with databases.serving() as server:
        server.sql("CREATE DATABASE half; ALTER SYSTEM SET max_prepared_transactions = 1")
        server.sql(SHOP, "half")
        server.stop()
        server._launch(server.folder / "data")
        shop = described_shop(server, "half")
        shop.sql("BEGIN; UPDATE roles SET name = 'x'; PREPARE TRANSACTION 'it''s'")
        assert [] == shop.faults()
        monkeypatch.setattr(database_deep, "_STRAIN", soon)
        [finding] = shop.found()
        assert ("database.idle-in-transaction", "it's") == finding.key
        shop.sql(finding.remedy.rpartition("or ")[2])
        assert [] == shop.faults()
        assert "1" == shop.sql("SELECT count(*) FROM roles WHERE name = 'admin'")


def test_who_holds_others_up_is_named_and_who_waits(shop, monkeypatch):
    soon = database_deep._STRAIN
    for patience in (database_deep.IDLE, database_deep.WAITING):
        soon = soon.replace(patience, "0 seconds")
    lock = "LOCK TABLE roles IN SHARE ROW EXCLUSIVE MODE"
    with held(shop, lock) as holder, held(shop, lock, waits=True):
        assert [] == shop.faults()
        monkeypatch.setattr(database_deep, "_STRAIN", soon)
        found = {one.fault.removeprefix("database."): one for one in shop.found()}
        assert {"idle-in-transaction", "lock-waited-for"} == found.keys()
        assert str(holder) == found["idle-in-transaction"].subject
        assert f"behind process {holder}" in found["lock-waited-for"].seen
    assert [] == shop.faults()


def test_behind_a_lock_that_keeps_readers_out_it_is_said_and_nothing_is_called_healthy(shop):
    target = postgres.declared_target(shop.backend)
    assert target is not None
    with held(shop, "LOCK TABLE sessions"):
        answer = run(postgres.script(shop.backend, target, deep=True))
    said = "its catalogue was not read: SQLSTATE 55P03, somebody has locked a table of it"
    assert Unreadable(said) == database.parse(answer, shop.backend)


def test_a_table_of_dead_rows_is_named(shop):
    shop.sql("CREATE TABLE churned (x int) WITH (autovacuum_enabled = false);"
             "INSERT INTO churned SELECT generate_series(1, 60000); DELETE FROM churned;"
             "SELECT pg_stat_force_next_flush()")  # fmt: skip
    [finding] = shop.found()
    assert ("database.dead-rows", "public.churned") == finding.key
    shop.sql(finding.remedy.partition(";")[0])
    assert [] == shop.faults()
