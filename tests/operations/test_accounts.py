"""What the accounts' faults find in recorded looks, and what they would change."""

import dataclasses
import re
import secrets
import uuid

import bcrypt
import pytest

from relogin import Account, Accounts, Columns, Uuid
from relogin.operations.accounts import FAULTS
from relogin.remote import Answer
from tests.lab import canaries
from tests.operations.looks import (
    OPS,
    changes,
    found,
    halext,
    look,
    psql,
    said,
    text,
    unwritten,
)
from tests.operations.rows import ROW, others, stored

UNUSABLE = "the stored hash of account ops cannot be a password's"
LIKE = "account ops does not exist, but one that looks like it"


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
        *(
            ("name-differs", psql(*ROW, login=login), LIKE, True)
            for login in ("Ops", " ops ", "ops\u200b", "o\u00a0ps", "\u043eps", "\uff4fps")
        ),
        ("name-differs", psql(*ROW, login="root", email="OPS@example.com"), LIKE, True),
        ("ambiguous", others({"id": "2"}), "2 accounts can be taken for ops", True),
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
        ("hash-unusable", stored("{}x"), UNUSABLE, False),
        ("hash-unusable", stored(" {}"), UNUSABLE, False),
        ("hash-unusable", stored("'{}'"), UNUSABLE, False),
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


@pytest.mark.parametrize(
    ("stored_hash", "said"),
    [
        (None, "it is NULL"),
        ("", "it is empty"),
        (
            "$2b$12$" + "a" * 43,
            "it is a hash of bcrypt, cut off: 50 characters, a whole one has 60",
        ),
        ("$2b$12$" + "a" * 54, "it is a hash of bcrypt, broken: 61 characters, a whole one has 60"),
        ("$argon2id$v=19$m=1", "it is a hash of argon2, broken: 18 characters"),
        ('"$2b$12$' + "a" * 53 + '"', "it is in quotes"),
        ("b'$2b$12$" + "a" * 53 + "'", "it is written as Python shows bytes: b'…'"),
        ("$2b$12$" + "a" * 53 + "\n", "there are blanks around it"),
        ("hunter2", "it is plain text, no hash at all"),
    ],
)
def test_what_is_wrong_with_a_hash_is_said_without_it(stored_hash, said):
    (finding,) = found(FAULTS, look(psql(*ROW, password=stored_hash)))
    assert ("accounts.hash-unusable", said) == (finding.fault, finding.seen)


@pytest.mark.parametrize("parts", [("columns", "accounts"), ("accounts",)])
def test_what_pending_migrations_make_is_left_to_them(parts):
    pending = {"migrations": Answer(b"0001|||\n0002|0001||\n", 0)}
    edits = (unwritten(*parts), lambda answers: answers | pending)
    without_a_column = text("postgres", '"is_active", ', "")
    assert [] == found(FAULTS, look(without_a_column, *edits))


def test_a_table_that_no_migration_would_make_is_a_persons():
    edits = (unwritten("columns", "accounts"), psql("tables", names=[], schemas=["old"]))
    (finding,) = found(FAULTS, look(*edits))
    assert ("accounts.table-missing", "there is old.users") == (finding.fault, finding.seen)
    assert finding.remedy.startswith("is it Postgres(schema='old')? Else decide whether old.users")
    assert finding.by_person


def test_a_table_that_is_named_with_its_schema_is_told_where_that_is_declared():
    backend = halext(accounts=Accounts(table="crm.members", present=[OPS]))
    edits = (unwritten("columns", "accounts"), psql("tables", names=[], schemas=[]))
    (finding,) = found(FAULTS, look(*edits, backend=backend), backend)
    assert "Postgres(schema='crm'), Accounts(table='members')" in finding.remedy


def test_a_table_that_may_have_been_renamed_is_left_to_a_person():
    edits = (unwritten("columns", "accounts"), psql("tables", names=["users_old"]))
    (finding,) = found(FAULTS, look(*edits))
    assert ("there is users_old", True) == (finding.seen, finding.by_person)
    assert [] == changes(FAULTS, look(*edits))


@pytest.mark.parametrize(
    "edit",
    [
        said("postgres", "#no-admin"),
        said("postgres", "#ready 2", 2),
        unwritten("tables", "columns", "accounts"),
        unwritten("accounts"),
    ],
    ids=["no administrator", "down", "closed", "locked"],
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


@pytest.mark.parametrize("login", ["oops", "ops2", "op s.", "\u0440\u043e\u0440\u0441", "öps"])
def test_another_name_is_no_look_alike(login):
    (finding,) = found(FAULTS, look(psql(*ROW, login=login, email="else@example.com")))
    assert ("accounts.missing", False) == (finding.fault, finding.by_person)


def test_where_no_row_tells_the_scheme_it_has_to_be_declared():
    """A hash of another scheme would lock the account out."""
    empty = psql("accounts", rows=[], start=None)
    (finding,) = found(FAULTS, look(empty))
    assert finding.by_person
    assert finding.remedy.startswith("declare the scheme of the hashes in table users")
    declared = halext(accounts=Accounts(present=[OPS], scheme="argon2"))
    (change,) = changes(FAULTS, look(empty), declared)
    assert "$argon2id$" in change.script


def test_the_backends_own_command_may_make_the_first_row_and_tells_the_scheme_by_it():
    create = "create --username {login} --password {password}"
    backend = halext(accounts=Accounts(present=[OPS], create=create))
    (change,) = changes(FAULTS, look(psql("accounts", rows=[], start=None)), backend)
    assert "create account ops (create --username --password)" == change.why
    assert "update" not in change.script


def test_a_column_that_only_the_backend_fills_gets_a_uuid_of_its_own():
    backend = halext(accounts=Accounts(present=[OPS], values={"key": Uuid()}, scheme="bcrypt"))
    seen = look(psql("accounts", rows=[]))
    keys = {
        re.search(r"'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'", change.script)[1]
        for _ in range(2)
        for change in changes(FAULTS, seen, backend)
    }
    assert [4, 4] == [uuid.UUID(key).version for key in keys]
