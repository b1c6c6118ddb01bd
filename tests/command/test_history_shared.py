"""The history in a PostgreSQL that many machines share."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from relogin import secret
from relogin.errors import UsageError
from relogin.ledger import aside, keep, prune, read, store, whole
from relogin.ledger.postgres import Shared
from relogin.ledger.steps import STEPS
from tests.command import shared
from tests.command.documents import document
from tests.embedded.server import Server

FINDING = {
    **dict.fromkeys(("subject", "what", "seen", "before", "after"), "x"),
    **{"fault": "a.b", "severity": "critical", "state": "mended", "leads": True},
}
CHANGE = {"fault": "a.b", "subject": "s", "why": "w", "ok": True, "seconds": 0.1, "output": ""}
PROOF = {"proven": True, "seconds": 0.5, "checks": []}
DAY = 86400.0
WRITE = (
    "import json, sys; from relogin.ledger.keep import keep\n"
    "for one in json.load(sys.stdin): assert keep(one) is None\n"
)


@pytest.fixture
def url(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database, that RELOGIN_LEDGER names by another variable."""
    made = shared.made_database(server, "ledger")
    monkeypatch.setenv("LEDGER_URL", made)
    monkeypatch.setenv("RELOGIN_LEDGER", "env:LEDGER_URL")
    yield made
    store._chosen.clear()


def kept(run: str, ago: float, *, purpose: str = "restore", **result: Any) -> None:
    made = document(run, began=time.time() - ago, purpose=purpose)
    made["hosts"][0]["backends"][0] |= {"changes": [], **result}
    made["hosts"][0]["transcript"] = [{"at": 1.0, "level": "info", "said": "hello"}]
    assert None is keep.keep(made)


def months() -> None:
    """Keep a history with something of every kind."""
    kept("1", 500 * DAY, outcome="findings", declared={"a": "1"}, changes=[CHANGE])
    kept("2", 400 * DAY, outcome="healthy", proof=PROOF, signing="mark", findings=[FINDING])
    kept("3", 300 * DAY, purpose="drift", findings=[FINDING, {**FINDING, "state": "left"}])
    kept("4", 200 * DAY, outcome="not-proven", changes=[CHANGE, {**CHANGE, "ok": False}])
    keep.keep(document("5", began=time.time() - 5, seconds=None))
    keep.begun("5", "one", "mine", "restart it", position=1)
    keep.begun("5", "one", "mine", "restart it", position=1)
    lost = {
        "host": "two",
        "reached": False,
        "outcome": "unreachable",
        "error": "no",
        "backends": [],
    }
    keep.keep(document("6", hosts=[lost]))


def told() -> list[Any]:
    """Give all that is ever read of a history."""
    documents = [whole.document(run) for run in whole.runs()]
    last = [whole.last_of("one"), whole.last_of("nobody"), read.hosts()]
    since = [read.former("one", "mine"), read.successes(), whole.earlier(document("x"))]
    return [read.history(), read.history("one", 2), documents, *last, *since]


def test_the_same_runs_tell_the_same_in_either(url, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    months()
    elsewhere = told()
    assert isinstance(store.place(), Shared)
    monkeypatch.delenv("RELOGIN_LEDGER")
    store.choose(None)
    months()
    here = told()
    assert 6 == len(here[0]["results"])
    assert here == elsewhere


def test_a_byte_that_postgresql_keeps_in_no_text_loses_no_run(url):
    kept("1", 10, changes=[{**CHANGE, "output": "a\0b\udcff"}])
    [change] = backends()[0]["changes"]
    assert "a\N{REPLACEMENT CHARACTER}b?" == change["output"]


def test_the_same_is_forgotten_in_either(url, monkeypatch):
    left = []
    monkeypatch.setenv("RELOGIN_HISTORY_DAYS", "90")
    for _ in range(2):
        months()
        with store.writing(store.place()) as connection:
            assert None is prune.forget_old(connection, time.time())
        left.append((sorted(whole.runs()), [len(one["findings"]) for one in backends()]))
        monkeypatch.delenv("RELOGIN_LEDGER", raising=False)
        store.choose(None)
    assert left[0] == left[1]
    assert ["1", "2", "5", "6"] == left[0][0]


def backends() -> list[dict[str, Any]]:
    documents = (whole.document(run) for run in sorted(whole.runs()))
    hosts = [host for one in documents if one for host in one["hosts"]]
    return [backend for host in hosts for backend in host["backends"]]


def test_writers_of_many_machines_at_once_lose_nothing(url, tmp_path):
    """Nothing is there before: one of them makes the tables, the others wait for it."""

    def write(number: int) -> int:
        environ = {**os.environ, "XDG_STATE_HOME": str(tmp_path / f"machine{number}")}
        text = json.dumps([document(f"{number}-{count}") for count in range(10)])
        command = [sys.executable, "-c", WRITE]
        return subprocess.run(command, input=text, text=True, check=False, env=environ).returncode

    with ThreadPoolExecutor(8) as pool:
        assert {0} == set(pool.map(write, range(8)))
    assert 80 == len(whole.runs())


def test_an_older_relogin_refuses_and_keeps_its_run_aside(url, server):
    keep.keep(document("old"))
    server.sql(f"UPDATE relogin.form SET steps = {len(STEPS) + 1}", "ledger")
    said = str(keep.keep(document("new")))
    newer = f"its form {len(STEPS) + 1}, ours {len(STEPS)}"
    assert f"the history was written by a newer relogin ({newer})" in said
    with pytest.raises(store.LedgerError, match="newer relogin"):
        read.history()
    assert "1" == server.sql("SELECT count(*) FROM relogin.run", "ledger")
    server.sql(f"UPDATE relogin.form SET steps = {len(STEPS)}", "ledger")
    keep.keep(document("later"))
    assert {"old", "new", "later"} == set(whole.runs())


def test_an_older_form_is_brought_up_with_all_that_it_holds(url, server):
    keep.keep(document("old"))
    later = (*STEPS, "ALTER TABLE run ADD COLUMN mood REAL;\nUPDATE run SET mood = 0.1")
    with store.writing(store.place()) as connection:
        store.brought_up(connection, later)
    assert "old|0.1" == server.sql("SELECT id, mood FROM relogin.run", "ledger")
    with pytest.raises(store.LedgerError, match="newer relogin"):
        read.hosts()


def test_a_step_that_fails_leaves_all_as_it_was(url, server):
    keep.keep(document("old"))
    bad = (*STEPS, "DELETE FROM result;\nUPDATE nosuch SET a = 1")
    with (
        pytest.raises(store.LedgerError, match="nosuch"),
        store.writing(store.place()) as connection,
    ):
        store.brought_up(connection, bad)
    assert "1" == server.sql("SELECT count(*) FROM relogin.result", "ledger")
    assert ["old"] == whole.runs()


def test_while_it_cannot_be_reached_runs_wait_and_are_taken_over(url, server, monkeypatch):
    keep.keep(document("first"))
    server.sql("ALTER ROLE fleet NOLOGIN")
    try:
        said = str(keep.keep(document("second")))
    finally:
        server.sql("ALTER ROLE fleet LOGIN")
    there = store.place()
    assert f"until the history can be written: {there}: " in said
    assert "not permitted to log in" in said
    assert 1 == len(list(aside.waiting(store.beside(there))))
    store.choose(None)  # as another process does
    keep.keep(document("third"))
    assert {"first", "second", "third"} == set(whole.runs())
    assert [] == list(aside.waiting(store.beside(there)))


def test_what_another_machine_marked_under_its_own_key_is_compared_with_nothing(
    url, monkeypatch, tmp_path
):
    kept("1", 10, outcome="proven", declared={"a": "1"}, proof=PROOF, signing="mark")
    ours = read.former("one", "mine")
    assert ({"a": "1"}, "mark", True) == (ours.declared, ours.signing, ours.let_in)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    secret._fingerprint_key.cache_clear()
    theirs = read.former("one", "mine")
    assert ({}, "", True) == (theirs.declared, theirs.signing, theirs.let_in)


def test_the_commands_keep_and_tell_it_without_its_password(url, server, folder):
    """In `ps` of others there is the option alone, and the error of a wrong one names no value."""
    environ = {"LEDGER_URL": url}
    ledger = ("--ledger", "env:LEDGER_URL")
    ran = folder.run("restore", "inventory.py", *ledger, **environ)
    assert 0 == ran.returncode, ran.stderr
    assert not (folder.home / "state/relogin/history.sqlite").exists()
    told = folder.run("history", *ledger, **environ)
    assert "restore" in told.stdout
    page = folder.run("report", RELOGIN_LEDGER="env:LEDGER_URL", **environ)
    assert "ops" in page.stdout
    wrong = {"LEDGER_URL": shared.url(server, "ledger", "wrong-canary-11")}
    lost = folder.run("history", *ledger, **wrong)
    assert (1, "") == (lost.returncode, lost.stdout)
    assert "password authentication failed" in lost.stderr
    assert "wrong-canary-11" not in lost.stderr
    everything = "".join(one.stdout + one.stderr for one in (ran, told, page, lost))
    assert not any(word in everything for word in (shared.PASSWORD, url.split("@")[0]))


@pytest.mark.parametrize("given", ["sqlite:///x", "mysql://a:canary-8@b/c", "env:NOBODY_SET", "x"])
def test_what_is_no_postgresql_is_refused_before_anything_is_touched(folder, given):
    ran = folder.run("restore", "inventory.py", "--ledger", given)
    assert 64 == ran.returncode
    assert 1 == len([line for line in ran.stderr.splitlines() if line.startswith("Error")])
    assert "canary-8" not in ran.stderr
    assert [] == folder.backend.logins
    with pytest.raises(UsageError):
        store.choose(given)
