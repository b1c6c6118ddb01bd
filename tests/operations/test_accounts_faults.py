"""Accounts as they are met in a real table, in a database that folds no letter but ASCII ones."""

import dataclasses
from collections.abc import Iterator
from functools import partial

import bcrypt
import pytest

from relogin import Account, Accounts, Backend, Columns, Finding, Secret, passwords
from relogin.facts.accounts import Table
from relogin.operations.accounts import FAULTS
from tests.embedded.server import Server
from tests.operations import databases
from tests.operations.databases import described, literal
from tests.operations.looks import found
from tests.operations.undoing import taken_back

pytestmark = pytest.mark.embedded

PASSWORD = "right"
GOOD = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
MADE = """
CREATE TABLE users (id serial PRIMARY KEY, username text UNIQUE, email text,
  hashed_password text, is_active boolean DEFAULT true, is_admin boolean DEFAULT false)
"""


@dataclasses.dataclass(frozen=True)
class Place:
    """A users table, and a backend that declares some of it."""

    server: Server
    backend: Backend

    def sql(self, statements: str) -> str:
        return self.server.sql(statements, "flags")

    def row(self, login: str, stored: str | None = GOOD, email: str | None = None) -> None:
        values = ", ".join(
            "NULL" if value is None else literal(value) for value in (login, email, stored)
        )
        self.sql(f"INSERT INTO users (username, email, hashed_password) VALUES ({values})")

    def declares(self, *accounts: Account, **columns: str) -> "Place":
        people = Accounts(columns=Columns(**columns), present=accounts)
        return dataclasses.replace(self, backend=dataclasses.replace(self.backend, accounts=people))

    def seen(self) -> Table:
        table = databases.look(self.backend).accounts
        assert isinstance(table, Table)
        return table

    def found(self) -> list[Finding]:
        return found(FAULTS, databases.look(self.backend), self.backend)

    def mended(self) -> list[str]:
        """Mend what a machine mends; give the faults that were found."""
        found = databases.mended(self.backend, FAULTS, partial(databases.look, self.backend))
        return [finding.fault.partition(".")[2] for finding in found]


def ops(login: str = "ops", **fields: str) -> Account:
    return Account(login, password=Secret.seen(PASSWORD), **fields)


@pytest.fixture
def place(server: Server, undo: object) -> Iterator[Place]:
    server.sql("CREATE ROLE flags LOGIN; CREATE DATABASE flags OWNER flags")
    made = Place(server, described(server, "flags", "flags"))
    made.sql(MADE)
    yield made
    server.sql("DROP DATABASE flags; DROP ROLE flags")


@pytest.mark.parametrize(
    ("declared", "stored"),
    [
        ("ops", "OPS"),
        ("ops", " ops\t"),
        ("ops", "o\u00a0ps"),
        ("ops", "ops\u200b"),
        ("ops", "\u043e\u0440s"),
        ("böb", "BÖB"),
        ("böb", "bo\u0308b"),
        ("測試", "測試 "),
        ("a_b%c\\", "A_B%C\\"),
        ("naïve@example.com", "Na\u00cfve@example.com"),
    ],
)
def test_a_look_alike_is_found_whatever_the_database_can_fold(place, declared, stored):
    place.row("other")
    place.row(stored)
    declared_place = place.declares(ops(declared))
    (finding,) = declared_place.found()
    assert ("accounts.name-differs", f"there is {stored!r}") == (finding.fault, finding.seen)
    assert ["name-differs"] == declared_place.mended()
    assert "2" == place.sql("SELECT count(*) FROM users")


@pytest.mark.parametrize(
    ("declared", "stored"), [("ops", "測試測"), ("測試", "試測"), ("ab", "a_")]
)
def test_another_name_does_not_keep_an_account_from_being_made(place, declared, stored):
    place.row(stored)
    assert ["missing"] == place.declares(ops(declared)).mended()
    assert "t" == place.sql(f"SELECT is_active FROM users WHERE username = {literal(declared)}")


def test_an_e_mail_that_another_account_has_is_no_reason_for_a_second_one(place):
    place.row("operator", email="Ops@Example.com")
    assert ["name-differs"] == place.declares(ops(email="ops@example.com")).mended()


def test_where_not_every_row_can_be_read_the_index_gives_the_declared_ones(place):
    """The scan meets a row that fails, behind the newest; a login is not taken to be missing."""
    place.sql("""
    ALTER TABLE users RENAME TO people;
    INSERT INTO people (username, email) SELECT 'u' || n, '' FROM generate_series(1, 30000) n;
    ANALYZE people;
    CREATE VIEW users AS SELECT id, username, hashed_password, is_active, is_admin,
      CASE WHEN id = 1 THEN (1 / (id - 1))::text ELSE email END AS email FROM people;
    """)
    place.sql(f"INSERT INTO people (username, hashed_password) VALUES ('ops', '{GOOD}')")
    known = place.declares(ops(email="ops@example.com"))
    said = "names like the declared ones were not looked for: SQLSTATE 22012"
    assert {"ops"} == {row.login for row in known.seen().rows or ()}
    assert said == dict(databases.look(known.backend).unreadable())["accounts in part"]
    unknown = place.declares(ops("nobody", email="ops@example.com"))
    assert said == dict(databases.look(unknown.backend).unreadable())["accounts"]
    assert [] == unknown.found()


def test_two_rows_of_one_name_are_ambiguous(place):
    place.sql("ALTER TABLE users DROP CONSTRAINT users_username_key")
    place.row("ops")
    place.row("ops")
    (finding,) = place.declares(ops()).found()
    assert ("accounts.ambiguous", True) == (finding.fault, finding.critical)
    assert "'ops' (id 1), 'ops' (id 2)" == finding.seen


@pytest.mark.parametrize(
    ("column", "others", "broken", "mended"),
    [
        ("is_active integer", "1", "0", "1"),
        ("is_active smallint", "1", "NULL", "1"),
        ("is_active char(1)", "'Y'", "'N'", "Y"),
        ("is_active varchar(9)", "'active'", "'disabled'", "active"),
        ("is_active text", "'Enabled'", "'Disabled'", "Enabled"),
        ("is_active integer", "3", "0", None),
        ("is_active text", "'ok'", "'no'", None),
    ],
)
def test_a_flag_is_written_as_the_others_have_it_and_taken_back(
    place, column, others, broken, mended
):
    place.sql(f"ALTER TABLE users DROP is_active; ALTER TABLE users ADD {column} DEFAULT {others}")
    place.row("ops")
    place.row("other")
    place.sql(f"UPDATE users SET is_active = {broken} WHERE username = 'ops'")
    declared = place.declares(ops())
    assert ["inactive"] == declared.mended()
    now = "SELECT is_active FROM users WHERE username = 'ops'"
    if mended is None:
        assert place.sql(f"SELECT {broken}") == place.sql(now)
        return
    assert mended == place.sql(now)
    assert [] == declared.found()
    assert [0] == [answer.status for answer in taken_back(declared.backend)]
    assert place.sql(f"SELECT {broken}") == place.sql(now)


@pytest.mark.parametrize(
    ("flag", "column", "broken", "fault"),
    [
        ("active", "activated_at timestamptz", "NULL", "inactive"),
        ("verified", "email_verified_at timestamp", "NULL", "unverified"),
        ("verified", "verified_on date", "NULL", "unverified"),
        ("verified", "verified_at timestamp(3)", "NULL", "unverified"),
        ("verified", "email_verified boolean", "false", "unverified"),
        ("locked", "is_locked boolean", "true", "locked"),
        ("locked", "locked_until timestamptz", "now() + interval '1h'", "locked"),
        ("locked", "locked_until timestamp", "'infinity'", "locked"),
        ("locked", "deleted_at timestamptz", "now()", "locked"),
        ("locked", "blocked integer", "1", "locked"),
    ],
)
def test_locked_and_unverified_accounts_are_mended(place, flag, column, broken, fault):
    name, kind = column.split()
    sound = {"locked": "0" if kind == "integer" else "NULL"}.get(flag, "now()")
    sound = {"boolean": "true" if flag != "locked" else "false"}.get(kind, sound)
    place.sql(f"ALTER TABLE users ADD {column}")
    place.row("ops")
    place.row("other")
    place.sql(f"UPDATE users SET {name} = {sound}")
    declared = place.declares(ops(), **{flag: name})
    assert [] == declared.found()
    place.sql(f"UPDATE users SET {name} = {broken} WHERE username = 'ops'")
    assert [fault] == declared.mended()
    assert [] == declared.found()


def test_a_lock_that_is_over_is_none(place):
    place.sql("ALTER TABLE users ADD locked_until timestamptz DEFAULT now() - interval '1h'")
    place.row("ops")
    assert [] == place.declares(ops(), locked="locked_until").found()


def test_others_hashes_are_counted_and_none_leaves_the_host(place):
    place.row("ops")
    unsound = ["$2b$12$cut", f"'{GOOD}'", f" {GOOD}", "hunter22", "b'" + GOOD + "'", "\\x2432"]
    sound = [None, "", "!", "!abc", "*", GOOD, "scrypt:32768:8:1$salt$" + "a" * 128]
    sound += [
        "pbkdf2_sha256$1000$salt$" + "A" * 43 + "=",
        "$argon2id$v=19$m=1,t=1,p=1$c2E$" + "a" * 43,
    ]
    for number, stored in enumerate([*unsound, *sound]):
        place.row(f"user{number}", stored)
    assert (6, ("2", "3", "4", "5", "6", "7")) == place.declares(ops()).seen().broken


def test_others_hashes_of_every_scheme_that_are_cut_off_are_counted(place):
    place.row("ops")
    for number, scheme in enumerate(passwords.SCHEMES):
        whole = passwords.make("of-another", scheme)
        place.row(f"whole{number}", whole)
        place.row(f"cut{number}", whole[:-30])
    number, _ = place.declares(ops()).seen().broken
    assert len(passwords.SCHEMES) == number


def test_an_account_named_as_software_names_it_is_tried_with_what_everybody_tries(place):
    place.row("ops")
    place.row("Admin", bcrypt.hashpw(b"admin123", bcrypt.gensalt(4)).decode())
    place.row("root")
    (finding,) = place.declares(ops()).found()
    assert ("accounts.default-account", "Admin") == (finding.fault, finding.subject)


def test_a_first_row_is_not_made_with_a_guessed_scheme(place):
    (finding,) = place.declares(ops()).found()
    assert ("accounts.missing", True) == (finding.fault, finding.by_person)
    assert ["missing"] == place.declares(ops()).mended()
    assert "0" == place.sql("SELECT count(*) FROM users")
