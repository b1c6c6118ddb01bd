"""The report of a kept run, and of one that has just ended: which one, where to, and refusals."""

import subprocess
import sys
from pathlib import Path

import pytest

from relogin.ledger import whole
from tests.command.folder import BIN, LOCAL, PASSWORD, TOKEN, Folder
from tests.command.test_run import NOWHERE

CANARIES = (PASSWORD, TOKEN)


def restored(folder: Folder) -> str:
    """Break it, restore it, and give the run's name."""
    folder.env.write_text("MODE=dead\n")
    assert 0 == folder.run("restore", "inventory.py").returncode
    return whole.runs()[0]


def test_without_an_option_the_write_up_of_the_last_run_is_on_stdout(folder: Folder) -> None:
    run = restored(folder)
    done = folder.run("report")
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("# ✅ People can log in again")
    words = (run, "What was wrong first", "write MODE", "Proof", "Transcript of `@local`")
    assert [] == [word for word in words if word not in done.stdout]
    assert [] == [one for one in CANARIES if one in done.stdout]


def test_a_run_is_chosen_by_its_name_and_a_host_by_its_own(folder: Folder) -> None:
    first = restored(folder)
    folder.hosts(LOCAL, ("web2", NOWHERE))
    folder.run("diagnose", "inventory.py")
    assert first in folder.run("report", first).stdout
    of_all, of_one = folder.run("report").stdout, folder.run("report", "web2").stdout
    assert "## `@local · mine`" in of_all
    assert "1 of 2 backends need somebody" in of_all
    assert "## `web2`" in of_one
    assert "@local" not in of_one


def test_each_form_is_written_where_it_is_asked_for(folder: Folder) -> None:
    restored(folder)
    done = folder.run("report", "@local", "--html", "it.html", "--markdown", "it.md")
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    html, markdown = folder.home / "it.html", folder.home / "it.md"
    assert html.read_text().startswith("<!doctype html>")
    assert markdown.read_text() == folder.run("report", "--markdown").stdout
    assert {0o600} == {one.stat().st_mode & 0o777 for one in (html, markdown)}


@pytest.mark.parametrize("command", ["diagnose", "restore", "drift"])
def test_every_command_writes_the_page_of_its_own_run(folder: Folder, command: str) -> None:
    restored(folder)
    done = folder.run(command, "inventory.py", "--html", "it.html")
    assert 0 == done.returncode, done.stderr
    text = (folder.home / "it.html").read_text()
    last, before = whole.runs()
    assert [True, True] == [run in text for run in (last, before)]
    assert "People can log in" in text
    assert [] == [one for one in CANARIES if one in text]


def test_the_history_is_written_as_a_page(folder: Folder) -> None:
    runs = [restored(folder), restored(folder)]
    folder.hosts(LOCAL, ("web2", NOWHERE))
    folder.run("diagnose", "inventory.py")
    done = folder.run("history", "--html", "it.html")
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    text = (folder.home / "it.html").read_text()
    words = "History of 2 hosts", "What keeps coming back", "mended 2 times", "write MODE", *runs
    assert [] == [one for one in words if one not in text]
    assert text.index("web2") < text.index("@local · mine")
    assert 0o600 == (folder.home / "it.html").stat().st_mode & 0o777
    assert [] == [one for one in CANARIES if one in text]
    folder.run("history", "@local", "--html", "it.html")
    assert "web2" not in (folder.home / "it.html").read_text()


def test_the_page_of_a_run_whose_history_cannot_be_read_says_so(folder: Folder) -> None:
    (folder.home / "state/relogin").mkdir(parents=True)
    (folder.home / "state/relogin/history.sqlite").write_bytes(b"no database\n" * 100)
    folder.run("diagnose", "inventory.py", "--html", "it.html")
    assert "Nothing is said of earlier runs:" in (folder.home / "it.html").read_text()


def test_what_the_history_does_not_know_is_refused_in_a_line(folder: Folder) -> None:
    done = folder.run("report")
    assert (1, "") == (done.returncode, done.stdout)
    assert "no run was kept yet" in done.stderr
    restored(folder)
    done = folder.run("report", "@locl", "--html", "it.html")
    assert (64, "") == (done.returncode, done.stdout)
    assert "no run of '@locl' was kept; did you mean '@local'?" in done.stderr
    assert not (folder.home / "it.html").exists()


def test_a_host_that_stands_where_a_file_belongs_is_not_overwritten_but_explained(folder) -> None:
    restored(folder)
    done = folder.run("report", "--markdown", "@local")
    assert 64 == done.returncode
    assert "say relogin report @local --markdown" in done.stderr
    assert not (folder.home / "@local").exists()


@pytest.mark.parametrize("words", [("report",), ("history",), ("restore", "inventory.py")])
def test_a_page_that_cannot_be_written_is_refused_before_anything_is_touched(folder, words) -> None:
    restored(folder)
    folder.env.write_text("MODE=dead\n")
    done = folder.run(*words, "--html", "nowhere/it.html")
    assert 64 == done.returncode
    assert "there is no folder" in done.stderr
    assert "MODE=dead\n" == folder.env.read_text()


def test_a_run_without_a_page_does_not_load_what_makes_one(folder: Folder) -> None:
    for words, loaded in ((("--json",), False), (("--html", "it.html"), True)):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", BIN / "relogin", "diagnose", "inventory.py",
             *words],
            cwd=folder.home, env=folder.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert loaded is bool(names & {"relogin.report.page", "relogin.report.view"})


def test_a_deploy_of_plain_pyinfra_has_a_transcript_as_well(folder: Folder) -> None:
    folder.env.write_text("MODE=dead\n")
    deploy = "relogin.deploys.restore_access.restore_access"
    subprocess.run(
        [BIN / "pyinfra", "inventory.py", deploy, "-y"], cwd=folder.home, env=folder.environment,
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    text = folder.run("report").stdout.partition("Transcript of")[2]
    assert "write MODE" in text
    assert [] == [one for one in CANARIES if one in text]


def test_what_was_there_is_whole_while_a_new_one_is_written(folder: Folder) -> None:
    restored(folder)
    folder.run("report", "--html", "it.html")
    before = Path(folder.home / "it.html").stat().st_ino
    folder.run("report", "--html", "it.html")
    assert before != Path(folder.home / "it.html").stat().st_ino
    assert [] == list(folder.home.glob(".it.html*"))
