"""`Environment=` in unit files: read as systemd does, changed without touching anything else."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relogin import unit_text
from relogin.env_text import Unwritable
from tests.core import env_texts, unit_texts
from tests.core.env_texts import KEYS

UNIT = """\
[Unit]
Description=Halext API
Environment=NOT=here

[Service]
User=halext
Environment=DEV_MODE=false LOG_LEVEL=info
  Environment = "ACCESS_CODE=a \\"b\\" 100%%" 'QUOTED=a b'
# Environment=COMMENTED=out
Environment=LONG=1 \\
# a note between
    SECRET_KEY=abc \\
    LAST=2
ExecStart=/bin/true

[Install]
WantedBy=multi-user.target
"""


def service(lines: str) -> str:
    return f"[Service]\n{lines}\n"


def test_every_assignment_of_the_section_service_is_read():
    expected = {
        "DEV_MODE": "false",
        "LOG_LEVEL": "info",
        "ACCESS_CODE": 'a "b" 100%',
        "QUOTED": "a b",
        "LONG": "1",
        "SECRET_KEY": "abc",
        "LAST": "2",
    }
    assert expected == unit_text.values(UNIT)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("Environment=A=1\nEnvironment=A=2", {"A": "2"}),
        ("Environment=A=1\nEnvironment=\nEnvironment=B=2", {"B": "2"}),
        ("Environment=A=b'c d'e", {"A": "bc de"}),
        ("""Environment="A=it's" 'B=say "x"'""", {"A": "it's", "B": 'say "x"'}),
        (r'Environment="A=\x41\u00e9\101\s\t"', {"A": "AéA \t"}),
        ("Environment=A=", {"A": ""}),
        ("Environment=A", {}),
        ("Environment=1A=x B=y", {"B": "y"}),
        ('Environment=A=1 B="open C=3', {"A": "1"}),
        (r"Environment=A=1 B=\z C=3", {"A": "1"}),
        ("Environment=A=p%40w B=1", {"B": "1"}),
        ("Environment=A=p%%40w B=100%", {"A": "p%40w", "B": "100%"}),
        ("Environment=A=%h/x", {"A": "%h/x"}),
        ("Environment='A=%[% /%%'", {"A": "%[% /%"}),
        ("Environment=A=1\\\\\nB=2", {"A": "1\\"}),
        ("Environment=A=1 \\", {"A": "1"}),
        ('Environment=A=b"', {}),
        ("Environment=B=2 A=' \\'", {"B": "2"}),
        ("EnvironmentFile=A=1", {}),
        ("Environment=A=one\u2028two", {"A": "one\u2028two"}),
    ],
)
def test_it_is_read_as_systemd_reads_it(lines, expected):
    assert expected == unit_text.values(service(lines))


VALUES = (
    *("", "plain", "a b", "it's", 'say "x"', "back\\slash\\", "100%", "%h", "$HOME ${A}", "#;"),
    *("two\nlines", "tab\there", "naïve 測試", " blanks ", "x" * 10_000, "A=B", "\\n"),
)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("key", ["DEV_MODE", "ACCESS_CODE", "SECRET_KEY", "NEW"])
def test_a_value_is_set_and_nothing_else_changes(key, value):
    changed = unit_text.with_values(UNIT, {key: value})
    assert {**unit_text.values(UNIT), key: value} == unit_text.values(changed)
    lines = [line for line in UNIT.split("\n") if key not in line]
    assert lines == [line for line in changed.split("\n") if line in lines]


def test_an_assignment_is_changed_where_it_stands():
    changed = unit_text.with_values(UNIT, {"LOG_LEVEL": "a b", "ACCESS_CODE": "c"})
    assert (
        UNIT.replace("LOG_LEVEL=info", '"LOG_LEVEL=a b"').replace(
            r'"ACCESS_CODE=a \"b\" 100%%"', '"ACCESS_CODE=c"'
        )
        == changed
    )


def test_what_goes_on_over_several_lines_is_overruled_behind_them():
    changed = unit_text.with_values(UNIT, {"SECRET_KEY": "new"})
    assert UNIT.replace("LAST=2\n", 'LAST=2\nEnvironment="SECRET_KEY=new"\n') == changed


def test_what_an_empty_setting_took_back_is_set_behind_it():
    text = service("Environment=A=1\nEnvironment=\nUser=x")
    expected = service('Environment=A=1\nEnvironment=\nEnvironment="A=1"\nUser=x')
    assert expected == unit_text.with_values(text, {"A": "1"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", '[Service]\nEnvironment="A=1"\n'),
        ("[Unit]\nAfter=x", '[Unit]\nAfter=x\n[Service]\nEnvironment="A=1"\n'),
        ("[Service]\nEnvironment=B=2 \\\n", '[Service]\nEnvironment=B=2 \nEnvironment="A=1"\\\n'),
        ("[Service]\nUser=x\n", '[Service]\nEnvironment="A=1"\nUser=x\n'),
    ],
)
def test_a_first_value_is_set_in_the_section_service(text, expected):
    assert expected == unit_text.with_values(text, {"A": "1"})


def test_what_is_there_already_stays_to_the_byte():
    assert UNIT == unit_text.with_values(UNIT, unit_text.values(UNIT))


@settings(max_examples=settings().max_examples * 5)
@given(unit_texts.texts, st.sampled_from(KEYS), env_texts.values)
def test_any_value_is_set_in_any_text_or_refused(text, key, value):
    """It holds for what systemd reads: tests/lab/test_hostile.py."""
    before = unit_text.values(text)
    with contextlib.suppress(Unwritable):
        changed = unit_text.with_values(text, {key: value})
        assert {**before, key: value} == unit_text.values(changed)
        assert changed == unit_text.with_values(changed, {key: value})


@pytest.mark.parametrize("value", ["\x00", "\x07", "\x1b[0m", "\r"])
def test_a_value_that_systemd_does_not_take_is_refused_without_showing_it(value):
    with pytest.raises(Unwritable) as raised:
        unit_text.with_values(UNIT, {"NEW": value})
    assert "NEW: systemd takes no value with a control character" == str(raised.value)
