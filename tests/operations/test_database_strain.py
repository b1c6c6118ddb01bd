"""What strains a server just now: slots, prepared transactions, locks, idle sessions, dead rows."""

import dataclasses

import pytest

from relogin import Unreadable
from relogin.facts import database, database_deep, postgres
from relogin.facts.database_state import DatabaseState, Slot, Strain
from relogin.operations import database_server
from tests.facts.answers import run
from tests.operations import databases
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
