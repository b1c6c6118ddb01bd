"""What PostgreSQL's faults find in recorded looks."""

import dataclasses

import pytest

from relogin import Postgres, Secret, Unreadable
from relogin.facts.connection import Connection
from relogin.operations.postgres import FAULTS
from tests.lab import canaries
from tests.operations.looks import changes, env, found, halext, look, psql, said, unwritten, without

SEQUENCE = {"closed_sequences": ["users_id_seq"]}
DOWN = "#ready 2\n#cluster 15 main 5432 down postgres /var/lib/postgresql/15/main /var/log/x.log"
NONE = {"kind": "none", "salt": "", "iterations": 0, "proof": ""}


def test_a_sound_database_gives_no_finding():
    assert [] == found(FAULTS, look())


@pytest.mark.parametrize(
    ("fault", "edit", "what", "by_person"),
    [
        ("server-down", said("postgres", DOWN, 2), "PostgreSQL does not answer", False),
        ("role-missing", psql("server", role=None), "role halext_user does not exist", False),
        (
            "role-missing",
            psql("server", role=None, similar_roles=["Halext_User"]),
            "role halext_user does not exist",
            True,
        ),
        (
            "role-cannot-login",
            psql("server", "role", can_login=False),
            "role halext_user may not log in",
            False,
        ),
        (
            "role-password-differs",
            psql("server", "role", proof="0" * 64),
            "the password of role halext_user is not the one in the database URL",
            False,
        ),
        (
            "role-password-differs",
            psql("server", "role", **NONE),
            "the password of role halext_user is not the one in the database URL",
            False,
        ),
        (
            "role-password-differs",
            env("canary-database", "other-database"),
            "the password of role halext_user is not the one in the database URL",
            False,
        ),
        (
            "database-missing",
            psql("server", database=None, databases=["blog", "postgres"]),
            "database halext_org does not exist",
            False,
        ),
        (
            "database-missing",
            psql("server", database=None, databases=["Halext_Org"]),
            "database halext_org does not exist",
            True,
        ),
        (
            "database-missing",
            psql("server", database=None, databases=["halext_org_2025-11-20"]),
            "database halext_org does not exist",
            True,
        ),
        (
            "table-privileges-missing",
            psql("tables", closed=["users"]),
            "role halext_user may not use users",
            False,
        ),
        (
            "table-privileges-missing",
            psql("tables", **SEQUENCE),
            "role halext_user may not use users_id_seq",
            False,
        ),
    ],
)
def test_each_situation_belongs_to_one_fault(fault, edit, what, by_person):
    (finding,) = found(FAULTS, look(edit))
    assert (f"postgres.{fault}", what) == (finding.fault, finding.what)
    assert (by_person, True) == (finding.by_person, finding.critical)
    assert canaries.PREFIX not in str(finding)


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
        said("postgres", "#ready 1", 2),
        said("postgres", "#ready 127", 127),
        said("postgres", "", 124),
    ],
    ids=["no administrator", "not let in", "starting", "no client", "cut"],
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
