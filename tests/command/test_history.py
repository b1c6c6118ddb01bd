"""The history: every run is kept, whatever happens to it or to the file, and tells what was."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from relogin.drift import Former
from relogin.ledger.read import former
from relogin.ledger.steps import STEPS
from relogin.report.files import schema

BIN = Path(sys.executable).parent
CANARY = "canary-4b0f52c1-value"
INVENTORY = """\
from pathlib import Path

from relogin import Backend, EnvFile, Secret

_here = Path(__file__).resolve().parent
hosts = [("@local", {"_sudo": False, "mine": Backend("mine", env_file=EnvFile(
    f"{_here}/app.env", keys={"MODE": "live", "CODE": Secret.env("CODE"), "TOKEN": Secret.kept()},
))})]
"""


class Place:
    """A folder with an inventory whose backend lives on this machine, and a history of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "inventory.py").write_text(INVENTORY)
        (folder / "tmp").mkdir()
        self.break_it()

    @property
    def file(self) -> Path:
        return self.folder / "state/relogin/history.sqlite"

    @property
    def environment(self) -> dict[str, str]:
        own = {"XDG_STATE_HOME": str(self.folder / "state"), "CODE": CANARY, "NO_COLOR": "1"}
        own["TMPDIR"] = str(self.folder / "tmp")
        return {**os.environ, **own}

    def break_it(self, mode: str = "dead") -> None:
        (self.folder / "app.env").write_text(f"MODE={mode}\nCODE={CANARY}x\nTOKEN={'t' * 40}\n")
        (self.folder / "app.env").chmod(0o600)

    def ran(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / words[0], *words[1:]], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120,
        )  # fmt: skip

    def restore(self) -> subprocess.CompletedProcess[str]:
        return self.ran(
            "pyinfra", "inventory.py", "relogin.deploys.restore_access.restore_access", "-y"
        )

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(query).fetchall()

    def marks(self, key: str) -> list[tuple[Any, ...]]:
        query = "SELECT before, after FROM finding WHERE subject LIKE '%:{}' ORDER BY run"
        return self.sql(query.format(key))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_plain_run_is_kept_with_what_it_saw_changed_and_where(place):
    place.restore()
    assert [("restore", "@local", "not-proven", "")] == place.sql(
        "SELECT purpose, host, outcome, halted FROM run JOIN result ON run.id = result.run"
    )
    env = f"{place.folder}/app.env"
    assert [(f"{env}:MODE", "mended", 1), (f"{env}:CODE", "mended", 1)] == place.sql(
        "SELECT subject, state, leads FROM finding ORDER BY position"
    )
    assert [(f"{env}: write CODE, MODE", 1)] == place.sql("SELECT why, ok FROM change")
    [(before, after)] = place.marks("CODE")
    assert re.fullmatch("[0-9a-f]{8}", before)
    assert re.fullmatch("[0-9a-f]{8}", after)
    assert before != after


def test_the_same_value_has_the_same_fingerprint_in_every_run(place):
    place.restore()
    place.break_it("dead again")
    place.restore()
    assert 1 == len(set(place.marks("CODE")))
    assert 2 == len({before for before, _ in place.marks("MODE")})
    assert 1 == len({after for _, after in place.marks("MODE")})


def test_its_files_are_private_and_hold_no_secret(place):
    place.restore()
    files = [path for path in place.file.parent.glob("*") if path.is_file()]
    assert {"history.sqlite", "fingerprint.key"} <= {path.name for path in files}
    assert {0o600} == {path.stat().st_mode & 0o777 for path in files}
    assert 0o700 == place.file.parent.stat().st_mode & 0o777
    assert [] == [path for path in files if CANARY.encode() in path.read_bytes()]


def test_what_keeps_coming_back_and_when_it_last_changed(place):
    place.restore()
    place.break_it()
    place.restore()
    place.restore()
    told = place.ran("relogin", "history", "@local")
    assert (0, "") == (told.returncode, told.stderr)
    text = told.stdout
    changed = text.partition("When it last changed\n")[2].partition("\n\n")[0]
    assert 4 == len(changed.splitlines())
    assert 2 == len(re.findall(r"(?:MODE|CODE) in .*  [0-9a-f]{8} → [0-9a-f]{8}", changed))
    again = text.partition("What keeps coming back\n")[2].partition("\n\n")[0]
    assert 2 == again.count("2 times since ")
    assert 3 == text.partition("Runs, the last one first\n")[2].count("restore")
    assert CANARY not in text


def test_what_a_clock_noted_that_was_years_ahead_is_compared_with_nothing(place):
    place.restore()
    known = former_of(place)
    assert 2 == len(known.mended)
    with closing(sqlite3.connect(place.file)) as connection, connection:
        connection.execute("UPDATE run SET began = began + 3e8")
    assert Former() == former_of(place)


def former_of(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(place.folder / "state"))
        return former("@local", "mine")


def test_the_history_is_json_for_programs(place):
    place.restore()
    told = json.loads(place.ran("relogin", "history", "--json").stdout)
    jsonschema.validate(told, schema("history"))
    assert 1 == told["version"]
    assert ["@local"] == [one["host"] for one in told["results"]]


def test_an_unknown_host_ends_with_64_and_the_nearest_one(place):
    place.restore()
    told = place.ran("relogin", "history", "@locl")
    assert (64, "") == (told.returncode, told.stdout)
    assert "did you mean '@local'?" in told.stderr


def test_where_nothing_was_kept_it_says_so(place):
    told = place.ran("relogin", "history")
    assert (1, "") == (told.returncode, told.stdout)
    assert "no run was kept yet" in told.stderr


def test_a_place_that_cannot_be_looked_into_is_one_line(folder):
    """As another user's is; root may look everywhere, so here it is a name that none can have."""
    for command in (["history"], ["report", "--markdown"]):
        told = folder.run(*command, RELOGIN_STATE="/" + 300 * "a")
        assert (1, 1) == (told.returncode, told.stderr.count("\n")), told.stderr


def mended(place: Place) -> bool:
    return "MODE=live" in (place.folder / "app.env").read_text()


def waiting(place: Place) -> list[Path]:
    return sorted((place.file.parent / "waiting").glob("*.json"))


def test_a_run_beside_a_newer_history_mends_waits_and_is_taken_over(place):
    place.restore()
    with closing(sqlite3.connect(place.file)) as newer:
        newer.execute("PRAGMA user_version = 99")
    place.break_it()
    done = place.restore()
    assert mended(place)
    assert "until the history can be written" in done.stderr
    assert (1, 1) == (len(waiting(place)), len(place.sql("SELECT * FROM run")))
    assert 0o600 == waiting(place)[0].stat().st_mode & 0o777
    assert "was written by a newer relogin" in place.ran("relogin", "history").stderr

    with closing(sqlite3.connect(place.file)) as ours:
        ours.execute(f"PRAGMA user_version = {len(STEPS)}")
    place.restore()
    assert ([], 3) == (waiting(place), len(place.sql("SELECT * FROM run")))
    assert [(2,)] == place.sql("SELECT count(*) FROM finding WHERE subject LIKE '%:MODE'")


def test_a_broken_history_stops_no_repair_and_is_left_as_it_is(place):
    place.file.parent.mkdir(parents=True)
    place.file.write_bytes(b"this is no database\n" * 100)
    place.restore()
    assert mended(place)
    assert 1 == len(waiting(place))
    assert b"this is no database" in place.file.read_bytes()


def test_a_state_folder_that_cannot_be_made_stops_no_repair(place):
    (place.folder / "state").write_text("a file")
    (place.folder / "app.env").write_text(f"MODE=live\nCODE={CANARY}\n")
    done = place.ran("pyinfra", "inventory.py", "relogin.deploys.diagnose.diagnose", "-y")
    assert "until the history can be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert [0o600] == [file.stat().st_mode & 0o777 for file in place.folder.glob("tmp/*/*.json")]


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_stops_no_repair_and_loses_no_run(place, tmp_path, monkeypatch):
    with full_disk(tmp_path / "own"):
        history, filler = tmp_path / "own/history.sqlite", tmp_path / "own/filler"
        monkeypatch.setenv("RELOGIN_STATE", str(history.parent))
        place.restore()
        place.break_it()
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(b"x" * 2_000_000)

        done = place.restore()

        assert mended(place)
        assert "Traceback" not in done.stderr
        assert "until the history can be written" in done.stderr
        filler.unlink()
        place.restore()
        with closing(sqlite3.connect(history)) as connection:
            assert 3 == len(connection.execute("SELECT id FROM run").fetchall())
            assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
        assert [] == [*tmp_path.glob("tmp/*/*.json")]
