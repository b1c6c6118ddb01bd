"""What keeps no declared account out: warnings about other rows, and what may be meant."""

import pytest

from relogin import Severity
from relogin.operations.accounts import FAULTS
from tests.operations.looks import (
    found,
    look,
    psql,
)
from tests.operations.rows import ROW, hashed, others

WARNINGS = [
    (
        "ambiguous",
        others({"id": "2", "login": "OPS"}),
        "2 accounts can be taken for ops",
        "'ops' (id 1), 'OPS' (id 2)",
    ),
    (
        "ambiguous",
        others({"id": "2", "login": "root", "email": "ops@EXAMPLE.com "}),
        "2 accounts can be taken for ops",
        "'ops' (id 1), 'root' (id 2)",
    ),
    (
        "email-differs",
        psql(*ROW, email=" Ops@example.com"),
        "the e-mail of account ops is written otherwise than declared",
        "' Ops@example.com'",
    ),
    (
        "default-account",
        others({"id": "2", "login": "Admin", "password": hashed("test123")}),
        "account Admin has a well-known password",
        "its stored hash matches one that everybody tries first",
    ),
    (
        "default-account",
        others({"id": "2", "login": "demo", "password": hashed("demo")}),
        "account demo has a well-known password",
        "its stored hash matches one that everybody tries first",
    ),
    (
        "others-hash-unusable",
        psql("accounts", broken=[1, ["7"]]),
        "another account has a hash that nobody can log in with",
        "cut off, in quotes, with blanks, or plain text (of the newest 10000 rows); ids 7",
    ),
    (
        "others-hash-unusable",
        psql("accounts", broken=[12, ["7", "8"]]),
        "12 other accounts have a hash that nobody can log in with",
        "cut off, in quotes, with blanks, or plain text (of the newest 10000 rows); ids 7, 8, …",
    ),
]


@pytest.mark.parametrize(("fault", "edit", "what", "seen"), WARNINGS)
def test_what_keeps_no_declared_account_out_is_a_warning(fault, edit, what, seen):
    (finding,) = found(FAULTS, look(edit))
    assert (f"accounts.{fault}", what, seen) == (finding.fault, finding.what, finding.seen)
    assert (True, Severity.WARNING) == (finding.by_person, finding.severity)


@pytest.mark.parametrize(
    "edit",
    [
        others({"id": "2", "login": "admin", "password": hashed("a good one")}),
        others({"id": "2", "login": "admin", "password": hashed("admin"), "active": "false"}),
        others({"id": "2", "login": "admin", "password": "!"}),
        psql(*ROW, email="other@example.com"),
        psql("accounts", start=None, broken=[20, ["1"]]),
    ],
)
def test_what_may_be_meant_gives_no_finding(edit):
    assert [] == found(FAULTS, look(edit))
