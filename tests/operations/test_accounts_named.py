"""What is offered where a profile names a table or a column that is not there."""

import pytest

from relogin import Accounts, Columns
from relogin.operations.accounts import FAULTS
from relogin.operations.accounts_named import columns_like, tables_like
from tests.operations.looks import OPS, found, halext, look, psql, unwritten

THERE = ("member_id", "email_address", "pw_hash", "enabled", "joined_at")


@pytest.mark.parametrize(
    ("name", "there", "offered"),
    [
        ("user", ["orders", "auth_user", "users"], ["auth_user", "users"]),
        ("user_accounts", ["useraccount", "orders"], ["useraccount"]),
        ("people", ["alembic_version", "members", "notes"], ["members"]),
        ("people", ["alembic_version", "notes"], []),
    ],
)
def test_tables_that_may_be_meant(name, there, offered):
    assert offered == tables_like(name, there)


@pytest.mark.parametrize(
    ("columns", "meant"),
    [
        (
            Columns(email=None, admin=None),
            {
                "id": "member_id",
                "login": "email_address",
                "password": "pw_hash",
                "active": "enabled",
            },
        ),
        (
            Columns(
                "member_id", "email_adress", email=None, password="pw_hash", active=None, admin=None
            ),
            {"login": "email_address"},
        ),
        (Columns("member_id", "email_address", "email_address", "pw_hash", "enabled", "is_x"), {}),
    ],
)
def test_columns_that_may_be_meant(columns, meant):
    assert meant == columns_like(columns, THERE)


def test_the_finding_offers_the_fields_to_declare():
    backend = halext(accounts=Accounts(present=[OPS], columns=Columns(active="is_enabled")))
    [finding] = found(FAULTS, look(unwritten("accounts"), backend=backend), backend)
    assert (
        "is it Columns(active='is_active')? Else correct the profile's Columns(active=…), or run"
        " the migration that makes them" == finding.remedy
    )


def test_a_table_that_is_nearly_called_so_is_offered():
    backend = halext(accounts=Accounts(table="persons", present=[OPS]))
    edits = (unwritten("columns", "accounts"), psql("tables", names=["auth_user", "notes"]))
    [finding] = found(FAULTS, look(*edits, backend=backend), backend)
    assert "there is auth_user" == finding.seen
