"""`--data method=reinit`: the backend's own commands fill a database beside, never the live one."""

import shutil
import sys
from pathlib import Path

import pytest

from .restoring import ADA, Restoring, backed
from .shop_backend import Load

__all__ = ["backed"]
pytestmark = pytest.mark.embedded
MANAGE = f"{sys.executable} manage.py"
DECLARED = f"""backup=Backup(create="{MANAGE} create_backup", reinit="{MANAGE} system_reinit",
    restore="{MANAGE} restore_backup --from-file {{file}}"),"""
TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.users (id serial PRIMARY KEY, name text, hash text, active bool DEFAULT true);
CREATE TABLE shop.posts (id serial PRIMARY KEY, user_id int REFERENCES shop.users);
CREATE TABLE shop.alembic_version AS SELECT '0006'::text AS version_num;
"""


@pytest.fixture
def managed(backed: Restoring) -> Restoring:
    folder = backed.folder / "code"
    (folder / "versions").mkdir(parents=True)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = .\n")
    (folder / "versions/0006.py").write_text('revision = "0006"\ndown_revision = None\n')
    shutil.copy(Path(__file__).with_name("shop_manage.py"), folder / "manage.py")
    (folder / "tables.sql").write_text(TABLES)
    backed.sql("CREATE TABLE shop.alembic_version AS SELECT '0006'::text AS version_num")
    tables = (f"TABLE shop.{name}" for name in ("users", "posts", "alembic_version"))
    for what in ("SCHEMA shop", *tables, f"DATABASE {backed.database}"):
        backed.sql(f"ALTER {what} OWNER TO app")
    declared(backed, DECLARED)
    return backed


def declared(backed: Restoring, backup: str) -> None:
    folder = str(backed.folder / "code")
    backed.described(f"migrations=Alembic({folder!r}, '{MANAGE} migrate'), {backup}")


def test_the_live_database_is_switched_away_and_nobody_meets_the_known_password(managed, capsys):
    managed.back_up()
    managed.sql("DELETE FROM shop.posts; UPDATE shop.users SET active = false WHERE name = 'bob'")
    with Load(managed.url, "ada", ADA) as load, Load(managed.url, "admin", "test123") as known:
        code, said = managed.restore("method=reinit", managed.place)
    assert 0 == code, said
    assert "the backup is restored, and people can log in" in said
    assert "tokens stay good: 1 accounts are the same" in said
    assert managed.lets_in("bob", "bob's")
    assert "ada,bob" == managed.names()
    assert "2" == managed.sql("SELECT count(*) FROM shop.posts")
    assert "3" == managed.sql("SELECT nextval('shop.users_id_seq')")
    assert 200 not in {status for _, _, status in known.statuses}
    with capsys.disabled():
        print(f"\n{len(load.statuses)} logins, slowest {load.slowest * 1000:.0f} ms,"
              f" refused {load.refused}")  # fmt: skip
    assert {500} >= {*load.refused}
    assert len(load.refused) <= 1
    [former] = [name for name in managed.databases() if name.startswith("_before_")]
    live = f"{managed.database}{former}"
    managed.sql(f"ALTER DATABASE {live} ALLOW_CONNECTIONS true", "postgres")
    assert "f" == managed.sql("SELECT active FROM shop.users WHERE name = 'bob'", live)


def test_commands_that_would_meet_the_live_database_are_not_run(managed):
    managed.back_up()
    managed.sql("INSERT INTO shop.users VALUES (3, 'eve', '-')")
    (managed.folder / "code/before-env").touch()
    code, said = managed.restore("method=reinit", managed.place)
    assert 1 == code
    assert "nothing was reinitialised" in said
    assert "ada,bob,eve" == managed.names()
    assert managed.lets_in()


def test_a_default_account_that_is_left_is_never_switched_to(managed):
    managed.sql("DELETE FROM shop.posts; UPDATE shop.users SET id = 5 WHERE name = 'ada'")
    managed.back_up()
    (managed.folder / "code/keeps-admin").touch()
    code, said = managed.restore("method=reinit", managed.place)
    assert 1 == code
    assert '"login": "admin"' in said
    assert "put database" not in said
    assert "bob,ada" == managed.names()
    assert ["", "_reinit_"] == [name[:8] for name in managed.databases()]
    (managed.folder / "code/keeps-admin").unlink()
    code, said = managed.restore("method=reinit", managed.place)
    assert 0 == code, said
    assert "bob,ada" == managed.names()


@pytest.mark.parametrize(
    ("backup", "said"),
    [
        ("", "method=reinit needs Backup(create=…, reinit=…, restore=…)"),
        (DECLARED.replace(f'reinit="{MANAGE}', 'reinit="sh reinit.sh'),
         "Backup(reinit=…) is run by another program than the migrations"),
    ],
)  # fmt: skip
def test_what_it_needs_is_said_before_anything_else(managed, backup, said):
    declared(managed, backup)
    code, told = managed.restore("method=reinit")
    assert 1 == code
    assert said in told
    assert [""] == managed.databases()


def test_another_method_is_none(managed):
    code, said = managed.restore("method=other")
    assert 1 == code
    assert "there is no method=other" in said
