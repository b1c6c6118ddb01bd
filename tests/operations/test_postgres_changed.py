"""What PostgreSQL's faults find on a real server, and what their fixes do to it."""

import dataclasses
from pathlib import Path

import pytest
from psycopg import sql as psycopg_sql

from relogin import Backend
from relogin.operations.postgres import FAULTS
from tests.embedded.server import Server
from tests.operations import databases
from tests.operations.databases import AWKWARD, described, enters, identifier, literal
from tests.operations.looks import carried_out, changes, found
from tests.operations.undoing import taken_back

PASSWORD = "p@ss:/word 'ü"


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
    assert ["role-password-differs", "role-cannot-login"] == mended(backend)
    assert enters(server, name, PASSWORD)
    assert [] == mended(backend)
    assert [0, 0] == [answer.status for answer in taken_back(backend)]
    server.sql(f"ALTER ROLE {identifier(name)} LOGIN")
    assert enters(server, name, "of yesterday")
    server.sql(f"ALTER ROLE {identifier(name)} NOLOGIN")
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
def test_an_md5_verifier_of_the_right_password_is_made_a_scram_one(server, undo):
    """pg_hba.conf of this server asks for SCRAM, which no md5 verifier can answer."""
    server.sql("SET password_encryption = md5; CREATE ROLE old LOGIN PASSWORD 'secret-old'")
    backend = described(server, "old", "postgres")
    assert not enters(server, "old", "secret-old")
    assert ["verifier-unusable"] == mended(backend, "secret-old")
    assert enters(server, "old", "secret-old")


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
    closed = ["schema-usage", "table-privileges", "sequence-privileges"]
    assert [f"{one}-missing" for one in closed] == mended(backend)
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
    backend = described(server, "refused", "refused_db")
    seen = databases.look(backend)
    change = changes(FAULTS, seen, backend)[-1]
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
