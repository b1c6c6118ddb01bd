"""Values of a database come back by one statement each, if they still are what a run has set."""

import json

import pytest

from relogin import Account, Accounts, Backend, Secret
from relogin.facts.kept import Kept, Stands, parse
from relogin.operations.accounts import FAULTS
from relogin.operations.postgres import FAULTS as OF_POSTGRES
from relogin.undo import back
from tests.embedded.server import Server
from tests.facts.answers import run
from tests.operations import databases
from tests.operations.databases import AWKWARD, described, enters, identifier, literal
from tests.operations.looks import carried_out, changes
from tests.operations.undoing import taken_back

pytestmark = pytest.mark.embedded

PASSWORD = "p@ss:/word 'ü"
IDS = {
    "bigint": "9007199254740993",
    "uuid": "'0b2f2c5e-3f0c-4f6e-9f51-0c1d2e3f4a5b'",
    "text": "E'o''dd\\\\ :to id'",
    "numeric(20,4)": "1.5",
}


def kept(backend: Backend) -> Kept:
    seen = parse(run(back.look(backend)))
    assert isinstance(seen, Kept)
    return seen


def standing(backend: Backend) -> list[tuple[str, Stands]]:
    return [(value.what, stands) for value, stands in kept(backend).standing()]


def mended(backend: Backend, *, faults=FAULTS) -> None:
    seen = databases.look(backend)
    for change in changes(faults, seen, backend):
        answer = carried_out(change)
        assert (0, b"") == (answer.status, answer.text)


def users(server: Server, name: str, kind: str, rows: str, *, password: str = "text") -> Backend:
    """Make a database with a users table whose id has this type."""
    server.sql(f"CREATE DATABASE {identifier(name)}")
    columns = f"id {kind} primary key, username text, email text"
    columns += f", hashed_password {password}, is_active boolean, is_admin boolean"
    server.sql(f"CREATE TABLE users ({columns}); INSERT INTO users VALUES {rows}", name)
    ops = Account("ops", password=Secret.seen("of-ops"))
    declared = Accounts(scheme="bcrypt", present=[ops])
    return described(server, "nobody", name, declared)


def rows(server: Server, name: str) -> list[dict[str, object]]:
    query = "SELECT json_agg(u ORDER BY username) FROM users u"
    found: list[dict[str, object]] = json.loads(server.sql(query, name))
    return found


def changing(server: Server, name: str) -> str:
    """Give the shell line by which somebody else changes the row."""
    psql = f"{server.bin}/psql -qX -h {server.socket} -p {server.port} -d {name}"
    statement = "update users set hashed_password = 'late'"
    return f'echo "{statement}" | as_user {databases.owner().pw_name} {psql}'


@pytest.mark.parametrize("kind", IDS)
def test_a_row_comes_back_whatever_its_id_is(server: Server, kind: str):
    name = f"ids {kind}"
    sick = f"({IDS[kind]}, 'ops', null, E'no\\\\''hash\\n:from', null, false)"
    backend = users(server, name, kind, sick)
    before = rows(server, name)
    mended(backend)
    assert before != rows(server, name)
    what = ["is_active of account ops", "hashed_password of account ops"]
    assert [(each, Stands.AS_LEFT) for each in what] == standing(backend)
    assert [0, 0] == [answer.status for answer in taken_back(backend)]
    assert before == rows(server, name)
    assert [(each, Stands.AS_BEFORE) for each in what] == standing(backend)


def test_a_row_that_was_changed_since_is_left_and_the_rest_comes_back(server: Server):
    backend = users(server, "since", "int", "(1, 'ops', null, 'plain', false, false)")
    mended(backend)
    server.sql("UPDATE users SET hashed_password = 'of somebody else'", "since")
    expected = [
        ("is_active of account ops", Stands.AS_LEFT),
        ("hashed_password of account ops", Stands.OTHERWISE),
    ]
    assert expected == standing(backend)
    assert [0] == [answer.status for answer in taken_back(backend)]
    (row,) = rows(server, "since")
    assert (False, "of somebody else") == (row["is_active"], row["hashed_password"])


def test_a_row_that_is_changed_in_the_last_moment_is_left(server: Server):
    """Even between our look and our statement: it is found by the value that the run has set."""
    backend = users(server, "race", "int", "(1, 'ops', null, 'plain', true, false)")
    mended(backend)
    script = back.taken_back(backend, kept(backend).meant, "000")
    late = changing(server, "race")
    answer = run(f"(\n{script.replace('v=$old; back', f'v=$old; {late}; back')}\n)")
    assert (1, b"it is not what it was before\n") == (answer.status, answer.text)
    assert "late" == rows(server, "race")[0]["hashed_password"]


def test_a_row_that_is_gone_is_not_made_anew(server: Server):
    backend = users(server, "gone", "int", "(1, 'ops', null, 'plain', true, false)")
    mended(backend)
    server.sql("DELETE FROM users", "gone")
    assert [("hashed_password of account ops", Stands.OTHERWISE)] == standing(backend)
    assert [] == taken_back(backend)


def test_a_row_that_was_made_stays(server: Server):
    backend = users(server, "made", "int", "(1, 'alice', null, 'x', true, false)")
    server.sql("CREATE SEQUENCE s START 2", "made")
    server.sql("ALTER TABLE users ALTER id SET DEFAULT nextval('s')", "made")
    mended(backend)
    stays = [("the row of account ops, which it made", Stands.STAYS)]
    assert stays == standing(backend)
    assert [] == taken_back(backend)
    assert ["alice", "ops"] == [row["username"] for row in rows(server, "made")]


def test_a_row_that_somebody_changes_in_that_moment_is_left_alone(server: Server):
    backend = users(server, "moment", "int", "(1, 'ops', null, 'plain', true, false)")
    (change,) = changes(FAULTS, databases.look(backend), backend)
    late = changing(server, "moment")
    put = 'sql_put "$v/former"'
    answer = run(f"(\n{change.script.replace(put, f'{late}; {put}')}\n)")
    assert (["#already"], "late") == (answer.lines, rows(server, "moment")[0]["hashed_password"])


@pytest.mark.parametrize("name", AWKWARD)
def test_a_roles_password_comes_back_unless_it_was_changed_since(server: Server, name: str):
    role = f"r {name}"
    server.sql(f"CREATE ROLE {identifier(role)} LOGIN PASSWORD 'of yesterday'")
    backend = described(server, role, "postgres")
    mended(backend, faults=OF_POSTGRES)
    assert enters(server, role, PASSWORD)
    assert [0] == [answer.status for answer in taken_back(backend)]
    assert enters(server, role, "of yesterday")
    mended(backend, faults=OF_POSTGRES)
    server.sql(f"ALTER ROLE {identifier(role)} PASSWORD 'of somebody else'")
    assert [] == taken_back(backend)
    assert enters(server, role, "of somebody else")


def test_a_role_without_a_password_has_none_again(server: Server):
    server.sql("CREATE ROLE without LOGIN")
    backend = described(server, "without", "postgres")
    mended(backend, faults=OF_POSTGRES)
    assert enters(server, "without", PASSWORD)
    assert [0] == [answer.status for answer in taken_back(backend)]
    assert "t" == server.sql("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'without'")


@pytest.mark.parametrize("name", AWKWARD)
def test_privileges_are_taken_back_as_far_as_they_were_granted(server: Server, name: str):
    role, table = f"p {name}", f"{identifier(name)}.{identifier(name)}"
    server.sql(f"CREATE ROLE {identifier(role)} LOGIN PASSWORD {literal(PASSWORD)}")
    server.sql(f"CREATE SCHEMA {identifier(name)}; CREATE TABLE {table} (id serial)")
    server.sql(f"GRANT USAGE ON SCHEMA {identifier(name)} TO {identifier(role)}")
    server.sql(f"GRANT SELECT ON {table} TO {identifier(role)}")
    backend = described(server, role, "postgres", schema=name, tables=[name])
    held = f"""SELECT string_agg(p, ' ') FROM unnest('{{SELECT,INSERT,UPDATE}}'::text[]) p
      WHERE has_table_privilege({literal(role)}, {literal(table)}, p)"""
    mended(backend, faults=OF_POSTGRES)
    assert "SELECT INSERT UPDATE" == server.sql(held)
    assert {0} == {answer.status for answer in taken_back(backend)}
    assert "SELECT" == server.sql(held)
    usage = f"has_schema_privilege({literal(role)}, {literal(name)}, 'USAGE')"
    assert "t" == server.sql(f"SELECT {usage}")


def test_nothing_of_it_is_in_the_servers_log(server: Server):
    backend = users(server, "logged", "int", "(1, 'ops', null, 'canary-of-before', true, false)")
    server.sql("SELECT 'marker'")
    mended(backend)
    stored = str(rows(server, "logged")[0]["hashed_password"])
    assert [0] == [answer.status for answer in taken_back(backend)]
    assert "plain" == server.sql("SELECT 'plain'")
    said = server.log.read_text().partition("SELECT 'marker'")[2]
    assert "SELECT 'plain'" in said
    for text in (stored, "canary-of-before"):
        assert [] == [form for form in (text, text.encode().hex()) if form in said]
