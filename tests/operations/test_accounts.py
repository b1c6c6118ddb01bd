"""What the accounts' faults find in recorded looks, and what their fixes do to a real table."""

import dataclasses
import json
import secrets
import subprocess
import threading
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from argon2 import PasswordHasher

from relogin import Account, Accounts, Backend, Columns, Secret
from relogin.operations.accounts import FAULTS
from tests.embedded.server import Server
from tests.lab import canaries
from tests.operations import databases
from tests.operations.databases import AWKWARD, described, identifier, literal
from tests.operations.looks import (
    OPS,
    carried_out,
    changes,
    found,
    halext,
    look,
    psql,
    said,
    text,
    unwritten,
)

ROW = ("accounts", "rows", "0")
UNUSABLE = "the stored hash of account ops cannot be a password's"


def test_sound_accounts_give_no_finding():
    assert [] == found(FAULTS, look())


@pytest.mark.parametrize(
    ("fault", "edit", "what", "by_person"),
    [
        ("table-missing", unwritten("columns", "accounts"), "table users does not exist", True),
        (
            "column-missing",
            unwritten("accounts"),
            "table users has no column is_active",
            True,
        ),
        ("missing", psql("accounts", rows=[]), "account ops does not exist", False),
        ("missing", psql(*ROW, login="Ops"), "account ops does not exist", True),
        ("missing", psql(*ROW, login=" ops "), "account ops does not exist", True),
        ("inactive", psql(*ROW, active="false"), "account ops is not active", False),
        ("inactive", psql(*ROW, active=None), "account ops is not active", False),
        ("inactive", psql(*ROW, active="0"), "account ops is not active", False),
        (
            "password-differs",
            psql(*ROW, password=bcrypt.hashpw(b"another", bcrypt.gensalt(4)).decode()),
            "the password of account ops is not the declared one",
            False,
        ),
        ("hash-unusable", psql(*ROW, password=None), UNUSABLE, False),
        ("hash-unusable", psql(*ROW, password=canaries.OPS_PASSWORD), UNUSABLE, False),
        ("hash-unusable", text("postgres", "$2b$12$H0cYZ", "$2b$12$H"), UNUSABLE, False),
        ("hash-unusable", text("postgres", "$2b$12$H0cYZ", " $2b$12$H0cYZ"), UNUSABLE, False),
        (
            "admin-lost",
            psql(*ROW, admin="false"),
            "account ops is no administrator any more",
            False,
        ),
        ("admin-lost", psql(*ROW, admin=None), "account ops is no administrator any more", False),
    ],
)
def test_each_situation_belongs_to_one_fault(fault, edit, what, by_person):
    edits = (edit, text("postgres", '"is_active", ', "")) if fault == "column-missing" else (edit,)
    (finding,) = found(FAULTS, look(*reversed(edits)))
    assert (f"accounts.{fault}", what) == (finding.fault, finding.what)
    assert (by_person, True) == (finding.by_person, finding.critical)
    for hidden in ("$2b$", canaries.PREFIX):
        assert hidden not in str(finding)


def test_a_table_that_the_declared_migration_makes_is_left_to_it():
    edits = (unwritten("columns", "accounts"), psql("tables", names=["alembic_version"]))
    (finding,) = found(FAULTS, look(*edits))
    assert ("the declared migration is run", False) == (finding.remedy, finding.by_person)


def test_a_table_that_may_have_been_renamed_is_left_to_a_person():
    edits = (unwritten("columns", "accounts"), psql("tables", names=["users_old"]))
    (finding,) = found(FAULTS, look(*edits))
    assert ("there is users_old", True) == (finding.seen, finding.by_person)
    assert [] == changes(FAULTS, look(*edits))


def test_without_a_declared_migration_a_missing_table_is_a_persons():
    edits = (unwritten("columns", "accounts"), psql("tables", names=[]))
    (finding,) = found(FAULTS, look(*edits), halext(migrations=None))
    assert finding.by_person


@pytest.mark.parametrize(
    "edit",
    [
        said("postgres", "#no-admin"),
        said("postgres", "#ready 2", 2),
        unwritten("tables", "columns", "accounts"),
    ],
)
def test_nothing_is_guessed_of_a_table_that_could_not_be_seen(edit):
    assert [] == found(FAULTS, look(edit))


def test_a_look_alike_is_named_and_no_second_account_made():
    seen = look(psql(*ROW, login="OPS"))
    (finding,) = found(FAULTS, seen)
    assert "there is 'OPS'" == finding.seen
    assert [] == changes(FAULTS, seen)


def test_an_account_whose_password_is_not_declared_is_a_persons_and_not_judged():
    backend = halext(accounts=Accounts(present=[Account("ops")]))
    for edit in (psql("accounts", rows=[]), psql(*ROW, password="")):
        (finding,) = found(FAULTS, look(edit), backend)
        assert finding.by_person
        assert finding.remedy.startswith("declare its password, so that it can be ")
    another = bcrypt.hashpw(b"another", bcrypt.gensalt(4)).decode()
    assert [] == found(FAULTS, look(psql(*ROW, password=another)), backend)


def test_an_administrator_that_nobody_declared_is_nobodys_business():
    backend = halext(accounts=Accounts(present=[dataclasses.replace(OPS, admin=False)]))
    assert [] == found(FAULTS, look(), backend)


def test_a_hash_that_cannot_be_judged_gives_no_finding():
    assert [] == found(FAULTS, look(psql(*ROW, password="$y$j9T$abc$def$ghi")))


def test_a_table_without_an_active_column_has_nobody_inactive():
    backend = halext(accounts=Accounts(columns=Columns(active=None), present=[OPS]))
    assert [] == found(FAULTS, look(psql(*ROW, active=None)), backend)


def test_an_accepted_fault_is_a_note():
    backend = halext(accepted={"accounts.inactive": "on leave"})
    (finding,) = found(FAULTS, look(psql(*ROW, active="false")), backend)
    assert not finding.critical


def test_no_change_holds_the_password():
    """A declared one reaches the table as a hash; a create command gets a throw-away one."""
    create = "env/bin/python create.py --username {login} --password {password} -e {email}"
    for declared in (Accounts(present=[OPS]), Accounts(present=[OPS], create=create)):
        (change,) = changes(FAULTS, look(psql("accounts", rows=[])), halext(accounts=declared))
        assert "$2b$" in change.script
        assert canaries.OPS_PASSWORD not in change.script + change.why
    assert "create account ops (env/bin/python create.py --username --password -e)" == change.why


def test_a_throw_away_password_is_never_taken_for_an_option(monkeypatch):
    monkeypatch.setattr(secrets, "token_urlsafe", lambda size: "-x" * size)
    create = "create --password {password}"
    backend = halext(accounts=Accounts(present=[OPS], create=create))
    (change,) = changes(FAULTS, look(psql("accounts", rows=[])), backend)
    word = change.script.split("--password ")[1]
    assert not word.startswith(("-", "'-"))


# What follows changes a real table, as the database's administrator.

PASSWORD = "p'a\\ß:word: {x}"


@dataclasses.dataclass(frozen=True)
class Place:
    """A backend with a users table of its own, in a database of its own."""

    backend: Backend
    server: Server
    database: str

    def mended(self) -> list[str]:
        names = []
        seen = databases.look(self.backend)
        for fault in FAULTS:
            for finding in fault.found(self.backend, seen):
                names.append(f"{finding.fault.partition('.')[2]} {finding.subject}")
                if fault.fix is None or finding.by_person:
                    continue
                for change in fault.fix(self.backend, seen, finding):
                    answer = carried_out(change)
                    assert (0, b"") == (answer.status, answer.text)
                seen = databases.look(self.backend)
        return names

    def rows(self) -> list[dict[str, Any]]:
        schema, accounts = self.backend.database.schema, self.backend.accounts
        table = f"{identifier(schema)}.{identifier(accounts.table)}"
        query = f"SELECT coalesce(json_agg(t ORDER BY {identifier(accounts.columns.id)}), '[]')"
        rows = json.loads(self.server.sql(f"{query} FROM {table} t", self.database))
        assert isinstance(rows, list)
        return rows


COLUMNS = Columns("user Id", "Login", "e-mail", 'Pass"Word', "isActive", "is:admin:")


def placed(
    server: Server,
    name: str,
    *logins: str,
    unique: bool = True,
    scheme: str | None = None,
    place: str = "people",
) -> Place:
    """Make the table, whose names are all awkward, with the rows of two others."""
    if place not in server.sql("SELECT datname FROM pg_database").split():
        server.sql(f"CREATE DATABASE {place}; CREATE ROLE {place} LOGIN")
    columns = [
        f"{identifier(COLUMNS.id)} serial primary key",
        f"{identifier(COLUMNS.login)} text {'unique' if unique else ''}",
        f"{identifier(str(COLUMNS.email))} text",
        f"{identifier(COLUMNS.password)} text",
        f"{identifier(str(COLUMNS.active))} boolean",
        f"{identifier(str(COLUMNS.admin))} boolean",
        "note text, at timestamptz",
    ]
    schema = identifier(name[:60])
    server.sql(
        f'CREATE SCHEMA {schema}; CREATE TABLE {schema}."user" ({", ".join(columns)})', place
    )
    stored = bcrypt.hashpw(b"others", bcrypt.gensalt(4)).decode()
    for login in ("Alice", "böb"):
        server.sql(
            f'INSERT INTO {schema}."user" VALUES (default, {literal(login)}, null,'
            f" {literal(stored)}, true, false)",
            place,
        )
    people = [Account(login, f"{login}@x", Secret.seen(PASSWORD), admin=True) for login in logins]
    declared = Accounts(
        table="user",
        columns=COLUMNS,
        scheme=scheme,
        values={"note": name, "at": "2026-11-21 10:00:00Z"},
        present=people,
    )
    return Place(described(server, place, place, declared, schema=name[:60]), server, place)


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
    for kept in undo.rglob("*.sql"):
        server.sql(kept.read_text(), place.database)
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
    assert ["missing alice", "missing ALICE "] == place.mended()
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
    people = [dataclasses.replace(place.backend.accounts.present[0], login=login)]
    accounts = dataclasses.replace(place.backend.accounts, present=people)
    return dataclasses.replace(place.backend, accounts=accounts)
