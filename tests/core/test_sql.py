"""SQL text means what it says: psycopg, an independent writer, writes the same."""

import subprocess

import pytest
from psycopg import sql as psycopg_sql

from relogin import sql

TEXTS = (
    *(
        "",
        "plain",
        "it's",
        '"',
        "\\",
        "\\'",
        "'; drop table users; --",
        "a\nb\tc",
        "naïve 測試 \U0001f600",
    ),
    *(":name:", ":'name'", "::text", "$1", "%s", "{}", "E'x'", "\\\\x41", "--", "/*", "`id`"),
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_literal_is_what_psycopg_writes(text):
    assert psycopg_sql.Literal(text).as_string(None) == sql.literal(text)


@pytest.mark.parametrize("name", [text for text in TEXTS if text])
def test_a_name_is_what_psycopg_writes(name):
    assert psycopg_sql.Identifier(name).as_string(None) == sql.name(name)
    qualified = psycopg_sql.Identifier(name, "Table").as_string(None)
    assert qualified == sql.name(name, "Table")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "NULL"), (True, "true"), (False, "false"), (7, "7"), (-1.5, "-1.5")],
)
def test_other_values_are_literals_too(value, expected):
    assert expected == sql.literal(value)


@pytest.mark.parametrize("parts", [("",), ("a", ""), ("a\0b",), ("a", "\0")])
def test_a_name_that_cannot_be_is_refused(parts):
    with pytest.raises(ValueError, match="an SQL name cannot be empty or hold NUL"):
        sql.name(*parts)


def test_a_text_that_cannot_be_stored_is_refused_without_being_said():
    with pytest.raises(ValueError, match=r"^a NUL character cannot be stored") as raised:
        sql.literal("secret\0")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (":one:", "1"),
        (":one::two:", ":one::two:"),
        (":one: :two:", "1 2"),
        ("x::text, :one:::int", "x::text, :one:::int"),
        ("(:one:)::int", "(1)::int"),
        ("'a:b' :'psql' :\"x\" \\if :open", "'a:b' :'psql' :\"x\" \\if :open"),
    ],
)
def test_marks_are_filled_and_what_is_none_is_left(template, expected):
    assert expected == sql.fill(template, one="1", two="2")


def test_a_value_that_looks_like_a_mark_is_not_filled_again():
    assert ":two: :one: \\1 \\g<0>" == sql.fill(
        ":one: :two: :three:", one=":two:", two=":one:", three="\\1 \\g<0>"
    )


def test_a_mark_without_a_value_is_a_mistake():
    with pytest.raises(KeyError, match="nosuch"):
        sql.fill("select :nosuch:", such="1")


@pytest.mark.parametrize("text", TEXTS)
def test_statements_reach_psql_on_its_stdin_as_they_are(text):
    command = sql.psql(text, command="cat; printf '%s|' -- ")
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    said, _, arguments = done.stdout.rpartition(b"--|")
    assert (text.encode(), b"-X|-qAt|-v|ON_ERROR_STOP=1|") == (said, arguments)
