"""What PostgreSQL's faults find in recorded looks."""

import dataclasses

import pytest

from relogin import Postgres, Secret, Severity, Unreadable
from relogin.facts.connection import Connection
from relogin.operations.postgres import FAULTS
from relogin.remote import Answer
from tests.lab import canaries
from tests.operations.looks import (
    Answers,
    Edit,
    changes,
    env,
    found,
    halext,
    look,
    psql,
    said,
    said_too,
    text,
    unwritten,
    without,
)

DOWN = "#ready 2\n#cluster 15 main 5432 down postgres /var/lib/postgresql/15/main /var/log/x.log"
OTHER = DOWN.replace("5432 down", "5433 online")
NONE = {"kind": "none", "salt": "", "iterations": 0, "proof": ""}
MD5 = {"kind": "md5", "salt": "", "iterations": 0, "proof": "0" * 64}
ALL = ["all"]
REJECTED = [2, "host", ALL, ALL, "127.0.0.0", "255.0.0.0", "reject", None, None, None]
BROKEN = [9, None, None, None, None, None, None, None, 'invalid connection type "hots"', None]
HELD = [[97, "blog_user", "worker"], [3, "halext_user", ""]]
AUTO = "/var/lib/postgresql/15/main/postgresql.auto.conf"
SHIELDED = [["users", [["own", "(owner = CURRENT_USER)"]]]]
LOCK = [4242, "halext_user", "alembic", "idle in transaction", 600]
USERNAME = ["public.users_username_key", "public.users", True, True, 'pg_catalog."de-x-icu"']
LEFTOVER = ["public.users_email_key", "public.users", False, True, None]
BEHIND = {"sequence": "public.users_id_seq", "table": "public.users", "column": "id"}


def setting(name: str, value: str, *, role: bool = True, database: bool = False) -> Edit:
    return psql("server", settings=[[role, database, name, value]])


def of_files(name: str, value: str) -> Edit:
    return said_too(part="files", settings=[[name, value, AUTO]])


def pending(answers: Answers) -> Answers:
    """Let the code have a revision that the database has not."""
    return answers | {"migrations": Answer(b"0001|||\n0002|0001||\n", 0)}


@pytest.mark.parametrize(
    ("fault", "edits", "what", "by_person"),
    [
        ("server-down", [said("postgres", DOWN, 2)], "PostgreSQL does not answer", False),
        (
            "wrong-address",
            [said("postgres", OTHER, 2)],
            "PostgreSQL does not listen at 127.0.0.1:5432, where the database URL points",
            True,
        ),
        (
            "wrong-address",
            [text("postgres", '{"hba"', '#url 2\n{"hba"')],
            "PostgreSQL does not listen at 127.0.0.1:5432, where the database URL points",
            True,
        ),
        (
            "not-accepting",
            [said("postgres", "#ready 1", 2)],
            "PostgreSQL lets nobody in yet, or no more",
            True,
        ),
        (
            "hba-refuses",
            [psql("server", hba=[REJECTED])],
            "pg_hba.conf refuses role halext_user to database halext_org from 127.0.0.1",
            True,
        ),
        (
            "hba-refuses",
            [psql("server", hba=[])],
            "pg_hba.conf refuses role halext_user to database halext_org from 127.0.0.1",
            True,
        ),
        (
            "connections-exhausted",
            [psql("server", used=97, holders=HELD)],
            "all connections of PostgreSQL are taken",
            True,
        ),
        ("role-missing", [psql("server", role=None)], "role halext_user does not exist", False),
        (
            "role-missing",
            [psql("server", role=None, similar_roles=["Halext_User"])],
            "role halext_user does not exist",
            True,
        ),
        (
            "verifier-unusable",
            [psql("server", "role", **MD5)],
            "the stored password of role halext_user is of a kind that pg_hba.conf refuses",
            False,
        ),
        (
            "role-password-differs",
            [psql("server", "role", proof="0" * 64)],
            "the password of role halext_user is not the one in the database URL",
            False,
        ),
        (
            "role-password-differs",
            [psql("server", "role", **NONE)],
            "the password of role halext_user is not the one in the database URL",
            False,
        ),
        (
            "role-password-differs",
            [env("canary-database", "other-database")],
            "the password of role halext_user is not the one in the database URL",
            False,
        ),
        (
            "role-expired",
            [psql("server", "role", expired=True, days_left=-3)],
            "the password of role halext_user has expired",
            False,
        ),
        (
            "role-cannot-login",
            [psql("server", "role", can_login=False)],
            "role halext_user may not log in",
            False,
        ),
        (
            "role-connection-limit",
            [psql("server", "role", limit=0)],
            "role halext_user may have no more connections",
            False,
        ),
        (
            "role-connection-limit",
            [psql("server", "role", limit=3, used=3)],
            "role halext_user may have no more connections",
            True,
        ),
        (
            "database-missing",
            [psql("server", database=None, databases=["blog", "postgres"])],
            "database halext_org does not exist",
            False,
        ),
        (
            "database-missing",
            [psql("server", database=None, databases=["Halext_Org"])],
            "database halext_org does not exist",
            True,
        ),
        (
            "database-missing",
            [psql("server", database=None, databases=["halext_org_2025-11-20"])],
            "database halext_org does not exist",
            True,
        ),
        (
            "database-closed",
            [psql("server", "database", open=False), unwritten("tables", "accounts")],
            "database halext_org accepts no connections",
            False,
        ),
        (
            "database-closed",
            [psql("server", "database", limit=-2), unwritten("tables", "accounts")],
            "database halext_org is invalid",
            True,
        ),
        (
            "connect-revoked",
            [psql("server", "database", connect=False)],
            "role halext_user may not connect to database halext_org",
            False,
        ),
        (
            "database-connection-limit",
            [psql("server", "database", limit=0)],
            "database halext_org may have no more connections",
            False,
        ),
        (
            "database-connection-limit",
            [psql("server", "database", limit=5, used=6)],
            "database halext_org may have no more connections",
            True,
        ),
        (
            "schema-usage-missing",
            [psql("tables", usage=False)],
            "role halext_user may not use schema public",
            False,
        ),
        (
            "search-path-wrong",
            [setting("search_path", "nothere, pg_catalog")],
            "the search path of role halext_user leaves out schema public",
            False,
        ),
        (
            "search-path-wrong",
            [setting("search_path", '"public,x"', role=False, database=True)],
            "the search path of role halext_user leaves out schema public",
            False,
        ),
        (
            "search-path-wrong",
            [of_files("search_path", "Public_2")],
            "the search path of role halext_user leaves out schema public",
            True,
        ),
        (
            "schema-create-missing",
            [psql("tables", create=False), pending],
            "role halext_user may not make tables in schema public",
            False,
        ),
        (
            "table-privileges-missing",
            [psql("tables", closed=["users"])],
            "role halext_user may not use users",
            False,
        ),
        (
            "sequence-privileges-missing",
            [psql("tables", closed_sequences=["users_id_seq"])],
            "role halext_user may not use users_id_seq",
            False,
        ),
        (
            "row-security-hides-rows",
            [psql("tables", shielded=SHIELDED), said_too(part="visible", count=0)],
            "row security hides accounts from role halext_user",
            True,
        ),
        (
            "read-only",
            [setting("default_transaction_read_only", "on", role=False, database=True)],
            "sessions of role halext_user are read-only",
            True,
        ),
        (
            "read-only",
            [of_files("default_transaction_read_only", "on")],
            "sessions of role halext_user are read-only",
            True,
        ),
        (
            "in-recovery",
            [psql("server", in_recovery=True)],
            "PostgreSQL is a standby: it takes no writes",
            True,
        ),
        (
            "users-table-locked",
            [said_too(part="locks", rows=[LOCK])],
            "a session keeps everybody from reading the users table",
            True,
        ),
        (
            "timeout-too-short",
            [setting("statement_timeout", "1ms")],
            "statement_timeout ends the backend's queries too soon",
            False,
        ),
        (
            "timeout-too-short",
            [of_files("lock_timeout", "20")],
            "lock_timeout ends the backend's queries too soon",
            True,
        ),
        (
            "collation-changed",
            [psql("tables", indexes=[USERNAME])],
            "the sort order under the indexes of the users table has changed",
            True,
        ),
        (
            "index-invalid",
            [psql("tables", indexes=[LEFTOVER])],
            "index public.users_email_key is not valid",
            True,
        ),
        (
            "index-invalid",
            [psql("indexed", count=0)],
            "an index of table users does not find rows that are there",
            True,
        ),
    ],
)
def test_each_situation_belongs_to_one_fault(fault, edits, what, by_person):
    (finding,) = found(FAULTS, look(*edits))
    assert (f"postgres.{fault}", what) == (finding.fault, finding.what)
    assert (by_person, True) == (finding.by_person, finding.critical)
    assert canaries.PREFIX not in str(finding)


@pytest.mark.parametrize(
    ("fault", "edits", "what", "by_person"),
    [
        (
            "hba-unreadable",
            [psql("server", hba=[BROKEN])],
            "the server cannot read line 9 of /etc/postgresql/15/main/pg_hba.conf",
            True,
        ),
        (
            "hba-refuses",
            [psql("server", hba=[REJECTED], hba_unread=True)],
            "pg_hba.conf refuses role halext_user to database halext_org from 127.0.0.1",
            True,
        ),
        (
            "role-expired",
            [psql("server", "role", days_left=13)],
            "the password of role halext_user expires in 13 days",
            True,
        ),
        (
            "index-invalid",
            [psql("tables", indexes=[[*LEFTOVER[:3], False, None]])],
            "index public.users_email_key is not valid",
            True,
        ),
        (
            "sequence-behind",
            [said_too(part="behind public.users_id_seq", **BEHIND)],
            "sequence public.users_id_seq gives numbers that are taken",
            False,
        ),
    ],
)
def test_what_keeps_nobody_out_today_is_a_warning(fault, edits, what, by_person):
    (finding,) = found(FAULTS, look(*edits))
    assert (f"postgres.{fault}", what) == (finding.fault, finding.what)
    assert (by_person, Severity.WARNING) == (finding.by_person, finding.severity)


@pytest.mark.parametrize(
    "edits",
    [
        [psql("server", "role", days_left=15)],
        [psql("server", "role", limit=3, used=2)],
        [psql("server", "role", limit=0, superuser=True)],
        [psql("server", "role", superuser=True), psql("server", used=97)],
        [psql("server", "database", limit=9, used=8)],
        [psql("server", used=96)],
        [psql("tables", create=False)],
        [psql("tables", usage=None, create=None)],
        [setting("search_path", "app, public")],
        [setting("search_path", 'elsewhere, "PUBLIC"'), psql("tables", schemas=["elsewhere"])],
        [setting("default_transaction_read_only", "off")],
        [setting("statement_timeout", "0")],
        [setting("statement_timeout", "1500")],
        [setting("lock_timeout", "2s")],
        [psql("tables", shielded=SHIELDED), said_too(part="visible", count=1)],
        [psql("tables", shielded=SHIELDED)],
        [
            psql("tables", shielded=[["users", [["t", "(id = current_setting('app.id'))"]]]]),
            said_too(part="visible", count=0),
        ],
        [text("postgres", '{"hba"', '#url 0\n{"hba"')],
    ],
)
def test_what_is_sound_though_it_is_set_gives_no_finding(edits):
    assert [] == found(FAULTS, look(*edits))


def test_the_strongest_setting_is_the_one_that_counts():
    """PostgreSQL docs, ALTER ROLE: role in database, role, database, everybody, files."""
    rows = [
        [False, False, "search_path", "weak"],
        [True, True, "search_path", "public"],
        [True, False, "search_path", "weak"],
    ]
    assert [] == found(FAULTS, look(psql("server", settings=rows)))
    (finding,) = found(FAULTS, look(psql("server", settings=rows[::2])))
    assert 'ROLE "halext_user"' == finding.subject


@pytest.mark.parametrize(
    ("edits", "remedy"),
    [
        (
            [setting("default_transaction_read_only", "on")],
            'ALTER ROLE "halext_user" RESET default_transaction_read_only;',
        ),
        (
            [setting("default_transaction_read_only", "on", database=True)],
            'ALTER ROLE "halext_user" IN DATABASE "halext_org"'
            " RESET default_transaction_read_only;",
        ),
        (
            [setting("default_transaction_read_only", "on", role=False, database=True)],
            'ALTER DATABASE "halext_org" RESET default_transaction_read_only;',
        ),
        (
            [of_files("default_transaction_read_only", "on")],
            "ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf();",
        ),
        (
            [psql("tables", indexes=[USERNAME])],
            "REINDEX INDEX CONCURRENTLY public.users_username_key; (a duplicate that it names has"
            ' to be settled first) ALTER COLLATION pg_catalog."de-x-icu" REFRESH VERSION;',
        ),
        (
            [psql("tables", indexes=[[*USERNAME[:4], 'pg_catalog."default"']])],
            'ALTER DATABASE "halext_org" REFRESH COLLATION VERSION;',
        ),
        ([said_too(part="locks", rows=[LOCK])], "SELECT pg_terminate_backend(4242);"),
    ],
)
def test_a_person_is_told_the_exact_command(edits, remedy):
    (finding,) = found(FAULTS, look(*edits))
    assert finding.by_person
    assert finding.remedy.endswith(remedy)


def test_who_holds_the_connections_is_said():
    (finding,) = found(FAULTS, look(psql("server", used=100, holders=HELD)))
    expected = "100 connections: 97 of blog_user (worker), 3 of halext_user (unnamed)"
    assert expected == finding.seen


def test_an_md5_verifier_of_another_password_is_one_fault():
    assert ["postgres.verifier-unusable"] == [
        one.fault for one in found(FAULTS, look(psql("server", "role", **MD5)))
    ]
    rule = [1, "host", ALL, ALL, "all", None, "md5", None, None, None]
    md5 = (psql("server", "role", **MD5), psql("server", hba=[rule]))
    (finding,) = found(FAULTS, look(*md5))
    assert "its md5 verifier does not match" == finding.seen


def test_a_look_alike_is_named():
    findings = [
        *found(FAULTS, look(psql("server", role=None, similar_roles=["Halext_User"]))),
        *found(FAULTS, look(psql("server", database=None, databases=["halext_org_old"]))),
    ]
    assert ["there is Halext_User", "there is halext_org_old"] == [one.seen for one in findings]
    assert [] == changes(FAULTS, look(psql("server", role=None, similar_roles=["Halext_User"])))


@pytest.mark.parametrize(
    "edit",
    [
        said("postgres", "#no-admin"),
        said("postgres", "#ready 0", 2),
        said("postgres", "#ready 127", 127),
        said("postgres", "", 124),
    ],
    ids=["no administrator", "not let in", "no client", "cut"],
)
def test_nothing_is_guessed_of_a_server_that_could_not_be_asked(edit):
    seen = look(edit)
    assert isinstance(seen.postgres, Unreadable)
    assert [] == found(FAULTS, seen)


def test_a_database_that_could_not_be_entered_says_nothing_of_its_tables():
    seen = look(unwritten("tables", "columns", "accounts"))
    assert [] == found(FAULTS, seen)


def test_a_verifier_of_an_unknown_kind_is_not_judged():
    unknown = {**NONE, "kind": "unknown"}
    assert [] == found(FAULTS, look(psql("server", "role", **unknown)))


def test_a_role_whose_password_nobody_declares_is_left_to_a_person():
    (finding,) = found(FAULTS, look(psql("server", role=None), without("DATABASE_URL")))
    assert finding.by_person


def test_a_role_without_a_url_to_compare_is_not_judged():
    assert [] == found(FAULTS, look(psql("server", "role", **NONE), without("DATABASE_URL")))


@pytest.mark.parametrize(
    ("connection", "seen"),
    [
        (Connection(ok=False, sqlstate="28P01"), "SQLSTATE 28P01"),
        (Connection(ok=False, refused=True), "nobody listens there"),
        (Connection(ok=False), "the server did not say why"),
    ],
)
def test_a_url_that_does_not_connect_is_a_symptom(connection, seen):
    (finding,) = found(FAULTS, dataclasses.replace(look(), connection=connection))
    assert ("postgres.url-refused", seen) == (finding.fault, finding.seen)
    assert (True, True) == (finding.symptom, finding.by_person)


@pytest.mark.parametrize("connection", [None, Connection(ok=True), Unreadable("no tunnel")])
def test_a_url_that_connects_or_was_not_tried_gives_no_finding(connection):
    assert [] == found(FAULTS, dataclasses.replace(look(), connection=connection))


def test_an_accepted_fault_is_a_note():
    backend = halext(accepted={"postgres.role-password-differs": "by design"})
    (finding,) = found(FAULTS, look(psql("server", "role", **NONE)), backend)
    assert not finding.critical


def test_the_password_reaches_the_server_as_a_verifier_alone():
    (change,) = changes(FAULTS, look(psql("server", "role", **NONE)))
    assert "SCRAM-SHA-256$4096:" in change.script
    assert canaries.DATABASE_PASSWORD not in change.script + change.why


def test_another_password_of_the_declared_url_is_taken_from_a_secret():
    backend = halext(database=Postgres(url=Secret.seen("postgresql://halext_user:other@h/d")))
    (finding,) = found(FAULTS, look(), backend)
    assert "postgres.role-password-differs" == finding.fault
