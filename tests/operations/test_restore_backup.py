"""deploys/restore_backup.py as a person runs it, on a real PostgreSQL and a real backend."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from .backups import PASSWORD, sealed_again, stopped
from .restoring import ADA, Restoring, backed
from .shop_backend import Load, hashed, shop
from .test_backup import CIPHER

__all__ = ["backed"]
pytestmark = pytest.mark.embedded


def test_it_takes_the_place_of_the_live_database_and_nobody_meets_another_one(backed, capsys):
    backed.sql(f"ALTER DATABASE {backed.database} SET work_mem = '5MB'")
    backed.sql(f"COMMENT ON DATABASE {backed.database} IS 'the shop''s own'")
    backed.back_up()
    backed.sql("DELETE FROM shop.posts; UPDATE shop.users SET active = false WHERE name = 'bob'")
    with Load(backed.url, "ada", ADA) as load:
        code, said = backed.restore(backed.place)
    assert 0 == code, said
    assert "the backup is restored, and people can log in" in said
    assert "it takes away: accounts that are others now: bob (active)" in said
    assert "tokens stay good: 1 accounts are the same" in said
    assert backed.lets_in("bob", "bob's")
    assert "2" == backed.sql("SELECT count(*) FROM shop.posts")
    assert "3" == backed.sql("SELECT nextval('shop.users_id_seq')")
    assert "5MB" == backed.sql("SHOW work_mem")
    comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = "
    assert "the shop's own" == backed.sql(f"{comment}'{backed.database}'")
    _, former = backed.databases()
    assert former.startswith("_before_")
    assert f'DROP DATABASE "{backed.database}{former}";' in said
    closed = f"SELECT datallowconn FROM pg_database WHERE datname = '{backed.database}{former}'"
    assert "f" == backed.sql(closed)
    with capsys.disabled():
        print(f"\n{len(load.statuses)} logins, slowest {load.slowest * 1000:.0f} ms,"
              f" refused {load.refused}; {_switched(said)}")  # fmt: skip
    assert [] == [status for status in load.refused if status != 500]
    assert len(load.refused) <= 1

    backed.sql("INSERT INTO shop.users VALUES (9, 'eve', '-')")
    code, said = backed.restore("undo=true")
    assert 0 == code, said
    assert "the restore is taken back, and people can log in" in said
    assert not backed.lets_in("bob", "bob's")
    assert "ada,bob" == backed.names()
    assert "the shop's own" == backed.sql(f"{comment}'{backed.database}'")
    assert ["", "_undone_"] == [name[:8] for name in backed.databases()]


def _switched(said: str) -> str:
    return next(line.strip() for line in said.splitlines() if "switched in" in line)


def test_a_backend_that_keeps_its_connections_fails_one_request_for_each_at_most(backed, capsys):
    """It does not check them: what the switch has ended shows at the next use."""
    address = f"postgresql://app:{PASSWORD}@127.0.0.1:{backed.server.port}/{backed.database}"
    with shop(address, pooled=True) as backed.url:
        backed.described()
        backed.back_up()
        with Load(backed.url, "ada", ADA) as one, Load(backed.url, "bob", "bob's") as other:
            code, said = backed.restore(backed.place)
        assert 0 == code, said
        assert "connected now: " in said
        refused = one.refused + other.refused
        with capsys.disabled():
            print(f"\n{len(one.statuses)} logins of each, refused {refused}; {_switched(said)}")
        assert {500} >= {*refused}
        assert len(refused) <= 3
        assert backed.lets_in()


def test_what_would_be_lost_is_named_and_needs_a_confirmation(backed):
    backed.back_up()
    backed.sql("INSERT INTO shop.users VALUES (3, 'eve', '-')")
    backed.sql("UPDATE shop.users SET hash = '-' WHERE name = 'bob'")
    before = backed.databases()
    for words in ((), ("confirm=@local/other",)):
        code, said = backed.restore(*words)
        assert 1 == code
        assert "it takes away: accounts made since: eve" in said
        assert "it takes away: accounts that are others now: bob (password)" in said
        assert "it takes away: table shop.users has 1 rows more than in the backup" in said
        assert f"this has to be confirmed: --data {backed.place}" in said
    assert before == backed.databases()
    assert "ada,bob,eve" == backed.names()


def test_a_rehearsal_does_all_but_the_switch_and_the_restore_uses_what_it_left(backed):
    backed.back_up()
    backed.sql("INSERT INTO shop.users VALUES (3, 'eve', '-')")
    code, said = backed.restore("rehearse=true")
    assert 0 == code, said
    assert "rehearsed: the backup could be restored; nothing that runs was changed" in said
    assert "it takes away: accounts made since: eve" in said
    assert re.search(r"all but the switch took \d+\.\d s, in which everybody works on", said)
    assert "ada,bob,eve" == backed.names()
    live, side = backed.databases()
    assert ("", "_restore_") == (live, side[:9])
    at = f"SELECT oid FROM pg_database WHERE datname = '{backed.database}{{}}'"
    oid = backed.sql(at.format(side))
    code, said = backed.restore(backed.place)
    assert 0 == code, said
    assert oid == backed.sql(at.format(""))
    assert "ada,bob" == backed.names()


UPGRADE = """\
import os
import psycopg

url = os.environ.get("DATABASE_URL") or open(".env").read().split("=", 1)[1].strip()
with psycopg.connect(url) as connection:
    (there,) = connection.execute("SELECT version_num FROM shop.alembic_version").fetchone()
    if there == "0006":
        connection.execute("ALTER TABLE shop.users ADD COLUMN joined date")
        connection.execute("UPDATE shop.alembic_version SET version_num = '0007'")
"""


def migrating(backed: Restoring) -> Path:
    """Give the folder of code that has the migrations 0006 and 0007; the database is at 0006."""
    folder = backed.folder / "code"
    (folder / "versions").mkdir(parents=True)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = .\n")
    for number, down in (("0006", "None"), ("0007", '"0006"')):
        text = f'revision = "{number}"\ndown_revision = {down}\n'
        (folder / f"versions/{number}.py").write_text(text)
    (folder / "upgrade.py").write_text(UPGRADE)
    backed.described(f"migrations=Alembic({str(folder)!r}, '{sys.executable} upgrade.py'),")
    backed.sql("CREATE TABLE shop.alembic_version AS SELECT '0006'::text AS version_num")
    return folder


def test_an_older_schema_is_brought_forward_beside_and_the_live_one_is_left_alone(backed):
    folder = migrating(backed)
    backed.sql("GRANT ALL ON shop.alembic_version TO app; ALTER TABLE shop.users OWNER TO app")
    backed.back_up()
    backed.sql("ALTER TABLE shop.users ADD COLUMN joined date")
    backed.sql("UPDATE shop.alembic_version SET version_num = '0007'")
    backed.sql("INSERT INTO shop.users VALUES (3, 'eve', '-')")
    code, said = backed.restore(backed.place)
    assert 0 == code, said
    assert "ada,bob" == backed.names()
    assert "0007" == backed.sql("SELECT version_num FROM shop.alembic_version")
    assert "0" == backed.sql("SELECT count(joined) FROM shop.users")
    (folder / "upgrade.py").write_text("raise SystemExit('no such column')")
    backed.sql("UPDATE shop.alembic_version SET version_num = '0006'")
    shutil.rmtree(backed.store)
    backed.back_up()
    backed.sql("UPDATE shop.alembic_version SET version_num = '0007'")
    code, said = backed.restore(backed.place)
    assert 1 == code
    assert "no such column" in said
    assert "the migrations failed in " in said
    assert backed.lets_in()


def test_an_older_schema_that_the_code_does_not_know_is_refused_before_anything_changes(backed):
    migrating(backed)
    backed.sql("UPDATE shop.alembic_version SET version_num = '0005'")
    backed.back_up()
    backed.sql("UPDATE shop.alembic_version SET version_num = '0007'")
    code, said = backed.restore(backed.place)
    assert 1 == code
    assert "it lacks migration 0007; release the revision that it fits first" in stopped(said)
    assert [""] == backed.databases()


def test_a_dry_run_says_what_would_be_done_and_does_nothing(backed):
    code, said = backed.run("backup", "--dry")
    assert 0 == code, said
    assert "this is what would be done; nothing was changed" in said
    assert [] == backed.backups()
    name = backed.back_up()
    code, said = backed.restore("--dry")
    assert 0 == code, said
    assert f"restore {name} into database {backed.database}_restore_{name.lower()}" in said
    assert "tokens stay good: 2 accounts are the same" in said
    assert [""] == backed.databases()


def test_what_is_encrypted_is_restored(backed):
    backed.described(f"backup=Backup(encrypt={CIPHER!r}, decrypt={CIPHER!r}),")
    backed.back_up()
    backed.sql("UPDATE shop.users SET active = false WHERE name = 'bob'")
    code, said = backed.restore(backed.place)
    assert 0 == code, said
    assert backed.lets_in("bob", "bob's")


def test_a_login_that_is_not_proven_brings_the_former_database_back(backed):
    """The backend's role may not read what was restored, which only the login shows."""
    backed.sql("REVOKE SELECT ON shop.users FROM app")
    backed.back_up()
    backed.sql("GRANT SELECT ON shop.users TO app; INSERT INTO shop.users VALUES (3, 'eve', '-')")
    code, said = backed.restore(backed.place)
    assert 1 == code
    assert "not restored: the former database is back, and people can log in" in said
    for told in (stopped(said), backed.why()):
        assert told.startswith("not proven: ")
        assert "500" in told
    assert backed.lets_in()
    assert "ada,bob,eve" == backed.names()
    assert ["", "_failed_"] == [name[:8] for name in backed.databases()]


def test_accounts_that_are_not_those_of_the_list_are_never_switched_to(backed):
    name = backed.back_up()
    listed = backed.store / name / "accounts"
    listed.write_text(listed.read_text().replace('"bob"', '"bot"'))
    sealed_again(backed.store / name)
    code, said = backed.restore(backed.place)
    assert 1 == code
    for told in (stopped(said), backed.why()):
        assert "is not what the backup says that it is" in told
        assert '"login": "bot"' in told
        assert f"{backed.database}_restore_{name.lower()} may be left" in told
    assert "ada,bob" == backed.names()
    assert ["", "_restore_"] == [found[:9] for found in backed.databases()]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (f"UPDATE shop.users SET name = 'admin', hash = '{hashed('test123')}' WHERE id = 2",
         "account admin has a password that everybody knows"),
        (f"UPDATE shop.users SET hash = '{hashed('an older one')}' WHERE id = 1",
         "account ada has another password in the backup than the declared one"),
    ],
)  # fmt: skip
def test_accounts_that_must_not_become_live_keep_it_from_the_switch(backed, statement, said):
    backed.sql(statement)
    backed.back_up()
    backed.sql("UPDATE shop.users SET name = 'bob' WHERE id = 2")
    backed.sql(f"UPDATE shop.users SET hash = '{hashed(ADA)}' WHERE id = 1")
    code, told = backed.restore(backed.place)
    assert 1 == code
    assert said in told
    assert backed.lets_in()
    assert ["", "_restore_"] == [found[:9] for found in backed.databases()]


def test_commands_run_before_and_behind_the_switch_and_one_that_fails_stops_it(backed):
    backed.back_up()
    log = backed.folder / "commands"
    backed.described(f"""backup=Backup(before="sh -c 'echo stop >>{log}; exit 1'",
                     after="sh -c 'echo start >>{log}'"),""")
    code, said = backed.restore(backed.place)
    assert 1 == code
    assert "the command before the switch failed: nothing was switched" in said
    assert "stop\nstart\n" == log.read_text()
    assert ["", "_restore_"] == [found[:9] for found in backed.databases()]


def test_a_database_of_that_name_that_is_somebodys_own_is_left_alone(backed):
    name = backed.back_up()
    backed.server.sql(f"CREATE DATABASE {backed.database}_restore_{name.lower()}")
    code, said = backed.restore(backed.place)
    assert 1 == code
    assert "is there, and is none of ours" in said


def test_what_cannot_be_is_said(backed):
    code, said = backed.restore()
    assert 1 == code
    assert "there is none in " in said
    code, said = backed.restore("undo=true")
    assert 1 == code
    assert "there is no former database of" in said
