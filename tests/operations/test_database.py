"""What a check of the whole database finds on a real server, and what its repair does to it."""

import dataclasses
import shutil
import subprocess

import pytest

from relogin import Health, baseline, sql
from relogin.facts import database, database_deep, database_sql, postgres
from relogin.facts.database_state import DatabaseState
from relogin.operations import database_index
from tests.embedded.programs import as_owner, owner
from tests.facts.answers import run
from tests.operations import databases
from tests.operations.databases import described
from tests.operations.shops import SHOP, Shop, described_shop, held

pytestmark = pytest.mark.embedded


def cut(shop: Shop, index: str, table: str) -> None:
    """Leave what a REINDEX CONCURRENTLY leaves that times out while a writer is at work."""
    with held(shop, f"UPDATE {table} SET id = id WHERE id = 1"), pytest.raises(RuntimeError):
        shop.sql(f"SET lock_timeout = '200ms';\nREINDEX INDEX CONCURRENTLY {index}")


def test_a_leftover_of_reindex_concurrently_is_dropped_and_its_original_stays(shop):
    cut(shop, "sessions_user", "sessions")
    assert "1" == shop.indexes()
    [finding] = shop.found()
    assert ("database.index-leftover", "public.sessions_user_ccnew") == finding.key
    assert ["index-leftover"] == shop.mended()
    assert "0" == shop.indexes()
    assert "1" == shop.sql("SELECT count(*) FROM pg_class WHERE relname = 'sessions_user'")
    assert [] == shop.mended()


def test_of_the_users_table_it_keeps_its_id_and_is_dropped_as_well(shop):
    cut(shop, "users_name_key", "users")
    assert [] == shop.faults()
    assert ["postgres.index-invalid"] == shop.mended()
    assert "0" == shop.indexes()
    assert [] == shop.mended()


def test_an_index_that_is_being_built_is_nobodys_leftover(shop):
    psql = [shop.server.bin / "psql", "-XqAt", "-h", str(shop.server.socket)]
    with held(shop, "UPDATE sessions SET id = id WHERE id = 1"):
        command = [*psql, "-p", str(shop.server.port), "-U", shop.server.superuser]
        command += ["-d", shop.name, "-c", "CREATE INDEX CONCURRENTLY slow ON sessions (spent)"]
        building = subprocess.Popen(command, cwd="/", **as_owner())
        while shop.indexes() != "1":
            assert building.poll() is None
        assert [] == shop.faults()
    assert 0 == building.wait(30)


def test_an_index_that_is_not_valid_is_built_anew(shop):
    shop.sql("INSERT INTO roles (name) VALUES ('admin')")
    with pytest.raises(RuntimeError):
        shop.sql("CREATE UNIQUE INDEX CONCURRENTLY roles_name ON roles (name)")
    [_, finding] = shop.found()  # the duplicates that are in its way come first
    assert ("database.index-invalid", "public.roles_name") == finding.key
    assert finding.critical
    [change] = database_index.fix_invalid(shop.backend, shop.look(), finding)
    answer = databases.carried_out(change)
    assert 0 != answer.status
    assert b"23505" in answer.text
    assert "1" == shop.indexes()  # no second copy was left
    shop.sql("UPDATE roles SET name = 'another' WHERE id = 3")
    assert ["index-invalid"] == shop.mended()
    assert "0" == shop.indexes()
    assert [] == shop.mended()


def test_a_constraint_that_was_never_checked_is_validated_where_no_row_breaks_it(shop):
    shop.sql('ALTER TABLE roles ADD CONSTRAINT "it\'s long" CHECK (length(name) < 9) NOT VALID')
    assert ["constraint-not-valid"] == shop.mended()
    assert "0" == shop.sql("SELECT count(*) FROM pg_constraint WHERE NOT convalidated")
    assert [] == shop.mended()


def test_one_that_rows_break_is_left_to_a_person_with_their_number(shop):
    shop.sql("ALTER TABLE roles ADD CONSTRAINT short CHECK (length(name) < 6) NOT VALID")
    [finding] = shop.found()
    assert "it is broken by 1 row: reader" in finding.seen
    assert finding.by_person
    shop.mended()
    assert "1" == shop.sql("SELECT count(*) FROM pg_constraint WHERE NOT convalidated")


def test_orphans_are_counted_though_the_catalogue_calls_their_key_valid(shop):
    shop.sql("SET session_replication_role = replica;\nDELETE FROM users WHERE id <= 7")
    assert "t" == shop.sql("SELECT bool_and(convalidated) FROM pg_constraint")
    [finding] = shop.found()
    assert ("database.orphans", "public.sessions:sessions_user_id_fkey") == finding.key
    assert "7 rows: 1, 2, 3, 4, 5, …" == finding.seen
    assert finding.by_person
    sql = finding.remedy.removeprefix("look at them: ").partition(" then restore")[0]
    assert 1 == sql.count(";")
    assert 7 == len(shop.sql(sql).splitlines())
    before = shop.sql("SELECT count(*) FROM sessions")
    shop.mended()
    assert before == shop.sql("SELECT count(*) FROM sessions")


def test_a_key_without_its_rows_is_no_constraint_to_validate(shop):
    shop.sql("ALTER TABLE sessions DROP CONSTRAINT sessions_user_id_fkey;"
             "DELETE FROM users WHERE id = 9;"
             "ALTER TABLE sessions ADD CONSTRAINT sessions_user_id_fkey"
             " FOREIGN KEY (user_id) REFERENCES users NOT VALID")  # fmt: skip
    assert ["orphans"] == shop.faults()
    shop.sql("DELETE FROM sessions WHERE user_id = 9")
    assert ["constraint-not-valid"] == shop.mended()
    assert [] == shop.mended()


def test_a_sequence_behind_is_set_forward_and_never_back(shop):
    shop.sql("SELECT setval('sessions_id_seq', 3); SELECT setval('users_id_seq', 3);"
             "SELECT setval('roles_id_seq', 900)")  # fmt: skip
    assert ["sequence-behind"] == shop.faults()
    assert ["postgres.sequence-behind", "sequence-behind"] == shop.mended()
    assert "51|51|901" == shop.sql(
        "SELECT nextval('sessions_id_seq'), nextval('users_id_seq'), nextval('roles_id_seq')"
    )
    assert [] == shop.mended()


GONE = {
    "table-missing": ("DROP TABLE sessions", "public.sessions"),
    "column-missing": ("ALTER TABLE sessions DROP spent", "public.sessions:spent"),
    "primary-key-missing": (
        "ALTER TABLE sessions DROP CONSTRAINT sessions_pkey",
        "public.sessions:sessions_pkey",
    ),
    "constraint-missing": (
        "ALTER TABLE sessions DROP CONSTRAINT sessions_user_id_fkey",
        "public.sessions:sessions_user_id_fkey",
    ),
    "index-missing": ("DROP INDEX sessions_user", "public.sessions_user"),
    "sequence-missing": ("DROP SEQUENCE sessions_id_seq CASCADE", "public.sessions_id_seq"),
    "rows-missing": ("TRUNCATE sessions", "public.sessions"),
    "extension-missing": ("DROP EXTENSION plpgsql", "plpgsql"),
}


@pytest.mark.parametrize("fault", GONE)
def test_what_the_baseline_has_and_the_database_lacks_is_named(shop, fault):
    damage, subject = GONE[fault]
    shop.sql(damage)
    found = {finding.key: finding for finding in shop.found()}
    assert (f"database.{fault}", subject) in found
    assert found[f"database.{fault}", subject].by_person
    more = {"column-missing": ["constraint-missing"]}  # a column's CHECK goes with it
    assert sorted([fault, *more.get(fault, [])]) == sorted(shop.faults())


@pytest.mark.parametrize("fault", ["constraint-missing", "index-missing", "primary-key-missing"])
def test_the_sql_that_is_named_brings_it_back(shop, fault):
    shop.sql(GONE[fault][0])
    [finding] = shop.found()
    shop.sql(finding.remedy.removeprefix("see that no row breaks it, then: "))
    assert [] == shop.faults()


def test_a_rule_that_only_has_another_name_is_not_missing(shop):
    shop.sql("ALTER TABLE sessions RENAME CONSTRAINT sessions_user_id_fkey TO other")
    assert [] == shop.faults()


def test_rules_that_were_dumped_and_restored_have_casts_at_other_places_and_are_the_same(shop):
    kinds = "kind IN ('totp', 'sms') AND kind ~ '^[a-z]+$'"
    shop.sql(f"CREATE TABLE methods (kind varchar(10), CHECK ({kinds}));"
             f"CREATE INDEX few ON methods (kind) WHERE {kinds}")  # fmt: skip
    learnt = baseline.learned(shop.look().database)
    shop.learnt = learnt
    rule = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname LIKE 'methods_%'"
    said, few = shop.sql(rule), shop.sql("SELECT pg_get_indexdef('few'::regclass)")
    shop.sql(f"ALTER TABLE methods DROP CONSTRAINT methods_kind_check; DROP INDEX few;"
             f"ALTER TABLE methods ADD CONSTRAINT methods_kind_check {said}; {few}")  # fmt: skip
    assert said != shop.sql(rule)
    assert [] == shop.faults()
    fewer = "ALTER TABLE methods DROP CONSTRAINT methods_kind_check, ADD CHECK (kind IN ('totp'))"
    shop.sql(fewer)
    assert ["constraint-missing"] == shop.faults()


def test_a_column_of_another_type_is_named_with_both(shop):
    shop.sql("ALTER TABLE sessions ALTER spent TYPE bigint")
    assert [("integer", "bigint")] == [
        (one.expected, one.seen) for one in shop.found() if one.fault == "database.column-missing"
    ]


def test_a_table_that_cannot_be_counted_is_said_and_the_rest_is_looked_at(shop):
    health = Health(counted=["users", "nosuch"])
    backend = described(shop.server, "nobody", shop.name, tables=["users"], health=health)
    state = dataclasses.replace(shop, backend=backend).look().database
    assert isinstance(state, DatabaseState)
    assert {"public.users": 50} == state.counts
    assert ('the rows of "public"."nosuch" were not counted (SQLSTATE 42P01)',) == state.unasked


def test_a_large_table_is_held_against_its_rules_by_a_sample(shop, monkeypatch):
    rows = {
        name: text.replace(str(database_sql.LARGE), "20")
        for name, text in database_sql._ROWS.items()
    }
    monkeypatch.setattr(database_sql, "_ROWS", rows)
    shop.sql("INSERT INTO sessions (user_id) SELECT 1 + n % 50 FROM generate_series(1, 9999) n;"
             "SET session_replication_role = replica;\nDELETE FROM users WHERE id = 7")  # fmt: skip
    state = shop.look().database
    assert isinstance(state, DatabaseState)
    assert ("sessions_user_id_fkey", "public.sessions") in state.partly
    [said] = [one for one in state.unasked if "sessions_user_id_fkey" in one]
    assert "a sample, was held against" in said
    [finding] = [one for one in shop.found() if one.fault == "database.orphans"]
    assert "in a sample of " in finding.seen


def test_one_who_is_no_superuser_sees_the_catalogue_and_is_told_what_he_may_not_read(shop):
    shop.sql("CREATE ROLE limited; GRANT SELECT ON roles, users TO limited")
    asked = database_sql.statements(shop.backend) + database_deep.statements(shop.backend)
    target = postgres.declared_target(shop.backend)
    assert target is not None
    psql = postgres.admin_command(shop.backend.database.admin, port=shop.server.port,
                                  host=target.host, database=shop.name)  # fmt: skip
    answer = run(sql.psql(f"{sql.READ}set role limited;\n{asked}", command=psql))
    state = database.parse(answer, shop.backend)
    assert isinstance(state, DatabaseState), state
    assert 3 == len(state.tables)
    assert {"public.users": 50} == state.counts
    assert 'the rows of "public"."sessions" were not counted (SQLSTATE 42501)' in state.unasked
    assert (
        "duplicates under public.sessions_pkey: it takes too long, or may not be" in state.unasked
    )
    assert [] == [one for one in state.unasked if "sessions" not in one]


def test_nothing_is_wrong_with_a_fresh_pgbench_database(server, undo):
    server.sql("CREATE DATABASE bench")
    pgbench = [server.bin / "pgbench", "-i", "-q", "-s", "1", "-h", str(server.socket)]
    pgbench += ["-p", str(server.port), "-U", server.superuser, "bench"]
    subprocess.run(pgbench, check=True, capture_output=True, cwd="/", **as_owner())
    bench = Shop(server, "bench", described(server, "nobody", "bench", health=Health()))
    assert [] == bench.faults()


def test_rows_near_the_end_of_their_numbers_are_named(undo):
    """The counter is put forward in the stopped server, as pg_resetwal(1) says."""
    segment = 0x0419
    with databases.serving() as server:
        server.sql("CREATE DATABASE old; ALTER SYSTEM SET autovacuum = off;"
                   "ALTER SYSTEM SET autovacuum_freeze_max_age = 2000000000")  # fmt: skip
        server.stop()
        data = server.folder / "data"
        clog = data / "pg_xact" / f"{segment:04X}"
        clog.write_bytes(bytes(32 * 8192))
        reset = [server.bin / "pg_resetwal", "-x", str(segment * 32 * 8192 * 4), str(data)]
        subprocess.run(reset, check=True, capture_output=True, cwd="/", **as_owner())
        shutil.chown(clog, owner().pw_uid, owner().pw_gid)
        server._launch(data)
        shop = described_shop(server, "old")
        [finding] = shop.found()
        assert "database.wraparound-near" == finding.fault
        assert not finding.critical
        assert "its oldest is 1099" in finding.seen


def test_under_another_sort_order_indexes_are_built_anew_and_only_then_it_is_refreshed(
    server, undo
):
    """PostgreSQL's builtin provider has versions, as libc's and ICU's locales have."""
    server.sql("CREATE DATABASE sorted LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
               " TEMPLATE template0")  # fmt: skip
    server.sql(SHOP.replace("name text)", "name text UNIQUE)"), "sorted")
    server.sql("UPDATE pg_database SET datcollversion = '0' WHERE datname = 'sorted'")
    shop = described_shop(server, "sorted")
    [finding] = shop.found()
    assert ("database.collation-changed", "sorted") == finding.key
    assert "public.roles_name_key; recorded 0, now 1" in finding.seen
    before = server.sql("SELECT relfilenode FROM pg_class WHERE relname ~ 'name_key'", "sorted")
    assert {"postgres.collation-changed", "collation-changed"} >= set(shop.mended())
    after = server.sql("SELECT relfilenode FROM pg_class WHERE relname ~ 'name_key'", "sorted")
    assert not set(before.split()) & set(after.split())
    assert "1" == server.sql("SELECT datcollversion FROM pg_database WHERE datname = 'sorted'")
    assert [] == shop.mended()


def test_of_a_collation_of_its_own_only_that_one_is_refreshed(shop):
    shop.sql("CREATE COLLATION mine (provider = builtin, locale = 'C.UTF-8');"
             "CREATE INDEX mine ON roles (name COLLATE mine);"
             "UPDATE pg_collation SET collversion = '0' WHERE collname = 'mine'")  # fmt: skip
    assert ["collation-changed"] == shop.mended()
    assert "1" == shop.sql("SELECT collversion FROM pg_collation WHERE collname = 'mine'")
    assert [] == shop.mended()
