"""What the accounts' faults find in recorded looks, and what they would change."""

import dataclasses
import secrets

import bcrypt
import pytest

from relogin import Account, Accounts, Columns, Severity
from relogin.facts import postgres
from relogin.operations.accounts import FAULTS
from relogin.remote import Answer
from tests.lab import canaries
from tests.operations.looks import (
    OPS,
    Edit,
    changes,
    found,
    halext,
    look,
    psql,
    recorded,
    said,
    text,
    unwritten,
)

ROW = ("accounts", "rows", "0")
(OPS_ROW,) = postgres.rows(recorded("halext")["postgres"])["accounts"]["rows"]
UNUSABLE = "the stored hash of account ops cannot be a password's"
LIKE = "account ops does not exist, but one that looks like it"


def others(*rows: dict[str, str]) -> Edit:
    """Let there be these rows besides that of ops."""
    more = [{**OPS_ROW, "email": None, **row} for row in rows]
    return psql("accounts", rows=[OPS_ROW, *more])


def stored(form: str) -> Edit:
    return psql(*ROW, password=form.format(OPS_ROW["password"]))


def hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


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
    assert finding.by_person


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


def with_flags(**flags: tuple[str, str | None, list[str]]) -> list[Edit]:
    """Let flags be columns of these types, with this value in the row of ops and these in all."""
    types = {f"is_{flag}": kind for flag, (kind, _, _) in flags.items()}
    return [
        lambda answers: psql("columns", types=_types(answers) | types)(answers),
        psql(*ROW, **{flag: value for flag, (_, value, _) in flags.items()}),
        psql("accounts", kinds={flag: kinds for flag, (_, _, kinds) in flags.items()}),
    ]


def _types(answers):
    return postgres.rows(answers["postgres"])["columns"]["types"]


FLAGS = Columns(verified="is_verified", locked="is_locked")
FLAGGED = halext(accounts=Accounts(columns=FLAGS, present=[OPS]))
HAVE = text("postgres", '"is_active", ', '"is_active", "is_verified", "is_locked", ')


@pytest.mark.parametrize(
    ("flag", "kind", "value", "kinds", "set_to"),
    [
        ("active", "integer", "0", ["0", "1"], "1"),
        ("active", "smallint", "0", ["0", "1", "2"], None),
        ("active", "text", "N", ["N", "Y"], "'Y'"),
        ("active", "character varying(9)", "banned", ["active", "banned"], "'active'"),
        ("active", "text", "no", ["no", "y", "yes"], None),
        ("active", "timestamp with time zone", None, [], "current_timestamp(0)"),
        ("admin", "integer", "0", ["0"], "1"),
        ("verified", "boolean", "false", [], "true"),
        ("verified", "timestamp without time zone", None, [], "localtimestamp(0)"),
        ("verified", "date", None, [], "current_date"),
        ("locked", "boolean", "true", [], "false"),
        ("locked", "integer", "1", ["0", "1"], "0"),
        ("locked", "text", "locked", ["locked", "open"], None),
        ("locked", "timestamp with time zone", "2026-01-01 00:00:00+00", [], "NULL"),
    ],
)
def test_a_flag_of_any_type_is_written_as_sound_rows_have_it(flag, kind, value, kinds, set_to):
    sound = {"verified": ("boolean", "true", []), "locked": ("boolean", "false", [])}
    edits = with_flags(**(sound | {flag: (kind, value, kinds)}))
    seen = look(HAVE, *edits, backend=FLAGGED)
    (finding,) = found(FAULTS, seen, FLAGGED)
    name = {"active": "inactive", "admin": "admin-lost", "verified": "unverified"}.get(flag, flag)
    assert (f"accounts.{name}", set_to is None) == (finding.fault, finding.by_person)
    made = changes(FAULTS, seen, FLAGGED)
    assert [f"account ops: is_{flag} = {set_to}"] * (set_to is not None) == [c.why for c in made]


@pytest.mark.parametrize(
    ("flag", "kind", "value", "kinds"),
    [
        ("active", "integer", "1", ["0", "1"]),
        ("active", "text", "Y", ["N", "Y"]),
        ("active", "text", "normal", ["normal"]),
        ("active", "timestamp with time zone", "2020-01-01 00:00:00+00", []),
        ("locked", "boolean", None, []),
        ("locked", "timestamp with time zone", None, []),
        ("locked", "text", "open", ["locked", "open"]),
        ("verified", "date", "2020-01-01", []),
    ],
)
def test_a_flag_that_is_sound_in_its_own_way_gives_no_finding(flag, kind, value, kinds):
    sound = {"verified": ("boolean", "true", []), "locked": ("boolean", "false", [])}
    edits = with_flags(**(sound | {flag: (kind, value, kinds)}))
    assert [] == found(FAULTS, look(HAVE, *edits, backend=FLAGGED), FLAGGED)


@pytest.mark.parametrize(("until", "is_locked"), [("2000-01-01", False), ("2999-01-01", True)])
def test_a_lock_until_some_time_is_over_then(until, is_locked):
    columns = Columns(locked="locked_until")
    backend = halext(accounts=Accounts(columns=columns, present=[OPS]))
    edits = (
        text("postgres", '"is_active", ', '"is_active", "locked_until", '),
        psql("columns", types={"is_active": "boolean", "is_admin": "boolean"}),
        text("postgres", '"types": {', '"types": {"locked_until": "timestamp with time zone", '),
        psql(*ROW, locked=f"{until} 00:00:00+00"),
    )
    findings = found(FAULTS, look(*edits, backend=backend), backend)
    assert ["accounts.locked"] * is_locked == [one.fault for one in findings]


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
