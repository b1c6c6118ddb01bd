"""The proof by a second copy of the backend, before anybody meets what was restored."""

import sys
from pathlib import Path

import pytest

from .backups import PASSWORD
from .restoring import ADA, backed
from .shop_backend import hashed

__all__ = ["backed"]
pytestmark = pytest.mark.embedded
PROGRAM = f"{sys.executable} {Path(__file__).with_name('shop_copy.py')} {{port}}"


def copies() -> list[str]:
    """Give the processes of copies that run."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"RELOGIN_COPY=relogin-copy-mine" in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def test_a_copy_proves_the_login_before_the_switch_and_is_gone_behind_it(backed):
    backed.described(f"backup=Backup(copy={PROGRAM!r}),")
    backed.back_up()
    backed.sql("UPDATE shop.users SET active = false WHERE name = 'bob'")
    code, said = backed.restore("rehearse=true")
    assert 0 == code, said
    assert "by a copy of the backend beside: ada can log in" in said
    assert "by the copy beside: a token made before: 200" in said
    assert [] == copies()
    assert PASSWORD not in said

    _, side = backed.databases()
    backed.sql("INSERT INTO shop.posts (user_id) VALUES (1)", backed.database + side)
    code, said = backed.restore(backed.place)
    assert 0 == code, said
    assert said.index("can log in") < said.index("put database")
    assert backed.lets_in("bob", "bob's")


def test_a_login_that_a_copy_cannot_prove_keeps_it_from_the_switch(backed):
    """The backend's role may not read what was restored, which only a login shows."""
    backed.described(f"backup=Backup(copy={PROGRAM!r}),")
    backed.sql("REVOKE SELECT ON shop.users FROM app")
    backed.back_up()
    backed.sql("GRANT SELECT ON shop.users TO app")
    code, said = backed.restore(backed.place)
    assert 1 == code
    assert "by the copy beside: account ada: " in said
    assert "refused before anything was changed" in said
    assert "put database" not in said
    assert backed.lets_in()
    assert ["", "_restore_"] == [found[:9] for found in backed.databases()]
    assert [] == copies()


def test_a_token_that_a_copy_refuses_keeps_it_from_the_switch_until_that_is_confirmed(backed):
    backed.described(f"backup=Backup(copy='{PROGRAM} \"\" nobody'),")
    backed.back_up()
    lost = "by the copy beside: a token made before: 401; everybody has to log in again"
    code, said = backed.restore()
    assert 1 == code
    assert lost in said, said
    assert "that everybody has to log in again has to be confirmed: --data confirm=" in said
    assert "put database" not in said
    code, said = backed.restore("rehearse=true")
    assert (0, True) == (code, lost in said), said
    code, said = backed.restore(backed.place)
    assert (0, True) == (code, lost in said), said
    assert backed.lets_in()


def test_a_token_that_is_another_account_s_by_a_copy_is_never_switched_to(backed):
    backed.described(f"backup=Backup(copy='{PROGRAM} \"\" bob'),")
    backed.back_up()
    code, said = backed.restore(backed.place)
    assert 1 == code
    assert "by the copy beside: a token made before is another account's now" in said
    assert "put database" not in said
    assert backed.lets_in()


def test_a_copy_that_uses_another_database_proves_nothing(backed):
    url = f"postgresql://app:{PASSWORD}@127.0.0.1:{backed.server.port}/{backed.database}"
    program = backed.folder / "copy.sh"
    program.write_text(f"exec {PROGRAM.replace('{port}', '$1')} {url}\n")
    backed.described(f"backup=Backup(copy='sh {program} {{port}}'),")
    backed.back_up()
    code, said = backed.restore(backed.place)
    assert 1 == code
    assert "it takes its database's URL from elsewhere" in said
    assert ["", "_restore_"] == [found[:9] for found in backed.databases()]
    assert [] == copies()


def test_a_copy_that_does_not_start_says_why_and_nothing_is_switched(backed):
    backed.described("backup=Backup(copy='sh -c \"echo no such port {port}; exit 3\"'),")
    backed.back_up()
    code, said = backed.restore(backed.place)
    assert 1 == code
    assert "by the copy beside: it did not start: no such port 18" in said, said
    assert backed.lets_in()


def test_a_copy_of_a_run_that_was_killed_is_ended_by_the_next(backed):
    backed.described(f"backup=Backup(copy={PROGRAM!r}),")
    backed.back_up()
    assert backed.killed("[@local] end the copy", "restore_backup", "rehearse=true")
    assert len(copies()) >= 1
    code, said = backed.restore("rehearse=true")
    assert 0 == code, said
    assert [] == copies()


def test_every_declared_account_is_proven_by_it(backed):
    backed.described(f"backup=Backup(copy={PROGRAM!r}),")
    backed.sql(f"UPDATE shop.users SET hash = '{hashed('an older one')}' WHERE name = 'bob'")
    backed.back_up()
    backed.sql(f"""UPDATE shop.users SET hash = '{hashed("bob's")}' WHERE name = 'bob'""")
    inventory = backed.folder / "inventory.py"
    known = 'Account("bob", password=Secret.seen("bob\'s")), Account("ada", password'
    inventory.write_text(inventory.read_text().replace('Account("ada", password', known))
    code, said = backed.restore(backed.place)
    assert 1 == code
    assert "by the copy beside: account bob: " in said
    assert ADA not in said
    assert "put database" not in said
