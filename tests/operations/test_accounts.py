"""What the accounts' faults find in recorded looks, and what they would change."""

import dataclasses
import secrets

import bcrypt
import pytest

from relogin import Account, Accounts, Columns
from relogin.operations.accounts import FAULTS
from tests.lab import canaries
from tests.operations.looks import OPS, changes, found, halext, look, psql, said, text, unwritten

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
