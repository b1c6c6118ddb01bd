"""Flags of a row, of any type and with any meaning: found in recorded looks, and written."""

import pytest

from relogin import Accounts, Columns
from relogin.facts import postgres
from relogin.operations.accounts import FAULTS
from tests.operations.looks import (
    OPS,
    Edit,
    changes,
    found,
    halext,
    look,
    psql,
    text,
)
from tests.operations.rows import ROW


def with_flags(**flags: tuple[str, str | None, list[str]]) -> list[Edit]:
    """Let flags be columns of these types, with this value in the row of ops and these in all."""
    types = {f"is_{flag}": kind for flag, (kind, _, _) in flags.items()}
    return [
        lambda answers: psql("columns", types=_types(answers) | types)(answers),
        psql(*ROW, **{flag: value for flag, (_, value, _) in flags.items()}),
        psql("accounts", kinds={flag: kinds for flag, (_, _, kinds) in flags.items()}),
    ]


def _types(answers):
    return postgres.rows(answers["postgres"])["columns"]["types"]


FLAGS = Columns(verified="is_verified", locked="is_locked")
FLAGGED = halext(accounts=Accounts(columns=FLAGS, present=[OPS]))
HAVE = text("postgres", '"is_active", ', '"is_active", "is_verified", "is_locked", ')


@pytest.mark.parametrize(
    ("flag", "kind", "value", "kinds", "set_to"),
    [
        ("active", "integer", "0", ["0", "1"], "1"),
        ("active", "smallint", "0", ["0", "1", "2"], None),
        ("active", "text", "N", ["N", "Y"], "'Y'"),
        ("active", "character varying(9)", "banned", ["active", "banned"], "'active'"),
        ("active", "text", "no", ["no", "y", "yes"], None),
        ("active", "timestamp with time zone", None, [], "current_timestamp(0)"),
        ("admin", "integer", "0", ["0"], "1"),
        ("verified", "boolean", "false", [], "true"),
        ("verified", "timestamp without time zone", None, [], "localtimestamp(0)"),
        ("verified", "date", None, [], "current_date"),
        ("locked", "boolean", "true", [], "false"),
        ("locked", "integer", "1", ["0", "1"], "0"),
        ("locked", "text", "locked", ["locked", "open"], None),
        ("locked", "timestamp with time zone", "2026-01-01 00:00:00+00", [], "NULL"),
    ],
)
def test_a_flag_of_any_type_is_written_as_sound_rows_have_it(flag, kind, value, kinds, set_to):
    sound = {"verified": ("boolean", "true", []), "locked": ("boolean", "false", [])}
    edits = with_flags(**(sound | {flag: (kind, value, kinds)}))
    seen = look(HAVE, *edits, backend=FLAGGED)
    (finding,) = found(FAULTS, seen, FLAGGED)
    name = {"active": "inactive", "admin": "admin-lost", "verified": "unverified"}.get(flag, flag)
    assert (f"accounts.{name}", set_to is None) == (finding.fault, finding.by_person)
    made = changes(FAULTS, seen, FLAGGED)
    assert [f"account ops: is_{flag} = {set_to}"] * (set_to is not None) == [c.why for c in made]


@pytest.mark.parametrize(
    ("flag", "kind", "value", "kinds"),
    [
        ("active", "integer", "1", ["0", "1"]),
        ("active", "text", "Y", ["N", "Y"]),
        ("active", "text", "normal", ["normal"]),
        ("active", "timestamp with time zone", "2020-01-01 00:00:00+00", []),
        ("locked", "boolean", None, []),
        ("locked", "timestamp with time zone", None, []),
        ("locked", "text", "open", ["locked", "open"]),
        ("verified", "date", "2020-01-01", []),
    ],
)
def test_a_flag_that_is_sound_in_its_own_way_gives_no_finding(flag, kind, value, kinds):
    sound = {"verified": ("boolean", "true", []), "locked": ("boolean", "false", [])}
    edits = with_flags(**(sound | {flag: (kind, value, kinds)}))
    assert [] == found(FAULTS, look(HAVE, *edits, backend=FLAGGED), FLAGGED)


@pytest.mark.parametrize(("until", "is_locked"), [("2000-01-01", False), ("2999-01-01", True)])
def test_a_lock_until_some_time_is_over_then(until, is_locked):
    columns = Columns(locked="locked_until")
    backend = halext(accounts=Accounts(columns=columns, present=[OPS]))
    edits = (
        text("postgres", '"is_active", ', '"is_active", "locked_until", '),
        psql("columns", types={"is_active": "boolean", "is_admin": "boolean"}),
        text("postgres", '"types": {', '"types": {"locked_until": "timestamp with time zone", '),
        psql(*ROW, locked=f"{until} 00:00:00+00"),
    )
    findings = found(FAULTS, look(*edits, backend=backend), backend)
    assert ["accounts.locked"] * is_locked == [one.fault for one in findings]
