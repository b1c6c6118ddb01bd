"""Writers of the history: many at once, killed ones, and a file of an older form."""

import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from relogin.ledger import keep, read, store
from relogin.ledger.steps import STEPS
from tests.command.documents import document


def test_twenty_writers_at_once_lose_nothing(tmp_path):
    code = (
        "import json, sys; from relogin.ledger.keep import keep\n"
        "for one in json.load(sys.stdin): assert keep(one) is None\n"
    )

    def write(number: int) -> int:
        text = json.dumps([document(f"{number}-{count}") for count in range(10)])
        done = subprocess.run([sys.executable, "-c", code], input=text, text=True, check=False)
        return done.returncode

    with ThreadPoolExecutor(10) as pool:
        assert {0} == set(pool.map(write, range(20)))
    with store.reading(store.place()) as connection:
        assert 200 == connection.execute("SELECT count(*) FROM result").fetchone()[0]


def test_a_killed_run_has_what_it_changed_and_what_it_had_begun(tmp_path):
    """Killed in the middle of a change: what was made is there, and what was begun."""
    keep.keep(document("killed", seconds=None))
    keep.begun("killed", "one", "mine", "restart it", position=1)
    rows = store.place()
    with closing(sqlite3.connect(rows)) as connection:
        found = connection.execute("SELECT why, ok FROM change ORDER BY position").fetchall()
    assert [("w", 1), ("restart it", None)] == found
    [shown] = read.history()["results"]
    assert 0 == shown["ended"]


def test_a_writer_that_is_killed_in_its_transaction_breaks_nothing(tmp_path):
    keep.keep(document("first"))
    code = (
        "import sys, time; from relogin.ledger import store\n"
        "with store.writing(store.place()) as it:\n"
        "    it.execute(\"DELETE FROM run\"); print('held', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as held:
        assert held.stdout is not None
        assert "held\n" == held.stdout.readline()
        assert "locked" in str(keep.keep(document("second")))
        held.send_signal(signal.SIGKILL)
    assert None is keep.keep(document("third"))
    assert ["third", "second", "first"] == [one["run"] for one in read.history()["results"]]


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o777])
def test_where_it_cannot_be_kept_at_all_no_folder_is_used_that_others_enter(
    tmp_path, monkeypatch, mode
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store.place().parent.parent.mkdir(parents=True, exist_ok=True)
    store.place().parent.write_text("a file")
    keep.keep(document("first"))
    [kept] = tmp_path.glob("relogin-*/first.json")
    kept.parent.chmod(mode)
    said = keep.keep(document("second"))
    assert (mode == 0o700) is ("until the history can be written" in said)
    store.place().parent.unlink()
    keep.keep(document("third"))
    runs = {one["run"] for one in read.history()["results"]}
    assert ({"first", "second", "third"} if mode == 0o700 else {"third"}) == runs


def test_an_older_form_is_brought_up_with_all_that_it_holds(monkeypatch):
    keep.keep(document("old"))
    later = (*STEPS, "ALTER TABLE run ADD COLUMN mood TEXT;\nUPDATE run SET mood = 'calm'")
    with store.writing(store.place()) as connection:
        store.brought_up(connection, later)
    with closing(sqlite3.connect(store.place())) as connection:
        assert [("old", "calm")] == connection.execute("SELECT id, mood FROM run").fetchall()
        assert (len(later),) == connection.execute("PRAGMA user_version").fetchone()


def test_a_step_that_fails_leaves_the_file_as_it_was():
    keep.keep(document("old"))
    with (
        pytest.raises(store.LedgerError, match="nosuch"),
        store.writing(store.place()) as connection,
    ):
        store.brought_up(connection, (*STEPS, "DELETE FROM run;\nUPDATE nosuch SET a = 1"))
    with closing(sqlite3.connect(store.place())) as connection:
        assert [("old",)] == connection.execute("SELECT id FROM run").fetchall()
        assert (len(STEPS),) == connection.execute("PRAGMA user_version").fetchone()
