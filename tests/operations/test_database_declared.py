"""What is declared of rows that no rule of the database says, asked of a real server."""

import dataclasses
import re

import pytest

from relogin import Expiring, Health, Query, Relation
from relogin.facts import database_declared, database_sql
from relogin.facts.database_state import DatabaseState
from tests.operations.databases import described
from tests.operations.shops import Shop

pytestmark = pytest.mark.embedded
ROLE = """
DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
"""
NAMES = "SELECT name FROM roles ORDER BY id"


def declared(shop: Shop, **health: object) -> Shop:
    """Give the same database, of which this is declared; the backend's role reads it."""
    shop.sql(ROLE)
    backend = described(shop.server, "reader", shop.name, tables=["users"], health=Health(**health))
    return dataclasses.replace(shop, backend=backend)


def unasked(shop: Shop) -> tuple[str, ...]:
    state = shop.look().database
    assert isinstance(state, DatabaseState)
    return state.unasked


def test_rows_that_point_nowhere_without_a_foreign_key_are_counted_and_shown(shop):
    shop.sql("CREATE TABLE mfa (id int, owner text); INSERT INTO mfa SELECT n, n"
             " FROM generate_series(44, 60) n; INSERT INTO mfa VALUES (1, NULL)")  # fmt: skip
    shop = declared(shop, relations=[Relation("mfa", "owner", "users")])
    [finding] = shop.found()
    assert ("database.points-nowhere", "public.mfa:owner -> users.id") == finding.key
    assert "10 rows: 51, 52, 53, 54, 55, …" == finding.seen
    look = finding.remedy.removeprefix("look at them: ").split(" then restore")[0]
    assert 10 == len(shop.sql(look).splitlines())
    shop.sql("DELETE FROM mfa WHERE owner > '50'")
    assert [] == shop.faults()


def test_a_relation_that_a_foreign_key_says_as_well_is_reported_once(shop):
    shop.sql("SET session_replication_role = replica;\nDELETE FROM users WHERE id = 7")
    shop = declared(shop, relations=[Relation("sessions", "user_id", "public.users", "id")])
    assert ["orphans"] == shop.faults()
    shop.sql("ALTER TABLE sessions DROP CONSTRAINT sessions_user_id_fkey")
    assert ["constraint-missing", "points-nowhere"] == shop.faults()


def test_of_a_large_table_a_sample_is_looked_at_and_that_is_said(shop, monkeypatch):
    for name in ("_RELATIONS", "_EXPIRING"):
        text = getattr(database_declared, name).replace(str(database_sql.LARGE), "100")
        monkeypatch.setattr(database_declared, name, text)
    shop.sql("CREATE TABLE mfa AS SELECT n AS owner, now() - interval '1 year' AS expires_at"
             " FROM generate_series(100, 60099) n")  # fmt: skip
    shop = declared(shop, relations=[Relation("mfa", "owner", "users")], expiring=[Expiring("mfa")])
    over, nowhere = sorted(shop.found(), key=lambda one: one.fault)
    assert "in a sample of " in nowhere.seen
    assert re.match("about [0-9]+ rows whose expires_at .* ago, by a sample of", over.seen)
    assert 2 == len([one for one in unasked(shop) if "a sample, was looked at" in one])


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp", "date", "bigint", "numeric"])
def test_sessions_that_are_over_and_pile_up_are_counted_in_every_kind_of_time(shop, kind):
    moment = "now() - n * interval '1 day'"
    ends = {
        "bigint": f"extract(epoch from {moment}) * 1000",
        "numeric": f"extract(epoch from {moment})",
    }.get(kind, moment)
    shop.sql(f"CREATE TABLE tokens (ends {kind});"
             f"INSERT INTO tokens SELECT {ends} FROM generate_series(-20, 40) n")  # fmt: skip
    shop = declared(shop, expiring=[Expiring("tokens", "ends", at_most=30, days=7)])
    [finding] = shop.found()
    assert ("database.expired-rows", "public.tokens:ends") == finding.key
    assert finding.seen in {
        f"{count} rows whose ends is more than 7 days ago" for count in (33, 34)
    }  # whether a date is today's midnight
    shop.sql("DELETE FROM tokens WHERE ctid > '(0,50)'")
    assert [] == shop.faults()


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (NAMES, ["admin", "reader"]),
        (f"{NAMES};", ["admin", "reader"]),
        ("SELECT id, name, true, NULL, 1.50 FROM roles -- all of them",
         [(1, "admin", True, None, 1.5), (2, "reader", True, None, 1.5)]),
        ("WITH r AS (SELECT 1) SELECT count(*) AS n, 2 AS n FROM r", [(1, 2)]),
        ("SELECT name FROM roles WHERE false", []),
        ("SELECT current_user::text", "reader"),
        ("SELECT 'it''s \\ %s :name'", "it's \\ %s :name"),
        ("SELECT DATE '2026-01-02', 5", [("2026-01-02", "5")]),
    ],
)  # fmt: skip
def test_a_query_that_gives_the_declared_answer_is_no_finding(shop, query, answer):
    assert [] == declared(shop, queries=[Query("it", query, answer)]).faults()


@pytest.mark.parametrize(
    ("query", "answer", "seen"),
    [
        (NAMES, ["admin"], "admin; reader"),
        (NAMES, ["reader", "admin"], "admin; reader"),
        ("SELECT true", 1, "true"),
        ("SELECT 1", True, "1"),
        ("SELECT name FROM roles WHERE false", None, "no row"),
        ("SELECT NULL", "", "NULL"),
        ("SELECT * FROM oauth", 1, "SQLSTATE 42P01, there is no such table"),
        ("SELECT generate_series(1, 9999)", 1, "1; 2; 3; 4; 5; … (51 rows)"),
        ("SELECT rolpassword FROM pg_authid", 1, "SQLSTATE 42501, the backend's role may not"),
    ],
)
def test_another_answer_is_named_with_both(shop, query, answer, seen):
    [finding] = declared(shop, queries=[Query("it", query, answer)]).found()
    assert ("database.answer-differs", "it") == finding.key
    assert seen == finding.seen
    assert query in finding.remedy


REST = "SELECT 1 AS answer FROM (SELECT * FROM (SELECT (SELECT 1"
WRITES = {
    "a writing WITH": "WITH gone AS (DELETE FROM roles RETURNING *) SELECT count(*) FROM gone",
    "a second statement": f"SELECT 1) q) q) x; DELETE FROM roles; {REST}",
    "out of its transaction": f"SELECT 1) q) q) x; COMMIT; {REST}",
    "a sequence": "SELECT nextval('sessions_id_seq')",
    "its way out of read-only": "SELECT set_config('transaction_read_only', 'off', false)",
    "a function": "SELECT spoil()",
    "a function with the rights of its maker": "SELECT spoil_as_maker()",
    "a row lock": "SELECT * FROM roles FOR UPDATE",
    "into a table": "SELECT 1 INTO gone",
}


@pytest.mark.parametrize("way", WRITES)
def test_no_query_writes_whatever_it_says(shop, way):
    shop.sql("CREATE FUNCTION spoil() RETURNS int LANGUAGE sql AS 'DELETE FROM roles; SELECT 1';"
             "CREATE FUNCTION spoil_as_maker() RETURNS int LANGUAGE sql SECURITY DEFINER"
             " AS 'DELETE FROM roles; SELECT 1'; GRANT ALL ON roles TO PUBLIC;"
             "GRANT ALL ON SEQUENCE sessions_id_seq TO PUBLIC")  # fmt: skip
    before = shop.sql("SELECT last_value FROM sessions_id_seq")
    found = declared(shop, queries=[Query("it", WRITES[way], 1)]).found()
    assert ["database.answer-differs"] == [one.fault for one in found]
    states = {"a second statement": "42P11", "out of its transaction": "42P11"}
    assert f"SQLSTATE {states.get(way, '')}" in found[0].seen
    assert "2" == shop.sql("SELECT count(*) FROM roles")
    assert before == shop.sql("SELECT last_value FROM sessions_id_seq")
    assert "" == shop.sql("SELECT to_regclass('gone')")


def test_a_query_that_takes_too_long_is_cut_and_said_and_the_next_is_asked(shop, monkeypatch):
    monkeypatch.setattr(database_declared, "QUERY", 1)
    shop = declared(
        shop, queries=[Query("slow", "SELECT pg_sleep(20)", 1), Query("next", NAMES, 1)]
    )
    assert ["next"] == [one.subject for one in shop.found()]
    assert ("query slow was not answered (SQLSTATE 57014)",) == unasked(shop)


def test_what_is_declared_and_not_there_is_said_and_nothing_is_called_healthy(shop):
    shop = declared(
        shop,
        relations=[Relation("nosuch", "a", "users"), Relation("sessions", "b", "users")],
        expiring=[Expiring("sessions"), Expiring("roles", "name")],
    )
    assert [] == shop.found()
    assert [
        "nosuch.a -> users was not looked at",
        "sessions.b -> users was not looked at",
        "sessions.expires_at was not looked at",
        "roles.name was not looked at",
    ] == [one.partition(":")[0] for one in unasked(shop)]


def test_row_security_hides_from_the_query_what_it_hides_from_the_backend(shop):
    shop.sql("ALTER TABLE roles ENABLE ROW LEVEL SECURITY;"
             "CREATE POLICY one ON roles USING (id = 1)")  # fmt: skip
    assert [] == declared(shop, queries=[Query("it", NAMES, "admin")]).faults()
