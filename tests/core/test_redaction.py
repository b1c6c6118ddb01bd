"""What no output holds: values that were revealed, and what looks like a secret."""

import json
import shlex
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from relogin import Secret
from relogin.redaction import redact, redact_foreign, redact_lines
from relogin.secret import make_value
from tests.hostile import VALUES

pytestmark = pytest.mark.usefixtures("forgotten")


@pytest.fixture(params=[0, 500], ids=["of one host", "beside those of many hosts"])
def others(request, forgotten):
    """Values of other hosts; where they are many, a text is searched by how they begin."""
    for number in range(request.param):
        Secret.seen(f"{number:03}-of-another-host")


@pytest.mark.usefixtures("others")
def test_what_was_revealed_is_redacted_everywhere():
    Secret.seen("two lines\nof a longer value")
    assert "a *** b" == redact("a two lines\nof a longer value b")
    assert "of it: *** only" == redact("of it: of a longer value only")
    Secret.seen("abcdefgh")
    Secret.seen("abcdefgh-and-more")
    assert "***" == redact("abcdefgh-and-more")
    assert "***, ***, abcdefg" == redact("abcdefgh, abcdefgh-and-more, abcdefg")
    Secret.seen("four")
    assert ("***", "fou", "") == (redact("four"), redact("fou"), redact(""))


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": lambda value: quote(value, safe=""),
    "in a path": quote,
    "in a form": quote_plus,
    "as Python has it": lambda value: repr(value)[1:-1],
    "as ASCII": lambda value: ascii(value)[1:-1],
    "in JSON": lambda value: json.dumps(value)[1:-1],
    "in JSON of UTF-8": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "in sh": lambda value: shlex.quote(f" {value}")[2:-1],
}


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("what", VALUES.keys() - {"not UTF-8"})
def test_a_value_is_redacted_however_it_is_written(how, what):
    Secret.seen(VALUES[what] + "4567")
    written = WRITTEN[how](VALUES[what] + "4567")
    assert "before *** behind" == redact(f"before {written} behind")


def test_a_value_that_was_made_is_redacted_too():
    value = make_value()
    assert (86, "***") == (len(value), redact(value))
    assert value != make_value()


def test_short_values_do_not_blot_out_ordinary_words():
    Secret.seen("dev")
    assert "deviation" == redact("deviation")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://u:hunter2@h/d", "postgresql://u:***@h/d"),
        ("redis://:hunter2@h", "redis://:***@h"),
        ("Bearer eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln end", "Bearer *** end"),
        ("hash $2b$12$abcdefghijklmnopqrstuv.", "hash ***"),
        ("$argon2id$v=19$m=1,t=1,p=1$c2Fs$aGFzaA", "***"),
        ("pbkdf2_sha256$1000$salt$hash=", "***"),
        ("rolpassword SCRAM-SHA-256$4096:a==$b=:c=", "rolpassword ***"),
        ("input_value='hunter2', input_type=str", "input_value=***"),
        ("see http://h/path and a@b.example", "see http://h/path and a@b.example"),
    ],
)
def test_what_looks_like_a_secret_is_redacted(text, expected):
    assert expected == redact(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=hunter2 rest", "password=*** rest"),
        ('{"access_token": "hunter2"}', '{"access_token": ***'),
        ("SECRET_KEY: hunter2", "SECRET_KEY: ***"),
        ("Api-Key=hunter2", "Api-Key=hunter2"),
        ("apikey = hunter2", "apikey = ***"),
        ("ADMIN_PRIVATE_KEY=hunter2", "ADMIN_PRIVATE_KEY=***"),
        (
            "Missing required secrets: A_KEY (B), C_KEY",
            "Missing required secrets: A_KEY (B), C_KEY",
        ),
        ("secrets: A_KEY", "secrets: A_KEY"),
        ("secrets: hunter2", "secrets: ***"),
        ("secrets: A_KEY=hunter2", "secrets: ***"),
        ("secret: A_KEY", "secret: ***"),
        ("the password is wrong", "the password is wrong"),
        (
            "line 3: unterminated quoted value 'hunter2 x",
            "line 3: unterminated quoted value ***",
        ),
        (
            'failed to read /a/.env: line 2: unexpected character ";" in variable name "A;B=x"',
            'failed to read /a/.env: line 2: unexpected character ";" in variable name ***',
        ),
        (
            'failed to read /a/.env: Invalid template: "${hunter2"',
            "failed to read /a/.env: Invalid template: ***",
        ),
        (
            "failed to read /a/.env: required variable x is missing a value: hunter2",
            "failed to read /a/.env: required variable x is missing a value: ***",
        ),
        (
            "failed to read /a/.env: line 2: key cannot contain a space",
            "failed to read /a/.env: line 2: key cannot contain a space",
        ),
        (
            "SyntaxError: unexpected character after line continuation character",
            "SyntaxError: unexpected character after line continuation character",
        ),
    ],
)
def test_what_others_call_a_secret_is_redacted_too(text, expected):
    assert expected == redact_foreign(text)


def test_a_name_at_the_end_of_a_line_says_nothing_of_the_next_one():
    Secret.seen("two lines\nof a longer value")
    text = "12:00 Enter password:\n12:01 password: hunter2\n12:02 two lines\nof a longer value"
    assert "12:00 Enter password:\n12:01 password: ***\n12:02 ***" == redact_lines(text)
