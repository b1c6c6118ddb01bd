"""A stored hash of another scheme than the backend's: wrong only where the login fails."""

import dataclasses

import argon2
import pytest

from relogin import Account, Accounts, Secret
from relogin.facts import postgres
from relogin.facts.login_answer import LoginAnswer
from relogin.facts.proof import Check, Proof
from relogin.operations.accounts import FAULTS
from relogin.operations.accounts_foreign import is_suspected
from tests.lab import canaries
from tests.operations.looks import OPS, _written, changes, found, halext, look, psql
from tests.operations.rows import ROW, others

ARGON2 = argon2.PasswordHasher(1, 1024, 1).hash(canaries.OPS_PASSWORD)
DJANGO = "pbkdf2_sha256$1000$salt$" + "A" * 43 + "="
FOREIGN = psql(*ROW, password=ARGON2)


def of_the_rest(*starts):
    """Let the other accounts' hashes begin so."""

    def edit(answers):
        rows = postgres.rows(answers["postgres"])
        rows["accounts"]["starts"] = list(starts)
        return answers | {"postgres": _written(rows)}

    return edit


def answered(status, *edits, backend=None):
    """Give a look with a login that was answered so."""
    backend = backend or halext()
    checks = (Check("login", status == 200, f"POST /token: answered {status}"),)
    proof = Proof("ops", "/token", checks, status, LoginAnswer(status=status))
    return dataclasses.replace(look(*edits, backend=backend), login=proof)


@pytest.mark.parametrize("status", [401, 500])
def test_a_hash_of_another_scheme_than_the_other_rows_is_found_where_the_login_fails(status):
    [finding] = found(FAULTS, answered(status, FOREIGN, of_the_rest("$2b$", "$2a$")))
    assert (
        "accounts.hash-foreign",
        f"it is a whole hash of argon2; POST /token: answered {status}",
        "a hash of bcrypt",
        False,
    ) == (finding.fault, finding.seen, finding.expected, finding.by_person)


def test_the_declared_scheme_goes_before_that_of_the_rows():
    backend = halext(accounts=Accounts(present=[OPS], scheme="django-pbkdf2-sha256"))
    seen = answered(401, of_the_rest("$2b$"), backend=backend)
    [finding] = found(FAULTS, seen, backend)
    assert ("accounts.hash-foreign", "a hash of django-pbkdf2-sha256") == (
        finding.fault,
        finding.expected,
    )
    [change] = changes(FAULTS, seen, backend)
    assert "pbkdf2_sha256$" in change.script


@pytest.mark.parametrize(
    "edits",
    [
        (of_the_rest("$2b$"),),
        (FOREIGN, of_the_rest("$argon2id$")),
        (FOREIGN, of_the_rest("$2b$", "$argon2id$")),
        (FOREIGN, of_the_rest()),
    ],
    ids=["its own scheme", "the others' scheme", "one of several schemes", "alone in its table"],
)
def test_a_refused_login_alone_makes_no_hash_a_foreign_one(edits):
    assert [] == found(FAULTS, answered(401, *edits))


@pytest.mark.parametrize("status", [200, 429, 502])
def test_a_backend_that_may_read_several_schemes_is_not_sick(status):
    assert [] == found(FAULTS, answered(status, FOREIGN, of_the_rest("$2b$")))


def test_without_a_login_it_is_suspected_and_not_said():
    seen = look(FOREIGN, of_the_rest("$2b$"))
    assert ([], True) == (found(FAULTS, seen), is_suspected(halext(), seen))


def test_what_is_wrong_with_the_account_besides_is_found_in_its_place():
    inactive = answered(401, psql(*ROW, password=ARGON2, active="false"), of_the_rest("$2b$"))
    assert ["accounts.inactive"] == [one.fault for one in found(FAULTS, inactive)]
    other = answered(401, psql(*ROW, password=DJANGO), of_the_rest("$2b$"))
    assert ["accounts.password-differs"] == [one.fault for one in found(FAULTS, other)]


def test_only_of_the_account_that_logs_in_a_login_tells():
    second = Account("ada", password=Secret.seen(canaries.OPS_PASSWORD))
    backend = halext(accounts=Accounts(present=[OPS, second]))
    row = others({"id": "2", "login": "ada", "password": ARGON2})
    assert not is_suspected(backend, look(row, of_the_rest("$2b$"), backend=backend))


def test_the_hash_that_is_set_is_of_the_other_rows_scheme_though_the_newest_row_is_another():
    newest = psql("accounts", start="$argon2id$")
    [change] = changes(FAULTS, answered(401, FOREIGN, newest, of_the_rest("$2b$")))
    assert "$2b$12$" in change.script
