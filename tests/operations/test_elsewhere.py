"""PostgreSQL that is elsewhere, on a real server: its administrator comes by a URL, over TCP."""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from relogin import (
    Account,
    Accounts,
    AdminUrl,
    Backend,
    Postgres,
    ProfileError,
    Secret,
    Unreadable,
    unfit,
)
from relogin.database_url import DatabaseAddress, build
from relogin.facts import elsewhere
from relogin.facts.observation import Observation
from relogin.facts.postgres_state import Server as State
from relogin.fault import Change, Fault
from relogin.operations import accounts
from relogin.operations.postgres import FAULTS
from relogin.remote import Answer
from tests.embedded.server import Server
from tests.embedded.world import free_port
from tests.facts.answers import SHELLS, run
from tests.operations import databases
from tests.operations.databases import described, enters, literal
from tests.operations.undoing import taken_back

BOSS = "canary-boss it's 100%@:/\\ü"
PASSWORD = "p@ss:/word 'ü"
OPS = Account("ops", email="ops@example.com", password=Secret.seen("canary-ops-password"))
USERS = """
CREATE TABLE IF NOT EXISTS users (id serial PRIMARY KEY, username text, email text,
 hashed_password text, is_active bool NOT NULL DEFAULT true, is_admin bool NOT NULL DEFAULT false);
"""


def by_url(server: Server, backend: Backend, *, user: str = "boss", **more: Any) -> Backend:
    """Give the backend with an administrator who comes by a URL."""
    url = DatabaseAddress("postgresql", user, BOSS, "127.0.0.1", server.port, "postgres")
    text = build(dataclasses.replace(url, **more))
    admin = AdminUrl(Secret.seen(text), psql=str(server.bin / "psql"))
    assert backend.database is not None
    return dataclasses.replace(backend, database=dataclasses.replace(backend.database, admin=admin))


def administrators(server: Server) -> None:
    """Make one who is a superuser, and one as a managed server has."""
    for name, kind in (("boss", "SUPERUSER"), ("manager", "CREATEROLE CREATEDB")):
        if server.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'") != "1":
            server.sql(f"CREATE ROLE {name} LOGIN {kind} PASSWORD {literal(BOSS)}")


def carried_out(backend: Backend, change: Change, sh: tuple[str, ...] = ("sh",)) -> Answer:
    return run(f"(\n{elsewhere.functions(backend)}{change.script}\n)", sh)


def mended(
    backend: Backend, faults: tuple[Fault, ...] = FAULTS, sh: tuple[str, ...] = ("sh",)
) -> list[str]:
    """Mend what is found, each fault on a fresh look; give the faults."""
    names = []
    seen = databases.look(backend, PASSWORD)
    for fault in faults:
        for finding in fault.found(backend, seen):
            names.append(finding.fault.partition(".")[2])
            for change in fault.fix(backend, seen, finding) if fault.fix else ():
                answer = carried_out(backend, change, sh)
                assert (0, b"") == (answer.status, answer.text)
            seen = databases.look(backend, PASSWORD)
    return names


def changed(faults: tuple[Fault, ...], backend: Backend, seen: Observation) -> Iterator[Change]:
    """Give the changes of all that is found in a look."""
    for fault in faults:
        for finding in fault.found(backend, seen):
            yield from fault.fix(backend, seen, finding) if fault.fix else ()


def populated(server: Server, name: str) -> Backend:
    """Give a healthy backend of that name: its role, its database, an empty users table."""
    administrators(server)
    present = Accounts(present=(OPS,), scheme="bcrypt")
    backend = by_url(server, described(server, name, f"{name}_db", present))
    assert ["role-missing", "database-missing"] == mended(backend)
    server.sql(f"{USERS} ALTER TABLE users OWNER TO {name}", f"{name}_db")
    return backend


@pytest.mark.embedded
@pytest.mark.parametrize("sh", SHELLS)
def test_a_role_a_database_and_an_account_are_made_by_the_url(server, undo, sh, monkeypatch):
    monkeypatch.setattr(databases, "run", lambda script: run(script, sh))
    name = f"by_{sh[0]}"
    backend = populated(server, name)
    assert enters(server, name, PASSWORD, f"{name}_db")
    server.sql(f"ALTER ROLE {name} NOLOGIN VALID UNTIL '2020-01-01' PASSWORD 'of yesterday'")
    every = ["role-password-differs", "role-expired", "role-cannot-login", "missing"]
    assert every == mended(backend, FAULTS + accounts.FAULTS, sh)
    assert enters(server, name, PASSWORD, f"{name}_db")
    assert "ops" == server.sql("SELECT username FROM users", f"{name}_db")
    assert [] == mended(backend, FAULTS + accounts.FAULTS, sh)


@pytest.mark.embedded
def test_the_url_is_in_no_argument_environment_or_kept_file(server, undo, tmp_path):
    backend = populated(server, "canaries")
    assert backend.database is not None
    assert isinstance(backend.database.admin, AdminUrl)
    told, psql = tmp_path / "told", tmp_path / "psql"
    real = server.bin / "psql"
    psql.write_text(
        f'#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ >>{told}\nexec {real} "$@"\n'
    )
    psql.chmod(0o755)
    admin = AdminUrl(backend.database.admin.url, psql=str(psql))
    database = dataclasses.replace(backend.database, admin=admin)
    backend = dataclasses.replace(backend, database=database)
    server.sql("ALTER ROLE canaries PASSWORD 'of yesterday'")

    assert ["role-password-differs"] == mended(backend)

    kept = [path.read_bytes() for path in undo.rglob("*") if path.is_file()]
    assert kept
    for text in [told.read_bytes(), *kept]:
        assert [False, False] == [b"canary-boss" in text, b"boss" in text]
    assert b"PGSERVICEFILE=/dev/fd/3" in told.read_bytes()


@pytest.mark.embedded
def test_what_was_overwritten_by_the_url_is_brought_back_by_it(server, undo):
    backend = populated(server, "back")
    server.sql("ALTER ROLE back PASSWORD 'of yesterday'")
    assert ["role-password-differs"] == mended(backend)
    answers = taken_back(backend)
    assert [0] == [answer.status for answer in answers]
    assert enters(server, "back", "of yesterday")


@pytest.mark.embedded
def test_of_two_hosts_with_one_database_one_sets_a_password_and_one_makes_an_account(server, undo):
    backend = populated(server, "twice")
    server.sql("ALTER ROLE twice PASSWORD 'of yesterday'")
    for faults, query in (
        (FAULTS, "SELECT rolpassword FROM pg_authid WHERE rolname = 'twice'"),
        (accounts.FAULTS, "SELECT id, hashed_password FROM users"),
    ):
        seen = [databases.look(backend, PASSWORD) for _ in range(2)]  # before either has changed it
        changes = [list(changed(faults, backend, each)) for each in seen]
        assert [1, 1] == list(map(len, changes))

        first = carried_out(backend, changes[0][0])
        stored = server.sql(query, "twice_db")
        second = carried_out(backend, changes[1][0])

        assert [0, 0] == [first.status, second.status]
        assert stored == server.sql(query, "twice_db")
    assert [] == mended(backend, FAULTS + accounts.FAULTS)
    assert enters(server, "twice", PASSWORD, "twice_db")


@pytest.mark.embedded
def test_of_two_hosts_at_the_same_moment_neither_fails(server, undo):
    backend = populated(server, "together")
    server.sql("ALTER ROLE together NOLOGIN PASSWORD NULL")
    for faults in (FAULTS, accounts.FAULTS):
        seen = [databases.look(backend, PASSWORD) for _ in range(2)]
        pairs = zip(*(changed(faults, backend, each) for each in seen), strict=True)
        for pair in pairs:
            with ThreadPoolExecutor() as pool:
                answers = list(pool.map(lambda change: carried_out(backend, change), pair))
            assert [0, 0] == [answer.status for answer in answers], answers
    assert [] == mended(backend, FAULTS + accounts.FAULTS)
    assert "1" == server.sql("SELECT count(*) FROM users", "together_db")
    assert enters(server, "together", PASSWORD, "together_db")


@pytest.mark.embedded
def test_a_hash_that_another_host_has_set_meanwhile_is_left(server, undo):
    backend = populated(server, "hashes")
    assert ["missing"] == mended(backend, accounts.FAULTS)
    server.sql("UPDATE users SET hashed_password = 'cut off'", "hashes_db")
    seen = [databases.look(backend, PASSWORD) for _ in range(2)]
    one, two = (list(changed(accounts.FAULTS, backend, each)) for each in seen)
    assert (0, []) == ((first := carried_out(backend, one[0])).status, first.lines)
    stored = server.sql("SELECT hashed_password FROM users", "hashes_db")
    answer = carried_out(backend, two[0])
    assert (0, ["#already"]) == (answer.status, answer.lines)
    assert stored == server.sql("SELECT hashed_password FROM users", "hashes_db")
    assert [] == mended(backend, accounts.FAULTS)


@pytest.mark.embedded
def test_an_administrator_who_is_no_superuser_says_what_was_not_compared(server, undo):
    backend = populated(server, "managed")
    server.sql("GRANT SELECT, INSERT, UPDATE ON users TO manager", "managed_db")
    server.sql("GRANT USAGE ON SEQUENCE users_id_seq TO manager", "managed_db")
    server.sql("ALTER ROLE managed PASSWORD 'of yesterday'")
    backend = by_url(server, backend, user="manager")
    seen = databases.look(backend, PASSWORD)
    assert [] == [one for fault in FAULTS for one in fault.found(backend, seen)]
    assert "postgres in part" in dict(seen.unreadable())
    assert ["missing"] == mended(backend, FAULTS + accounts.FAULTS)
    assert "ops" == server.sql("SELECT username FROM users", "managed_db")


@pytest.mark.embedded
def test_a_table_that_such_an_administrator_may_not_read_is_unreadable(server, undo):
    backend = by_url(server, populated(server, "closed"), user="manager")
    seen = databases.look(backend, PASSWORD)
    assert isinstance(seen.accounts, Unreadable)
    assert [] == mended(backend, FAULTS + accounts.FAULTS)


@pytest.mark.embedded
def test_rows_that_row_security_hides_from_the_administrator_are_not_taken_for_missing(
    server, undo
):
    backend = by_url(server, populated(server, "shielded"), user="manager")
    server.sql("GRANT SELECT, INSERT, UPDATE ON users TO manager", "shielded_db")
    server.sql("ALTER TABLE users ENABLE ROW LEVEL SECURITY", "shielded_db")
    seen = databases.look(backend, PASSWORD)
    assert isinstance(seen.accounts, Unreadable)
    assert [] == mended(backend, FAULTS + accounts.FAULTS)


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("psql", "password", "reason"),
    [
        ("/nosuch/psql", BOSS, "PostgreSQL is elsewhere, and there is no psql on this host"),
        ("", "another", "psql was not let in by the URL of AdminUrl"),
    ],
)
def test_why_the_administrator_sees_nothing_is_said(server, undo, psql, password, reason):
    backend = by_url(server, described(server, "halext", "halext_org"), password=password)
    assert backend.database is not None
    assert isinstance(backend.database.admin, AdminUrl)
    admin = AdminUrl(backend.database.admin.url, psql=psql or str(server.bin / "psql"))
    database = dataclasses.replace(backend.database, admin=admin)
    backend = dataclasses.replace(backend, database=database)
    seen = databases.look(backend).postgres
    assert isinstance(seen, Unreadable)
    assert reason in seen.reason


@pytest.mark.embedded
def test_a_server_elsewhere_that_does_not_answer_is_a_persons(server, undo):
    backend = by_url(server, described(server, "halext", "halext_org"), port=free_port())
    seen = databases.look(backend)
    findings = [one for fault in FAULTS for one in fault.found(backend, seen)]
    assert [("postgres.server-down", True)] == [(one.fault, one.by_person) for one in findings]


@pytest.mark.embedded
def test_who_pg_hba_conf_refuses_is_judged_by_the_address_that_the_server_sees(server, undo):
    backend = by_url(server, described(server, "halext", "halext_org"))
    seen = databases.look(backend).postgres
    assert isinstance(seen, State)
    assert ("127.0.0.1", False) == (seen.client, seen.hidden)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql://boss:pw@db/postgres", None),
        ("postgresql://boss:pw@/postgres", "the URL names no host"),
        ("postgresql://db/postgres", "the URL names no user"),
        (
            "postgresql://boss:a%0Ab@db/",
            "a part of the URL has a line break, or a blank at its end",
        ),
        (
            "postgresql://boss:ab%20@db/",
            "a part of the URL has a line break, or a blank at its end",
        ),
        ("mysql://boss:pw@db/", "the driver, before ://, is none of postgresql"),
    ],
)
def test_a_url_that_psql_cannot_be_given_is_refused_before_anything_changes(url, problem):
    database = Postgres(url=Secret.seen("postgresql://u@h/d"), admin=AdminUrl(Secret.seen(url)))
    said = unfit.unresolved(Backend("elsewhere", database=database))
    assert problem is None if said is None else f"AdminUrl: Secret.seen(): {problem}" in said


def test_a_url_that_is_no_secret_is_refused():
    with pytest.raises(ProfileError, match="AdminUrl: url must be a Secret"):
        AdminUrl("postgresql://boss:pw@db/postgres")  # type: ignore[arg-type] # the mistake
