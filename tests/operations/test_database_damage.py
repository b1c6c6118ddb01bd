"""Damage that no catalogue shows, made for real: pages, duplicates, slots, sessions, dead rows."""

import contextlib
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator

import pytest

from relogin.facts import database_deep, database_sql
from relogin.facts.database_state import DatabaseState
from tests.embedded.programs import as_owner, owner
from tests.operations import databases
from tests.operations.shops import SHOP, Shop, described_shop

pytestmark = pytest.mark.embedded


def overwritten(shop: Shop, relation: str, block: int = 0, at: int = 4000) -> None:
    """Overwrite a part of a page of a table or index in the stopped server, from a byte on."""
    shop.sql("CHECKPOINT")
    place = shop.sql(f"SELECT pg_relation_filepath('{relation}')")
    shop.server.stop()
    with (shop.server.folder / "data" / place).open("r+b") as file:
        file.seek(block * 8192 + at)
        file.write(b"\xa5" * (7990 - at if at > 4990 else 3000))
    shop.server._launch(shop.server.folder / "data")


def hidden_duplicate(shop: Shop, table: str, index: str) -> None:
    """Let a value in twice while the index that forbids it does not look."""
    ready = f"UPDATE pg_index SET indisready = %s WHERE indexrelid = '{index}'::regclass"
    shop.sql(f"{ready % 'false'}")
    shop.sql(f"INSERT INTO {table} (name) SELECT name FROM {table} WHERE id = 1")
    shop.sql(f"{ready % 'true'}")


def test_values_that_a_unique_index_hides_are_found_without_it_and_nothing_is_changed(shop):
    hidden_duplicate(shop, "users", "users_name_key")
    assert "1" == shop.sql(
        "SET enable_seqscan = off;\nSELECT count(*) FROM users WHERE name = 'u1'"
    )
    [finding] = shop.found()
    assert ("database.duplicates", "public.users_name_key") == finding.key
    assert "1 value: u1" == finding.seen
    sql = finding.remedy.removeprefix("look at them without indexes: ").split("; which")[0]
    assert 2 == len(shop.sql(sql.replace("IN (…)", "IN ('u1')")).splitlines())
    shop.mended()
    assert "51" == shop.sql("SET enable_indexonlyscan = off;\nSELECT count(*) FROM users")
    assert ["duplicates"] == shop.faults()


def test_in_a_large_table_that_is_counted_duplicates_are_looked_for_among_a_part_of_the_values(
    shop, monkeypatch
):
    small = database_deep._TWICE.replace(str(database_sql.LARGE), "16")
    monkeypatch.setattr(database_deep, "_TWICE", small)
    shop.sql("CREATE TABLE others AS SELECT generate_series(1, 9999) x")
    shop.sql("ALTER TABLE others ADD UNIQUE (x)")
    shop.sql("INSERT INTO users (name) SELECT 'v' || n FROM generate_series(1, 9999) n")
    said = shop.look().database.unasked
    assert "duplicates under public.others_x_key (its table is large, and not counted)" in said
    assert "one of 4 values under public.users_name_key was looked for twice" in said
    ready = "UPDATE pg_index SET indisready = %s WHERE indexrelid = 'users_name_key'::regclass"
    shop.sql(ready % "false")
    shop.sql("INSERT INTO users (name) SELECT 'v' || n FROM generate_series(1, 400) n")
    shop.sql(ready % "true")
    [finding] = [one for one in shop.found() if one.fault == "database.duplicates"]
    assert 400 / 8 < int(finding.seen.split()[0]) < 400 / 2
    assert " values among one of 4: v" in finding.seen


def test_nulls_are_no_duplicates(shop):
    shop.sql("CREATE TABLE free (x int UNIQUE); INSERT INTO free VALUES (NULL), (NULL)")
    assert [] == shop.faults()


def test_an_index_over_duplicates_is_not_built_anew_in_vain(shop):
    shop.sql("INSERT INTO roles (name) VALUES ('admin')")
    with pytest.raises(RuntimeError):
        shop.sql("CREATE UNIQUE INDEX CONCURRENTLY roles_name ON roles (name)")
    assert [("duplicates", True), ("index-invalid", True)] == [
        (one.fault.removeprefix("database."), one.by_person) for one in shop.found()
    ]


def test_a_damaged_table_is_named_and_the_others_are_looked_at(undo):
    with databases.serving() as server:
        server.sql("CREATE DATABASE torn")
        server.sql(SHOP, "torn")
        shop = described_shop(server, "torn")
        overwritten(shop, "roles")
        shop.sql("SELECT setval('sessions_id_seq', 3)")
        found = {one.key: one for one in shop.found()}
        finding = found["database.table-corrupt", "public.roles"]
        assert "SQLSTATE XX001" in finding.seen
        assert finding.by_person
        assert ("database.sequence-behind", "public.sessions_id_seq") in found
        assert ("database.checksum-failures", "torn") in found
        assert {"table-corrupt", "checksum-failures", "sequence-behind"} == set(shop.faults())


def test_with_amcheck_an_index_that_lies_is_found_and_built_anew(debian):
    hidden = "UPDATE pg_index SET indisready = %s WHERE indexrelid = 'sessions_user'::regclass"
    debian.sql(hidden % "false")
    debian.sql("INSERT INTO sessions (user_id) VALUES (1)")
    debian.sql(hidden % "true")
    [finding] = debian.found()  # it is not installed, and a check makes nothing
    assert ("database.index-corrupt", "public.sessions_user") == finding.key
    assert "it finds 50 of 51 rows" == finding.seen
    debian.sql("CREATE EXTENSION amcheck")
    [finding] = debian.found()
    assert ("database.index-corrupt", "public.sessions_user") == finding.key
    assert "bt_index_check: SQLSTATE XX001" == finding.seen
    assert 2 == amchecked(debian)
    assert ["index-corrupt"] == debian.mended()
    assert 0 == amchecked(debian)
    assert [] == debian.mended()


def amchecked(shop: Shop) -> int:
    """Give what pg_amcheck ends with: 0 where all is sound, 2 where something is damaged."""
    command = [shop.server.bin / "pg_amcheck", "--heapallindexed", "-h", str(shop.server.socket)]
    command += ["-p", str(shop.server.port), "-d", shop.name]
    return subprocess.run(
        command, capture_output=True, check=False, cwd="/", **as_owner()
    ).returncode


@pytest.mark.parametrize("extension", ["amcheck", "plpgsql"])
def test_without_checksums_overwritten_pages_are_found_as_well(debian, extension):
    assert "off" == debian.sql("SHOW data_checksums")
    debian.sql(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    overwritten(debian, "users_name_key", block=1, at=7000)
    if extension == "amcheck":
        [finding] = debian.found()
        assert ("database.index-corrupt", "public.users_name_key") == finding.key
        assert 2 == amchecked(debian)
        assert ["index-corrupt"] == debian.mended()
        assert 0 == amchecked(debian)
    overwritten(debian, "sessions")
    found = {one.key for one in debian.found()}
    assert ("database.table-corrupt", "public.sessions") in found
    assert all("public.roles" not in subject for _, subject in found)


def test_a_damaged_page_of_an_index_is_found_without_amcheck_and_built_anew(undo):
    with databases.serving() as server:
        server.sql("CREATE DATABASE torn")
        server.sql(SHOP, "torn")
        shop = described_shop(server, "torn")
        overwritten(shop, "sessions_user", block=1)
        found = {one.key: one for one in shop.found()}
        index = "database.index-corrupt", "public.sessions_user"
        assert "SQLSTATE XX001" == found[index].seen
        assert {index, ("database.checksum-failures", "torn")} >= found.keys()
        assert "index-corrupt" in shop.mended()
        assert "1" == shop.sql(
            "SET enable_seqscan = off;\nSELECT count(*) FROM sessions WHERE user_id = 7"
        )
        shop.sql("SELECT pg_stat_reset()")
        assert [] == shop.faults()


@pytest.mark.parametrize(
    "made",
    [
        "(user_id DESC, id)",
        "(user_id DESC NULLS LAST, id NULLS FIRST)",
        "(lower(user_id::text))",
        "(user_id) WHERE user_id < 9",
        "((user_id::text) text_pattern_ops)",
        "(user_id) INCLUDE (spent)",
        "(role_id, spent)",
    ],
)
def test_a_sound_index_finds_all_rows_however_it_is_made(shop, made):
    shop.sql(
        f"UPDATE sessions SET role_id = NULL WHERE id > 9; CREATE INDEX one ON sessions {made}"
    )
    assert [] == shop.faults()


def test_of_files_copied_under_load_what_does_not_fit_together_is_found(undo):
    """As `cp -a` of the data directory does it: one file after the other, while rows come in."""
    with databases.serving() as server:
        server.sql("CREATE DATABASE copied")
        server.sql(SHOP, "copied")
        shop = described_shop(server, "copied")
        shop.sql("CHECKPOINT")
        data, copy = server.folder / "data", server.folder / "copy"
        early = [shop.sql(f"SELECT pg_relation_filepath('{name}')")
                 for name in ("users", "sessions_user")]  # fmt: skip
        old = {place: (data / place).read_bytes() for place in early}
        with loaded(shop, at_least=500):
            shop.sql("CHECKPOINT")
            shutil.copytree(data, copy, ignore=shutil.ignore_patterns("postmaster.*"))
        server.stop()
        for place, content in old.items():
            (copy / place).write_bytes(content)
        for path in (copy, *copy.rglob("*")):
            shutil.chown(path, owner().pw_uid, owner().pw_gid)
        server._launch(copy)
        found = {one.key for one in shop.found()}
        assert ("database.orphans", "public.sessions:sessions_user_id_fkey") in found
        assert ("database.index-corrupt", "public.sessions_user") in found
        rows = shop.sql("SELECT count(*), sum(hashtext(s::text)) FROM sessions s")
        shop.mended()
        assert "orphans" in shop.faults()
        assert "index-corrupt" not in shop.faults()
        assert rows == shop.sql("SELECT count(*), sum(hashtext(s::text)) FROM sessions s")


@contextlib.contextmanager
def loaded(shop: Shop, at_least: int) -> Iterator[None]:
    """Add users, each with a session, until this ends; it begins once there are some."""
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            shop.sql("WITH u AS (INSERT INTO users (name) SELECT gen_random_uuid() FROM"
                     " generate_series(1, 100) RETURNING id) INSERT INTO sessions (user_id)"
                     " SELECT id FROM u")  # fmt: skip

    loading = threading.Thread(target=load)
    loading.start()
    try:
        while int(shop.sql("SELECT count(*) FROM users")) < at_least:
            pass  # each question takes a process of its own: no busy loop
        yield
    finally:
        over.set()
        loading.join()


def test_once_the_time_is_over_nothing_more_is_read_and_that_is_said(shop, monkeypatch):
    over = database_sql.CATALOGUE.replace(f"'{database_sql.ALTOGETHER} s'", "'-20 s'")
    monkeypatch.setattr(database_sql, "CATALOGUE", over)
    hidden_duplicate(shop, "users", "users_name_key")
    state = shop.look().database
    assert isinstance(state, DatabaseState)
    assert () == state.twice + state.corrupt
    said = "\n".join(state.unasked)
    assert "the rows of " in said
    [pages] = [one for one in state.unasked if one.startswith("pages of ")]
    assert pages.endswith(" were not read: all took too long")
    assert {"public.sessions", "public.sessions_user"} <= set(re.findall(r"[\w.]+", pages))
    [twice] = [one for one in state.unasked if one.startswith("duplicates under ")]
    assert "public.users_name_key" in twice
