"""What PostgreSQL's faults find in recorded looks, and what their fixes do to a real server."""

import dataclasses
from pathlib import Path

import pytest
from psycopg import sql as psycopg_sql

from relogin import Backend, Postgres, Secret, Unreadable
from relogin.facts.connection import Connection
from relogin.operations.postgres import FAULTS
from tests.embedded.server import Server
from tests.lab import canaries
from tests.operations import databases
from tests.operations.databases import AWKWARD, described, enters, identifier, literal
from tests.operations.looks import (
    carried_out,
    changes,
    env,
    found,
    halext,
    look,
    psql,
    said,
    unwritten,
    without,
)

PASSWORD = "p@ss:/word 'ü"
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


# What follows asks and changes a real server, as its administrator.


def mended(backend: Backend, password: str = PASSWORD) -> list[str]:
    """Mend what is found, one fault after another, each on a fresh look; give the faults."""
    names = []
    seen = databases.look(backend, password)
    for fault in FAULTS:
        for finding in fault.found(backend, seen):
            names.append(finding.fault.partition(".")[2])
            for change in fault.fix(backend, seen, finding) if fault.fix else ():
                answer = carried_out(change)
                assert (0, b"") == (answer.status, answer.text)
            seen = databases.look(backend, password)
    return names


@pytest.mark.embedded
@pytest.mark.parametrize("name", AWKWARD)
def test_a_role_and_its_database_are_made_under_any_name(server: Server, undo: Path, name: str):
    backend = described(server, name, f"{name} db")
    assert ["role-missing", "database-missing"] == mended(backend)
    assert enters(server, name, PASSWORD, f"{name} db")
    assert not enters(server, name, "another", f"{name} db")
    server.sql(f"ALTER ROLE {identifier(name)} NOLOGIN PASSWORD 'of yesterday'")
    assert ["role-cannot-login", "role-password-differs"] == mended(backend)
    assert enters(server, name, PASSWORD)
    assert [] == mended(backend)
    one, other = sorted(undo.rglob("*.sql"))
    server.sql(other.read_text())
    assert enters(server, name, "of yesterday")
    server.sql(one.read_text())
    assert not enters(server, name, "of yesterday")


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("password", "stored"),
    [("plain", "'plain'"), ("naïve \u00a0 ﬁ", "'naïve \u00a0 ﬁ'"), (PASSWORD, "NULL")],
)
def test_a_password_fits_or_not_as_the_server_itself_says(server, undo, password, stored):
    role = f"role {password}"
    server.sql(f"CREATE ROLE {identifier(role)} LOGIN PASSWORD {stored}; ")
    fits = enters(server, role, password)
    backend = described(server, role, "postgres")
    findings = found(FAULTS, databases.look(backend, password), backend)
    assert ([] if fits else ["postgres.role-password-differs"]) == [one.fault for one in findings]
    mended(backend, password)
    assert enters(server, role, password)


@pytest.mark.embedded
def test_an_md5_verifier_is_judged_too(server, undo):
    server.sql(
        "SET password_encryption = md5; CREATE ROLE old LOGIN PASSWORD 'secret-old'",
    )
    backend = described(server, "old", "postgres")
    assert [] == found(FAULTS, databases.look(backend, "secret-old"), backend)
    (finding,) = found(FAULTS, databases.look(backend, "another"), backend)
    assert "its md5 verifier does not match" == finding.seen


@pytest.mark.embedded
def test_a_look_alike_in_other_letters_is_left_to_a_person(server, undo):
    server.sql('CREATE ROLE "Alike" LOGIN; CREATE DATABASE "Alike_DB"')
    backend = described(server, "alike", "alike_db")
    findings = found(FAULTS, databases.look(backend), backend)
    assert [True, True] == [finding.by_person for finding in findings]
    assert ["there is Alike", "there is Alike_DB"] == [finding.seen for finding in findings]


@pytest.mark.embedded
@pytest.mark.parametrize("name", AWKWARD)
def test_what_the_backend_needs_is_granted_and_no_more(server, undo, name):
    database, role = "postgres", f"g {name}"
    server.sql(f"CREATE ROLE {identifier(role)} LOGIN PASSWORD {literal(PASSWORD)}")
    table = f"{identifier(name)}.{identifier(name)}"
    server.sql(
        f"CREATE SCHEMA {identifier(name)}; CREATE TABLE {table} (id serial);"
        f"CREATE TABLE {identifier(name)}.other (id serial)",
        database,
    )
    backend = described(server, role, database, schema=name, tables=[name])
    assert ["table-privileges-missing"] == mended(backend)
    assert [] == mended(backend)
    held = psycopg_sql.SQL(
        "SELECT privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee = {} AND table_name = {} ORDER BY 1"
    )
    held = held.format(psycopg_sql.Literal(role), psycopg_sql.Literal(name))
    assert "INSERT\nSELECT\nUPDATE" == server.sql(held.as_string(None), database)
    other = literal(f"{identifier(name)}.other")
    allowed = f"SELECT has_table_privilege({literal(role)}, {other}, 'SELECT')"
    assert "f" == server.sql(allowed, database)


@pytest.mark.embedded
def test_a_server_that_does_not_answer_is_down(server, undo):
    backend = described(server, "nobody", "nothing")
    peer = backend.database.admin
    closed = dataclasses.replace(peer, port=1, psql=str(server.bin / "psql"))
    backend = dataclasses.replace(
        backend, database=dataclasses.replace(backend.database, admin=closed)
    )
    (finding,) = found(FAULTS, databases.look(backend), backend)
    assert "postgres.server-down" == finding.fault


@pytest.mark.embedded
def test_a_change_that_the_server_refuses_says_a_sqlstate_and_no_text(server, undo):
    """What libpq says can hold what was sent."""
    server.sql("CREATE ROLE refused LOGIN")
    backend = described(server, "refused", "postgres")
    seen = databases.look(backend)
    (change,) = changes(FAULTS, seen, backend)
    server.sql("DROP ROLE refused")
    answer = carried_out(change)
    assert 0 != answer.status
    assert b"SCRAM" not in answer.text


@pytest.mark.embedded
def test_nothing_of_it_is_in_the_servers_log(server, undo):
    backend = described(server, "quiet_user", "quiet_db", tables=["quiet_table"])
    before = len(server.log.read_text(errors="replace"))
    mended(backend)
    server.sql("ALTER ROLE quiet_user PASSWORD NULL")
    server.sql("CREATE TABLE quiet_table (id int)", "quiet_db")
    assert ["role-password-differs", "table-privileges-missing"] == mended(backend)
    log = server.log.read_text(errors="replace").lower()[before:]
    assert "create table quiet_table" in log  # it does log
    for trace in ("scram-sha-256$", "p@ss", "pg_authid", "create database", "grant select"):
        assert trace not in log
