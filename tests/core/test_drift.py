"""Drift as pure judgements: who changed what, and what a scheduled run leaves alone."""

import pytest

from relogin import Account, Accounts, Backend, EnvFile, Finding, Secret, Venv
from relogin.drift import Former, Limits, cause, declared, withheld

MODE = Finding("MODE differs", fault="env_file.key-not-declared-value", subject="/srv/.env:MODE")
PASSWORD = Finding("it differs", fault="accounts.password-differs", subject="ops")
NOW = 1_800_000_000.0


def backend(mode: str = "live", *, enforce: bool = False, venv: str = "/srv/env") -> Backend:
    account = Account("ops", password=Secret.seen("canary-of-ops"), enforce_password=enforce)
    return Backend(
        "mine",
        env_file=EnvFile("/srv/.env", keys={"MODE": mode, "OTHER": "1"}),
        venv=Venv(venv),
        accounts=Accounts(present=[account, Account("eve")]),
    )


def former(*moments: float) -> Former:
    return Former(declared=declared(backend()), mended={MODE.key: moments} if moments else {})


def test_fingerprints_of_a_description_hold_no_value() -> None:
    marks = declared(backend())
    assert "env_file.0.keys.MODE" in marks
    assert "accounts.present.ops.password" in marks
    assert not [one for one in marks.values() if "canary" in one or one == "live"]


@pytest.mark.parametrize(
    ("now", "finding", "expected"),
    [
        (backend(), MODE, "corrective"),
        (backend("new"), MODE, "intentional"),
        (backend("new"), PASSWORD, "corrective"),
        (backend(venv="/srv/other"), MODE, "corrective"),
        (backend(venv="/srv/other"), Finding("gone", fault="venv.missing"), "intentional"),
        (backend(enforce=True), PASSWORD, "intentional"),
    ],
)
def test_who_changed_what(now: Backend, finding: Finding, expected: str) -> None:
    assert expected == cause(finding, declared(now), former())


def test_without_a_former_run_all_is_new() -> None:
    assert "new" == cause(MODE, declared(backend()), None)
    assert "new" == cause(MODE, declared(backend()), Former())


def test_a_secret_that_moved_to_another_source_is_no_change(monkeypatch) -> None:
    monkeypatch.setenv("OPS", "canary-of-ops")
    moved = Backend("mine", accounts=Accounts(present=[Account("ops", password=Secret.env("OPS"))]))
    kept = Backend(
        "mine",
        accounts=Accounts(present=[Account("ops", password=Secret.seen("canary-of-ops"))]),
    )
    assert declared(kept) == declared(moved)


@pytest.mark.parametrize(("ago", "held"), [(1799, True), (1801, False), (-3600, True)])
def test_one_finding_is_mended_once_in_its_cooldown(ago: float, held: bool) -> None:
    why = withheld(MODE, backend(), former(NOW - ago), Limits(), now=NOW)
    assert held is bool(why)


def test_what_another_finding_cost_counts_for_the_cap_alone() -> None:
    others = Former(mended={("a.b", ""): (NOW - 10, NOW - 20), ("c.d", ""): (NOW - 90_000,)})
    assert "" == withheld(MODE, backend(), others, Limits(cap=3), now=NOW)
    assert "2 repairs" in withheld(MODE, backend(), others, Limits(cap=2), now=NOW)


def test_a_password_is_corrected_only_where_that_is_declared() -> None:
    assert "only reported" in withheld(PASSWORD, backend(), None, Limits(), now=NOW)
    assert "" == withheld(PASSWORD, backend(enforce=True), None, Limits(), now=NOW)
