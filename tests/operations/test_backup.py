"""deploys/backup.py as a person runs it, on a real PostgreSQL."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from relogin import Accounts, Backup, Columns, ProfileError
from relogin.facts.postgres_state import Target
from relogin.operations import backup_take
from tests.embedded.server import Server

from .backups import PASSWORD, Backed, lines
from .databases import identifier, literal
from .releases import changed
from .test_release_database import NAME, by_url

pytestmark = pytest.mark.embedded

# Both read standard input and write standard output, as age and gpg do; each byte is another one.
FLIP = "import sys; sys.stdout.buffer.write(bytes(b ^ 90 for b in sys.stdin.buffer.read()))"
ALL = bool(os.environ.get("RELOGIN_TEST_ALL"))
CIPHER = f'{sys.executable} -c "{FLIP}"'


@pytest.fixture
def backed(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Backed:
    return Backed(tmp_path, server, f"d{abs(hash(request.node.name)):x}")


def flipped(path: Path) -> bytes:
    return bytes(byte ^ 90 for byte in path.read_bytes())


def former(backed: Backed, name: str) -> Path:
    """Give what an earlier run left."""
    made = backed.store / name
    made.mkdir(parents=True)
    (made / "SHA256SUMS").write_text("x")
    return made


def holds(path: Path) -> bool:
    """Ask sha256sum itself."""
    command = ["sha256sum", "-c", "--status", "SHA256SUMS"]
    return subprocess.run(command, cwd=path, check=False).returncode == 0


def test_one_has_the_rows_the_accounts_the_roles_and_the_env_file_for_root_only(backed):
    code, said = backed.run("backup")
    assert 0 == code, said
    assert "a backup was taken, and reads back" in said
    [made] = backed.backups()
    assert f"{made}: " in said
    assert 0o700 == made.stat().st_mode & 0o777
    assert {0o600} == {path.stat().st_mode & 0o777 for path in made.iterdir()}
    names = {path.name for path in made.iterdir()}
    kept = {"accounts", "database.dump", "env-0", "manifest", "roles.sql", "SHA256SUMS"}
    assert kept == names
    assert holds(made)
    assert "\n1\tada\t$2b$12$ofada\tt\n" in backed.restored((made / "database.dump").read_bytes())
    assert backed.env.read_bytes() == (made / "env-0").read_bytes()
    roles = (made / "roles.sql").read_text()
    assert "create role app;" in roles
    verifier = backed.sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'app'")
    assert f" password '{verifier}'" in roles
    accounts = lines(made / "accounts")
    assert [("1", "ada"), ("2", "b'ob \"ü")] == sorted(
        (one["id"], one["login"]) for one in accounts
    )
    assert {"true"} == {one["active"] for one in accounts}
    assert 2 == len({one["hash"] for one in accounts})
    head, *rows = lines(made / "manifest")
    assert [("shop.posts", 3), ("shop.users", 2)] == [(one["table"], one["rows"]) for one in rows]
    assert (backed.database, ["shop.users"]) == (head["database"], head["tables"])
    assert "app" in head["roles"]
    salted = hashlib.sha256((head["salt"] + "$2b$12$ofada").encode()).hexdigest()
    assert salted[:24] in {one["hash"] for one in accounts}


def test_dump_accounts_and_counts_are_of_one_moment(backed):
    """While the dump runs somebody registers: he is in none of them."""
    real = backed.server.bin / "pg_dump"
    psql = [backed.server.bin / "psql", "-h", str(backed.server.socket), "-qAt"]
    folder = backed.server.folder / "slow"
    folder.mkdir()
    register = "INSERT INTO shop.users (name) VALUES ('eve')"
    words = [*map(str, psql), "-p", str(backed.server.port), "-d", backed.database, "-c"]
    (folder / "pg_dump").write_text(
        f'#!/bin/sh\n{" ".join(words)} "{register}"\nexec {real} "$@"\n'
    )
    (folder / "pg_dump").chmod(0o755)
    for name in ("psql", "pg_restore"):
        (folder / name).symlink_to(backed.server.bin / name)
    text = (backed.folder / "inventory.py").read_text()
    changed = text.replace(str(backed.server.bin), str(folder))
    (backed.folder / "inventory.py").write_text(changed)
    code, said = backed.run("backup")
    assert 0 == code, said
    assert "3" == backed.sql("SELECT count(*) FROM shop.users")
    [made] = backed.backups()
    assert "eve" not in backed.restored((made / "database.dump").read_bytes())
    assert 2 == len(lines(made / "accounts"))
    assert 2 == next(
        one["rows"] for one in lines(made / "manifest") if one.get("table") == "shop.users"
    )


@pytest.mark.parametrize("decrypt", [True, False], ids=["read back", "read on its way"])
def test_what_is_encrypted_is_nowhere_in_clear_and_is_the_same_again(backed, decrypt):
    more = f"encrypt={CIPHER!r}, " + (f"decrypt={CIPHER!r}" if decrypt else "")
    backed.describe(f"backup=Backup({more}),")
    code, said = backed.run("backup")
    assert 0 == code, said
    assert ("read back whole" if decrypt else "read back on its way into the encryption") in said
    [made] = backed.backups()
    assert holds(made)
    whole = b"".join(path.read_bytes() for path in made.iterdir())
    for clear in (b"PGDMP", PASSWORD.encode(), b'"ada"', b"SCRAM"):
        assert clear not in whole
    assert "\n1\tada\t" in backed.restored(flipped(made / "database.dump.sealed"))
    assert backed.env.read_bytes() == flipped(made / "env-0.sealed")
    assert b'"ada"' in flipped(made / "accounts.sealed")


FAILING = (
    ("encrypt='false'", "database.dump.sealed: it failed, and said nothing"),
    ("create='sh -c \"echo half; exit 3\"'", "own: it failed, and said nothing"),
    (f"encrypt={CIPHER!r}, decrypt='cat'", "it does not read back: "),
    (f"encrypt={CIPHER!r}, decrypt='false'", "it does not read back: "),
    ("create='true'", "the declared command wrote nothing"),
)


@pytest.mark.parametrize(("more", "said"), FAILING if ALL else FAILING[:3])
def test_what_fails_leaves_nothing_and_removes_nothing(backed, more, said):
    before = [former(backed, "20260101T000000Z")]
    backed.describe(f"backup=Backup(keep=1, {more}),")
    code, told = backed.run("backup")
    assert 1 == code
    assert said in told
    assert "no backup was taken" in told
    assert before == backed.backups()


def test_a_full_disk_is_refused_and_leaves_the_former_one(backed):
    disk = backed.store
    before = [former(backed, "20260101T000000Z")]
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        code, said = backed.run("backup")
        assert 1 == code
        assert "MB left in" in said
        assert [] == backed.backups()
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert before == backed.backups()


def test_a_database_that_is_not_there_is_named(backed):
    backed.server.sql(f"ALTER DATABASE {backed.database} RENAME TO {backed.database}_away")
    code, said = backed.run("backup")
    assert 1 == code
    assert "no backup was taken" in said
    assert [] == backed.backups()


def test_it_is_pulled_for_its_owner_alone_and_so_many_stay_as_is_declared(backed):
    """Here and there; what is none of ours stays."""
    backed.sql("CREATE TABLE shop.big AS SELECT n, md5(n::text) FROM generate_series(1, 200000) n")
    backed.describe("backup=Backup(keep=2, to='pulled'),")
    for name in ("20260101T000000Z", "20260102T000000Z", "mine"):
        former(backed, name)
    (backed.store / "20200101T000000Z").mkdir()  # without sums it is none of ours
    (backed.store / "20200101T000001Z.part").mkdir()  # what a killed run left
    pulled = backed.folder / "pulled/@local/mine"
    shutil.copytree(backed.store, pulled)
    code, said = backed.run("backup")
    assert 0 == code, said
    *older, made = [path for path in backed.backups() if path.name != "mine"]
    assert ["20200101T000000Z", "20260102T000000Z"] == [path.name for path in older]
    assert f"removed {backed.store}/20260101T000000Z" in said
    assert (backed.store / "mine").is_dir()
    assert f"pulled to {pulled / made.name}" in said
    assert not (pulled / "20260101T000000Z").exists()
    assert (pulled / "20260102T000000Z").is_dir()
    assert (made / "database.dump").stat().st_size > 2 * 2**20
    copy = pulled / made.name
    there = {path.name: path.read_bytes() for path in made.iterdir()}
    assert there == {path.name: path.read_bytes() for path in copy.iterdir()}
    assert 0o700 == copy.stat().st_mode & 0o777
    assert {0o600} == {path.stat().st_mode & 0o777 for path in copy.iterdir()}


def test_it_is_restored_beside_on_request_and_left_there_by_name(backed):
    backed.sql(f"ALTER DATABASE {backed.database} SET work_mem = '5MB'")
    code, said = backed.run("backup", "test=true")
    assert 0 == code, said
    [made] = backed.backups()
    side = f"{backed.database}_restore_{made.name.lower()}"
    assert f"restored into database {side}, and as it says that it is" in said
    assert f'DROP DATABASE "{side}";' in said
    assert "2|5MB" == backed.sql(
        "SELECT count(*), current_setting('work_mem') FROM shop.users", side
    )
    owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'shop.users'::regclass"
    assert backed.sql(owner) == backed.sql(owner, side)
    assert "t" == backed.sql("SELECT has_table_privilege('app', 'shop.users', 'INSERT')", side)


def test_what_cannot_be_pulled_fails_and_stays_on_the_host(backed):
    (backed.folder / "pulled").write_text("a file in the folder's place")
    backed.describe("backup=Backup(to='pulled'),")
    code, said = backed.run("backup")
    assert 1 == code
    assert "it is on the host, but was not pulled: " in said
    assert holds(*backed.backups())


def test_the_backends_own_command_is_kept_beside_the_dump(backed):
    backed.describe("""backup=Backup(create='sh -c "echo all of it >/dev/stdout"'),""")
    code, said = backed.run("backup")
    assert 0 == code, said
    [made] = backed.backups()
    assert "all of it\n" == (made / "own").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"decrypt": "age -d"}, "decrypt without encrypt"),
        ({"encrypt": "age '"}, "is not a command"),
        ({"create": " "}, "create is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(words, said):
    with pytest.raises(ProfileError, match=said):
        Backup(**words)


@pytest.mark.parametrize("how", ["AdminUrl", "own URL"])
def test_by_a_url_of_no_superuser_it_has_all_but_the_verifiers(server, undo, how):
    if server.sql(f"SELECT 1 FROM pg_database WHERE datname = {literal(NAME)}") != "1":
        server.sql(f"CREATE DATABASE {identifier(NAME)}")
        server.sql("CREATE TABLE users AS SELECT 1 AS id, 'ada' AS name, 'x' AS hash", NAME)
    columns = Columns(login="name", email=None, password="hash", active=None, admin=None)
    backend = replace(by_url(server, how), accounts=Accounts(columns=columns))
    script = backup_take.script(backend, None, Target("dumper", NAME, server.port))  # type: ignore[arg-type] # only an own command needs it
    answer = changed(script)
    assert 0 == answer.status, answer.text
    [made] = (undo / "relogin/awkward/backups").iterdir()
    assert holds(made)
    assert [("1", "ada")] == [(one["id"], one["login"]) for one in lines(made / "accounts")]
    roles = (made / "roles.sql").read_text()
    assert "create role dumper;" in roles
    assert "password '" not in roles
