"""Each fault of the database made on a real server: what is found, mended, and taken back."""

import contextlib
import dataclasses
import os
import re
import subprocess
import time
from collections.abc import Iterator

import pytest

from relogin import Login
from relogin.facts.login_answer import LoginAnswer
from relogin.facts.proof import Check, Proof
from relogin.facts.service_state import ServiceState
from relogin.operations.postgres import FAULTS
from tests.embedded.programs import as_owner
from tests.operations import databases
from tests.operations.databases import literal
from tests.operations.looks import found
from tests.operations.places import APP, DATABASE, DB, LOGIN, PASSWORD, ROLE, STATE, Place, by_hand
from tests.operations.undoing import taken_back

pytestmark = pytest.mark.embedded


def test_a_sound_database_gives_no_finding(place):
    assert place.works()
    assert [] == place.found()


@pytest.mark.parametrize(
    ("inject", "fault"),
    [
        (f"ALTER ROLE {APP} VALID UNTIL '2020-01-01'", "role-expired"),
        (f"ALTER ROLE {APP} CONNECTION LIMIT 0", "role-connection-limit"),
        (f"ALTER DATABASE {DB} CONNECTION LIMIT 0", "database-connection-limit"),
        (f"ALTER DATABASE {DB} ALLOW_CONNECTIONS false", "database-closed"),
        (f"ALTER ROLE {APP} SET search_path = nothere", "search-path-wrong"),
        (f"ALTER ROLE {APP} IN DATABASE {DB} SET search_path = 'public,x'", "search-path-wrong"),
        (f"ALTER DATABASE {DB} SET search_path = '', \"It's\"", "search-path-wrong"),
        ("ALTER ROLE ALL SET search_path = nothere", "search-path-wrong"),
        (f"ALTER ROLE {APP} SET statement_timeout = '1us'", None),
        (f"ALTER DATABASE {DB} SET lock_timeout = '5ms'", "timeout-too-short"),
    ],
)
def test_a_setting_is_mended_where_it_was_set_and_can_be_taken_back(place, undo, inject, fault):
    before = place.server.sql(STATE)
    place.server.sql(inject)
    broken = place.server.sql(STATE)
    assert [fault] * (fault is not None) == place.mended()
    assert place.works()
    assert [] == place.found()
    if fault not in (None, "role-expired"):  # its "for ever" is another word for "never set"
        assert before == place.server.sql(STATE)
    assert [0] * (fault is not None) == [one.status for one in taken_back(place.backend)]
    assert broken == place.server.sql(STATE)


@pytest.mark.parametrize(
    ("inject", "faults", "statement"),
    [
        (f"REVOKE CONNECT ON DATABASE {DB} FROM PUBLIC", ["connect-revoked"], LOGIN),
        ("REVOKE USAGE ON SCHEMA public FROM PUBLIC", ["schema-usage-missing"], LOGIN),
        (f"REVOKE SELECT ON users FROM {APP}", ["table-privileges-missing"], LOGIN),
        (
            f"REVOKE ALL ON users, users_id_seq FROM {APP}",
            ["table-privileges-missing", "sequence-privileges-missing"],
            LOGIN,
        ),
        (
            f"REVOKE ALL ON users_id_seq FROM {APP}",
            ["sequence-privileges-missing"],
            "INSERT INTO users (username) VALUES ('new') RETURNING id",
        ),
        (
            "INSERT INTO users (id, username) VALUES (3, 'restored'), (70, 'too')",
            ["sequence-behind"],
            "INSERT INTO users (username) VALUES ('new') RETURNING id",
        ),
    ],
)
def test_what_the_role_cannot_do_it_can_again_until_that_is_taken_back(
    place, inject, faults, statement
):
    place.sql(inject)
    assert not place.works(statement)
    assert faults == place.mended()
    assert place.works(statement)
    assert [] == place.found()
    if faults != ["sequence-behind"]:  # who has been given an id since keeps it
        assert {0} == {answer.status for answer in taken_back(place.backend)}
        assert faults == [one.fault.partition(".")[2] for one in place.found()]


@pytest.mark.parametrize(
    ("status", "made", "wanted"),
    [
        (500, "CREATE TABLE attempts (name text)", "table attempts"),
        (500, 'CREATE VIEW "Latest" AS SELECT 1 AS name', "view Latest"),
        (401, "CREATE TABLE attempts (name text)", ""),
    ],
)
def test_what_else_the_login_is_refused_is_read_in_the_backends_log(place, status, made, wanted):
    place.sql(made)
    name = wanted.rpartition(" ")[2] or "attempts"
    said = place.refusal(f'SELECT count(*) FROM "{name}"')
    service = ServiceState("web", exists=True, active=True, state="active", log=(said,))
    proof = Proof("ops", "http://h/", (Check("login", False, ""),), status, LoginAnswer(status))
    seen = databases.look(place.backend, PASSWORD)
    seen = dataclasses.replace(seen, login=proof, service=service)
    login = Login("http://127.0.0.1/token", account="ops", protected="http://127.0.0.1/me")
    backend = dataclasses.replace(place.backend, login=login)

    told = [one for one in found(FAULTS, seen, backend) if one.layer == "postgres"]

    assert [wanted] * bool(wanted) == [one.what.partition("may not use ")[2] for one in told]
    assert not place.works(f'SELECT count(*) FROM "{name}"')
    for finding in told:
        assert finding.by_person
        place.sql(f"GRANT {finding.remedy.partition('GRANT ')[2]}")
        assert place.works(f'SELECT count(*) FROM "{name}"')


def test_a_sequence_is_set_forward_and_never_back(place, undo):
    place.sql("INSERT INTO users (id, username) VALUES (70, 'restored')")
    assert ["sequence-behind"] == place.mended()
    assert "70|t" == place.sql("SELECT last_value, is_called FROM users_id_seq")
    assert [0] == [answer.status for answer in taken_back(place.backend)]
    assert "2|t" == place.sql("SELECT last_value, is_called FROM users_id_seq")
    place.sql("SELECT setval('users_id_seq', 400) \\g /dev/null")
    assert [] == place.found()


@pytest.mark.parametrize(
    "inject",
    [
        "ALTER SEQUENCE users_id_seq RESTART WITH 500",
        "DELETE FROM users; SELECT setval('users_id_seq', 1, false)",
        "ALTER TABLE users ALTER id DROP DEFAULT; DROP SEQUENCE users_id_seq",
    ],
)
def test_a_sequence_that_is_ahead_or_not_there_is_not_behind(place, inject):
    place.sql(inject)
    assert [] == place.found()


def test_rows_that_row_security_hides_are_missed(place):
    place.sql("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    assert not place.works()
    finding = by_hand(place, "row-security-hides-rows")
    assert "it sees 0 of 1 declared accounts that are in the table, and no other" in finding.seen
    place.sql("DELETE FROM users WHERE username = 'ops'")
    by_hand(place, "row-security-hides-rows")
    place.sql("INSERT INTO users (username) VALUES ('ops')")
    place.sql("CREATE POLICY everybody ON users USING (true)")
    assert place.works()
    assert [] == place.found()


def test_an_owner_is_not_kept_from_his_rows(place):
    place.sql(f"ALTER TABLE users OWNER TO {APP}; ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    assert place.works()
    assert [] == place.found()
    place.sql("ALTER TABLE users FORCE ROW LEVEL SECURITY")
    assert not place.works()
    by_hand(place, "row-security-hides-rows")


def test_a_changed_collation_is_said_with_the_commands_that_mend_it(place):
    place.sql('ALTER TABLE users ALTER username TYPE text COLLATE "C.utf8"')
    place.sql("UPDATE pg_collation SET collversion = '2.28' WHERE collname = 'C.utf8'")
    finding = by_hand(place, "collation-changed")
    assert "public.users_username_key: built under another version" in finding.seen
    reindex, refresh = finding.remedy.index("REINDEX INDEX"), finding.remedy.index("REFRESH")
    assert reindex < refresh


def test_an_index_that_is_not_valid_is_said(place):
    place.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_pkey'::regclass")
    finding = by_hand(place, "index-invalid")
    assert "public.users_pkey" == finding.subject


def test_an_index_that_misses_a_row_is_said(place):
    """While it is not ready, nothing is written into it (PostgreSQL docs, pg_index)."""
    ready = "UPDATE pg_index SET indisready = {} WHERE indexrelid = 'users_username_key'::regclass"
    place.sql("DELETE FROM users WHERE username = 'ops'")
    place.sql(ready.format("false"))
    place.sql("INSERT INTO users (username) VALUES ('ops')")
    place.sql(ready.format("true"))
    finding = by_hand(place, "index-invalid")
    assert "it finds 0 of 1 declared accounts" == finding.seen


@contextlib.contextmanager
def session(place: Place, statements: str, user: str = "") -> Iterator[None]:
    """Hold a session of its own open, which has run these statements."""
    psql = [place.server.bin / "psql", "-XqAt", "-p", str(place.server.port), "-d", DATABASE]
    whose = ["-h", "127.0.0.1", "-U", user] if user else ["-h", str(place.server.socket)]
    held = subprocess.Popen(
        [*psql, *whose],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        env={"PATH": os.defpath, "PGPASSWORD": PASSWORD, "PGAPPNAME": "holder"},
        **as_owner(),
    )
    assert held.stdin is not None
    assert held.stdout is not None
    held.stdin.write(f"{statements};\nSELECT 'there';\n".encode())
    held.stdin.flush()
    assert b"there\n" == held.stdout.readline()
    try:
        yield
    finally:
        held.communicate()


def test_a_lock_that_keeps_everybody_out_is_said_with_its_holder(place):
    with session(place, "BEGIN; LOCK TABLE users"):
        time.sleep(3.2)  # a shorter one is a migration's own
        finding = by_hand(place, "users-table-locked")
    held = r"\(holder\), idle in transaction, in a transaction since (\d+) s"
    assert int(re.search(held, finding.seen)[1]) >= 3, finding.seen
    assert f"SELECT pg_terminate_backend({finding.subject});" in finding.remedy


ALTERED = "ALTER TABLE users ADD x int"


def test_who_waits_for_a_lock_is_not_blamed_but_who_makes_him_wait(place):
    with session(place, "BEGIN; SELECT count(*) FROM users \\g /dev/null"):
        psql = [place.server.bin / "psql", "-Xq", "-h", str(place.server.socket)]
        altering = subprocess.Popen(
            [*psql, "-p", str(place.server.port), "-d", DATABASE, "-c", ALTERED],
            cwd="/",
            stderr=subprocess.DEVNULL,
            **as_owner(),
        )
        time.sleep(3.5)
        finding = by_hand(place, "users-table-locked")
        place.server.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted")
        altering.wait(10)
    assert "(holder)" in finding.seen


def test_a_limit_that_is_reached_is_said_with_who_holds_the_connections(place):
    place.server.sql(f"ALTER ROLE {APP} CONNECTION LIMIT 1")
    with session(place, "SELECT 1 \\g /dev/null", ROLE):
        assert not place.works()
        finding = by_hand(place, "role-connection-limit")
    assert f"1 of {ROLE} (holder)" in finding.seen
    assert [] == place.found()


@pytest.mark.parametrize("level", [f"ROLE {APP}", f"DATABASE {DB}", "SYSTEM"])
def test_read_only_sessions_are_said_with_the_command_for_that_level(place, level):
    place.server.sql(f"ALTER {level} SET default_transaction_read_only = on")
    place.server.sql("SELECT pg_reload_conf()")
    time.sleep(0.3)
    assert not place.works("UPDATE users SET email = 'x' RETURNING id")
    finding = by_hand(place, "read-only")
    assert f"ALTER {level} RESET default_transaction_read_only" in finding.remedy
    again = "SET default_transaction_read_only = off; "
    place.server.sql(f"{again}ALTER {level} RESET default_transaction_read_only")
    place.server.sql("SELECT pg_reload_conf()")
    time.sleep(0.3)
    assert [] == place.found()


def test_another_port_than_the_servers_is_said(place):
    url = dataclasses.replace(place.backend.env_file[0].keys["DATABASE_URL"], port=1)
    env = dataclasses.replace(place.backend.env_file[0], keys={"DATABASE_URL": url})
    finding = by_hand(
        dataclasses.replace(place, backend=dataclasses.replace(place.backend, env_file=env)),
        "wrong-address",
    )
    assert "127.0.0.1:1" == finding.subject


def test_an_address_that_the_server_does_not_listen_on_is_said(place):
    url = dataclasses.replace(place.backend.env_file[0].keys["DATABASE_URL"], host="::1")
    env = dataclasses.replace(place.backend.env_file[0], keys={"DATABASE_URL": url})
    by_hand(
        dataclasses.replace(place, backend=dataclasses.replace(place.backend, env_file=env)),
        "wrong-address",
    )


def test_a_database_that_a_broken_drop_left_is_a_persons(place):
    invalid = "UPDATE pg_database SET datconnlimit = {} WHERE datname = {}"
    place.server.sql(invalid.format(-2, literal(DATABASE)))
    assert not place.works()
    finding = by_hand(place, "database-closed")
    assert f"database {DATABASE} is invalid" == finding.what
    place.server.sql(invalid.format(-1, literal(DATABASE)))
