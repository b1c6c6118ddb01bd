"""What the fixes of the accounts' faults do to a real table."""

import dataclasses
import subprocess
import threading
from pathlib import Path

import bcrypt
import pytest
from argon2 import PasswordHasher

from relogin import Backend
from relogin.operations.accounts import FAULTS
from tests.embedded.server import Server
from tests.operations import databases
from tests.operations.databases import AWKWARD, identifier, literal
from tests.operations.looks import carried_out, changes, found
from tests.operations.tables import PASSWORD, Place, placed
from tests.operations.undoing import taken_back


@pytest.mark.embedded
@pytest.mark.parametrize("name", AWKWARD)
def test_accounts_of_any_name_are_made_mended_and_taken_back(server: Server, undo: Path, name: str):
    place = placed(server, name, name, scheme="argon2")
    others = place.rows()
    assert [f"missing {name}"] == place.mended()
    *rest, made = place.rows()
    assert others == rest
    known = {"Login": name, "e-mail": f"{name}@x", "isActive": True, "is:admin:": True}
    assert known | {"note": name} == {key: made[key] for key in [*known, "note"]}
    assert PasswordHasher().verify(made['Pass"Word'], PASSWORD)
    assert [] == place.mended()

    odd = "o'ld\\:name:"
    server.sql(
        f'UPDATE {identifier(name[:60])}."user" SET "isActive" = NULL, "is:admin:" = false,'
        f' "Pass""Word" = {literal(odd)} WHERE "Login" = {literal(name)}',
        place.database,
    )
    lost = ["hash-unusable", "inactive", "admin-lost"]
    assert [f"{fault} {name}" for fault in lost] == place.mended()
    (_, _, mended) = place.rows()
    assert PasswordHasher().verify(mended['Pass"Word'], PASSWORD)
    assert others == place.rows()[:2]
    answers = taken_back(place.backend)
    assert [(0, b"")] * 3 == [(answer.status, answer.text) for answer in answers]
    assert {"isActive": None, "is:admin:": False, 'Pass"Word': odd} == {
        key: place.rows()[2][key] for key in ("isActive", "is:admin:", 'Pass"Word')
    }


# What one run has inserted is not committed for a while.
SLOW = """
CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql
  AS 'BEGIN PERFORM pg_catalog.pg_sleep(0.5); RETURN NULL; END';
CREATE TRIGGER slow AFTER INSERT ON {table} EXECUTE FUNCTION slow();
"""


@pytest.mark.embedded
@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_two_runs_at_once_make_one_row(server, undo, isolation):
    place = placed(server, f"two {isolation}", "twin", unique=False, place="two")
    server.sql(f"ALTER DATABASE two SET default_transaction_isolation = '{isolation}'")
    server.sql(SLOW.format(table=f'"two {isolation}"."user"'), place.database)
    seen = databases.look(place.backend)
    scripts = [changes(FAULTS, seen, place.backend)[0] for _ in range(2)]
    runs = [threading.Thread(target=carried_out, args=(script,)) for script in scripts]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert ["twin"] == [row["Login"] for row in place.rows()[2:]]


@pytest.mark.embedded
def test_an_account_in_other_letters_is_left_to_a_person(server, undo):
    place = placed(server, "alike", "alice", "ALICE ")
    rows = place.rows()
    assert ["name-differs alice", "name-differs ALICE "] == place.mended()
    assert rows == place.rows()


@pytest.mark.embedded
def test_a_column_that_is_not_there_is_named(server, undo):
    place = placed(server, "column", "ops")
    server.sql('ALTER TABLE "column"."user" DROP COLUMN "isActive"', place.database)
    (finding,) = found(FAULTS, databases.look(place.backend), place.backend)
    assert "table user has no column isActive" == finding.what


@pytest.mark.embedded
def test_the_create_command_runs_in_the_backends_folder_and_its_row_becomes_the_declared_one(
    server, undo, tmp_path
):
    """Its argv is public while it runs: the password in it is of no use afterwards."""
    place = placed(server, "create", "made")
    script = tmp_path / "create.sh"
    words = """default, '"'"$1"'"', null, '"'"$2"'"', false, false"""
    insert = f'INSERT INTO "create"."user" VALUES ({words})'
    socket = f"-h {server.socket} -p {server.port}"
    as_owner = "" if not _root() else "setpriv --reuid nobody --clear-groups "
    script.write_text(
        f'echo "$1 $2 $PWD" >>{tmp_path}/argv\n'
        f"cd /; exec {as_owner}{server.bin}/psql -Xq {socket} '{place.database}' -c '{insert}'\n"
    )
    accounts = dataclasses.replace(
        place.backend.accounts, create=f"sh {script} {{login}} {{password}}"
    )
    env = dataclasses.replace(place.backend.env_file[0], path=f"{tmp_path}/.env")
    backend = dataclasses.replace(place.backend, accounts=accounts, env_file=env)
    place = dataclasses.replace(place, backend=backend)
    seen = databases.look(backend)
    (change, *_) = changes(FAULTS, seen, backend)
    answer = carried_out(change)
    assert (0, b"") == (answer.status, answer.text)
    (_, _, made) = place.rows()
    assert (True, True) == (made["isActive"], made["is:admin:"])
    assert bcrypt.checkpw(PASSWORD.encode(), made['Pass"Word'].encode())
    login, password, folder = (tmp_path / "argv").read_text().split()
    assert ("made", str(tmp_path)) == (login, folder)
    assert password not in (PASSWORD, made['Pass"Word'])
    assert [] == place.mended()


def _root() -> bool:
    return subprocess.run(["id", "-u"], capture_output=True, check=True).stdout == b"0\n"


@pytest.mark.embedded
def test_a_new_hash_has_the_scheme_of_the_newest_row(server, undo):
    place = placed(server, "scheme", "new")
    django = "pbkdf2_sha256$1000$salt$" + "A" * 43 + "="
    server.sql(f'UPDATE "scheme"."user" SET "Pass""Word" = {literal(django)}', place.database)
    place.mended()
    assert place.rows()[2]['Pass"Word'].startswith("pbkdf2_sha256$")


@pytest.mark.embedded
def test_nothing_of_it_is_in_the_servers_log(server, undo):
    before = len(server.log.read_text(errors="replace"))
    place = placed(server, "quiet", "whisper")
    place.mended()
    server.sql(
        'UPDATE "quiet"."user" SET "isActive" = false WHERE note IS NOT NULL', place.database
    )
    place.mended()
    broken = dataclasses.replace(
        changes(FAULTS, databases.look(_renamed(place, "shouted")), _renamed(place, "shouted"))[0]
    )
    server.sql('ALTER TABLE "quiet"."user" DROP COLUMN note', place.database)
    assert 0 != carried_out(broken).status
    log = server.log.read_text(errors="replace")[before:]
    assert "DROP COLUMN note" in log  # it does log
    for trace in ("whisper", "shouted", "$2b$12"):
        assert trace not in log


def _renamed(place: Place, login: str) -> Backend:
    known = place.backend.accounts.present[0]
    people = [dataclasses.replace(known, login=login, email=f"{login}@x")]
    accounts = dataclasses.replace(place.backend.accounts, present=people)
    return dataclasses.replace(place.backend, accounts=accounts)
