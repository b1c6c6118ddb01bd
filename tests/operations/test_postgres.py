"""What PostgreSQL's faults find in recorded looks."""

import dataclasses

import pytest

from relogin import Postgres, Secret, Severity, Unreadable
from relogin.facts.connection import Connection
from relogin.operations.postgres import FAULTS
from tests.lab import canaries
from tests.operations.looks import (
    changes,
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
from tests.operations.postgres_situations import (
    ALL,
    BEHIND,
    BROKEN,
    CRITICAL,
    HELD,
    LEFTOVER,
    LOCK,
    MD5,
    NONE,
    REJECTED,
    SHIELDED,
    USERNAME,
    of_files,
    setting,
)

WARNINGS = [
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
]


@pytest.mark.parametrize(("fault", "edits", "what", "by_person"), CRITICAL)
def test_each_situation_belongs_to_one_fault(fault, edits, what, by_person):
    (finding,) = found(FAULTS, look(*edits))
    assert (f"postgres.{fault}", what) == (finding.fault, finding.what)
    assert (by_person, True) == (finding.by_person, finding.critical)
    assert canaries.PREFIX not in str(finding)


@pytest.mark.parametrize(("fault", "edits", "what", "by_person"), WARNINGS)
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
