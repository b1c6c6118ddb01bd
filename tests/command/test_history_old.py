"""What the history forgets, and what it keeps however old it is."""

import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest

from relogin.ledger import keep, read, store
from tests.command.documents import document

DAY = 86400.0


def kept(
    run: str, days: float, *, host: str = "one", purpose: str = "restore", **result: Any
) -> None:
    """Keep a run that was some days ago."""
    made = document(run, began=time.time() - days * DAY, purpose=purpose)
    [told] = made["hosts"]
    told["host"] = host
    told["backends"][0] |= {"changes": [], **result}
    told["transcript"] = [{"at": 1.0, "level": "info", "said": "hello"}]
    assert None is keep.keep(made)


def rows(table: str) -> list[str]:
    with closing(sqlite3.connect(store.place())) as connection:
        name = "id" if table == "run" else "run"
        query = f"SELECT DISTINCT {name} FROM {table} ORDER BY {name}"
        return [row[0] for row in connection.execute(query)]


CHANGE = {"fault": "a.b", "subject": "s", "why": "w", "ok": True, "seconds": 0.1, "output": ""}
FINDING = {
    **dict.fromkeys(("subject", "what", "seen", "before", "after"), "x"),
    **{"fault": "a.b", "severity": "critical", "state": "left", "leads": True},
}


@pytest.fixture
def ninety(monkeypatch):
    monkeypatch.setenv("RELOGIN_HISTORY_DAYS", "90")


def test_every_run_is_kept_where_nothing_is_said(own_state):
    kept("1", 2000)
    kept("2", 1000)
    kept("3", 0)
    assert ["1", "2", "3"] == rows("run")


def test_an_old_run_is_forgotten_with_all_that_was_kept_of_it(own_state, ninety):
    for run, days in (("1", 92), ("2", 91), ("3", 89)):
        kept(run, days, findings=[FINDING])
    assert ["1", "2", "3"] == rows("run")
    kept("4", 0)
    assert [["3", "4"]] * 2 == [rows(table) for table in ("run", "result")]
    assert [["3"], ["3", "4"]] == [rows(table) for table in ("finding", "transcript")]


def test_the_last_of_each_host_is_never_forgotten(own_state, ninety):
    for run, days, host in (("1", 400, "gone"), ("2", 300, "gone"), ("3", 200, "one")):
        kept(run, days, host=host)
    kept("4", 0)
    assert ["2", "4"] == rows("run")
    assert ["gone", "one"] == sorted(read.hosts())


def test_what_later_runs_are_compared_with_is_kept(own_state, ninety):
    proven = {"proof": {"proven": True, "seconds": 0.1, "checks": []}, "signing": "mark"}
    lost = {"outcome": "not-proven"}
    kept("1", 500, outcome="findings", declared={"a": "1"}, changes=[CHANGE])
    kept("2", 400, **proven)
    kept("3", 300, outcome="findings", declared={"a": "2"})
    kept("4", 200, **lost)
    before = read.former("one", "mine"), read.successes(), read.history()["last_changes"]
    kept("5", 0, **lost)
    assert ["1", "2", "3", "5"] == rows("run")
    known, *others = before
    now = read.former("one", "mine")
    assert (known.declared, known.signing, known.proven) == (now.declared, now.signing, now.proven)
    assert others == [read.successes(), read.history()["last_changes"]]


def test_a_check_of_the_database_proves_no_login_and_applies_nothing(own_state, ninety):
    kept("1", 200, declared={"a": "1"})
    known, ended = read.former("one", "mine"), read.successes()
    kept("2", 100, purpose="check", outcome="healthy", declared={"a": "2"})
    kept("3", 0, outcome="not-proven")
    assert ["1", "3"] == rows("run")
    assert {"a": "1"} == known.declared == read.former("one", "mine").declared
    assert {("one", "mine")} == ended.keys()
    assert ended == read.successes()


@pytest.mark.parametrize(("days", "left"), [("7", ["3", "4"]), ("0", ["1", "2", "3", "4"])])
def test_how_long_they_are_kept_is_said_in_the_environment(own_state, monkeypatch, days, left):
    monkeypatch.setenv("RELOGIN_HISTORY_DAYS", days)
    with monkeypatch.context() as patch:
        patch.setenv("RELOGIN_HISTORY_DAYS", "0")
        for run, ago in (("1", 100), ("2", 8), ("3", 6)):
            kept(run, ago)
    kept("4", 0)
    assert left == rows("run")


def test_a_number_of_days_that_is_none_removes_nothing_and_is_said(own_state, monkeypatch):
    kept("1", 200)
    kept("2", 150)
    monkeypatch.setenv("RELOGIN_HISTORY_DAYS", "-1")
    said = "RELOGIN_HISTORY_DAYS='-1' is no number of days: nothing was removed from the history"
    assert said == keep.keep(document("3"))
    assert ["1", "2", "3"] == rows("run")
