"""What a change overwrites is kept before, and comes back if nobody has changed it since."""

import os
import shutil
from pathlib import Path

import pytest

from relogin import shell
from relogin.facts.kept import Stands
from relogin.undo import back, run_id
from tests.core.undoing import BACKEND, changed, killed, looked, place, standing, taken_back
from tests.facts.answers import SHELLS, run

ODD = ("it's", 'two  "words"', "line\nline", "end\n", "-n", "$HOME `id` \\ %s", "naïve 測試")
pytestmark = pytest.mark.usefixtures("state_home")


@pytest.fixture
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "the state's"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a file"
    path.write_bytes(b"former\0\n")
    path.chmod(0o640)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


def written(path: Path, text: str = "new") -> str:
    """Overwrite a file in the way that a change of ours does."""
    quoted = shell.quote(str(path))
    return f"""\
new=$(mktemp {quoted}.XXXXXX); {shell.fed(text, 'cat >"$new"')}
keep {quoted}; becomes "$new"
chmod --reference={quoted} "$new"; mv "$new" {quoted}
"""


@pytest.mark.parametrize("sh", SHELLS)
def test_a_file_comes_back_with_its_bytes_its_mode_and_its_time(file, sh):
    before = file.stat()
    assert 0 == changed(written(file), sh).status
    assert b"new" == file.read_bytes()
    assert [Stands.AS_LEFT] == standing(sh)
    assert [0] == taken_back(sh)
    after = file.stat()
    assert b"former\0\n" == file.read_bytes()
    assert (before.st_mode, before.st_uid, before.st_gid, before.st_mtime_ns) == (
        after.st_mode,
        after.st_uid,
        after.st_gid,
        after.st_mtime_ns,
    )
    assert ["a file", "the state's"] == sorted(path.name for path in file.parent.iterdir())
    assert [Stands.AS_BEFORE] == standing(sh)
    assert [] == taken_back(sh)


@pytest.mark.parametrize("sh", SHELLS)
@pytest.mark.parametrize("name", ODD)
def test_a_path_may_be_any_text(tmp_path, name, sh):
    (tmp_path / "-x").mkdir()
    path = tmp_path / "-x" / name
    path.write_text("former")
    assert 0 == changed(written(path), sh).status
    assert ["new", [0], "former"] == [path.read_text(), taken_back(sh), path.read_text()]


def test_a_person_who_took_rights_away_since_does_not_lose_that(file):
    changed(written(file))
    file.chmod(0o600)
    assert [0] == taken_back()
    assert (b"former\0\n", 0o600) == (file.read_bytes(), file.stat().st_mode & 0o777)


@pytest.mark.parametrize("sh", SHELLS)
def test_a_file_that_was_not_there_is_gone_again_and_can_be_had_back(tmp_path, sh):
    path, folder = tmp_path / "folder/made", tmp_path / "folder"
    quoted = shell.quote(str(folder))
    script = f"keep {quoted}; mkdir -m 750 {quoted}; keep {quoted}/made; echo 1 >{quoted}/made"
    assert 0 == changed(script, sh).status
    path.chmod(0o604)
    assert [0, 0] == taken_back(sh)
    assert not folder.exists()
    assert [0, 0] == taken_back(sh, run_id("undo"))
    assert ("1\n", 0o604, 0o750) == (
        path.read_text(),
        path.stat().st_mode & 0o777,
        folder.stat().st_mode & 0o777,
    )


@pytest.mark.parametrize("sh", SHELLS)
@pytest.mark.parametrize("target", ["/nosuch", "folder", "a file"])
def test_a_link_comes_back_wherever_it_leads(tmp_path, file, target, sh):
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to(target)
    quoted = shell.quote(str(link))
    assert 0 == changed(f"keep {quoted}; rm {quoted}; echo text >{quoted}", sh).status
    assert [0] == taken_back(sh)
    assert (Path(target), b"former\0\n") == (link.readlink(), file.read_bytes())
    assert [0] == taken_back(sh, run_id("undo"))
    assert ("text\n", False) == (link.read_text(), link.is_symlink())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_mode_and_owner_are_values_of_their_own(file):
    quoted = shell.quote(str(file))
    changed(f"keep owner {quoted} who; chown 65534:12345 {quoted}")
    changed(f"keep mode {quoted} rights; chmod 600 {quoted}")
    file.write_text("of somebody else")
    assert [0, 0] == taken_back()
    assert (0o640, 0, 0) == (
        file.stat().st_mode & 0o777,
        file.stat().st_uid,
        file.stat().st_gid,
    )
    assert "of somebody else" == file.read_text()


def test_what_one_run_has_changed_twice_comes_back_in_two_steps(file):
    changed(written(file, "once"))
    changed(written(file, "twice"))
    assert [Stands.AS_LEFT, Stands.AS_LEFT] == standing()
    assert [0, 0] == taken_back()
    assert b"former\0\n" == file.read_bytes()


def test_what_somebody_has_changed_since_is_left_and_the_rest_comes_back(file, tmp_path):
    other = tmp_path / "other"
    other.write_text("former")
    changed(written(file) + written(other))
    file.write_text("of somebody else")
    assert [Stands.OTHERWISE, Stands.AS_LEFT] == standing()
    assert [0] == taken_back()
    assert ("of somebody else", "former") == (file.read_text(), other.read_text())
    assert [Stands.OTHERWISE, Stands.AS_BEFORE] == standing()


def test_what_somebody_changes_in_the_last_moment_is_left(file):
    changed(written(file))
    script = back.taken_back(BACKEND, looked().meant, "000")
    file.write_text("of somebody else")
    answer = run(f"(\n{script}\n)")
    assert (9, "of somebody else") == (answer.status, file.read_text())
    assert b"changed by somebody else" in answer.text


def test_what_came_back_and_was_changed_again_is_no_business_of_that_run(file):
    changed(written(file))
    taken_back()
    file.write_text("of somebody else")
    assert [Stands.AS_BEFORE] == standing()


def test_a_change_that_failed_before_it_changed_anything_is_nothing_to_bring_back(file):
    quoted = shell.quote(str(file))
    assert 7 == changed(f"keep {quoted}; exit 7").status
    file.write_text("of somebody else")
    assert [Stands.AS_BEFORE] == standing()


@pytest.mark.parametrize("sh", SHELLS)
def test_a_run_that_was_killed_before_it_changed_the_value_has_changed_nothing(file, sh):
    quoted = shell.quote(str(file))
    killed(f"keep {quoted}; kill -9 $$", sh)
    assert ([Stands.AS_BEFORE], []) == (standing(sh), taken_back(sh))
    killed(f"save() {{ kill -9 $$; }}; keep {quoted}", sh)
    assert [Stands.AS_BEFORE] == standing(sh)
    assert b"former\0\n" == file.read_bytes()


@pytest.mark.parametrize("sh", SHELLS)
def test_a_run_that_was_killed_right_after_the_change_can_be_undone(file, sh):
    killed(written(file) + "kill -9 $$", sh)
    assert b"new" == file.read_bytes()
    assert [0] == taken_back(sh)
    assert b"former\0\n" == file.read_bytes()


def test_where_nobody_knows_what_a_killed_run_left_nothing_is_changed(file):
    quoted = shell.quote(str(file))
    killed(f"keep {quoted}; echo half >{quoted}; kill -9 $$")
    assert ([Stands.CUT], []) == (standing(), taken_back())
    assert "half\n" == file.read_text()


def test_undoing_that_was_killed_is_finished_by_the_next_one(file, tmp_path):
    other = tmp_path / "other"
    changed(written(file) + f"keep {shell.quote(str(other))}; echo >{shell.quote(str(other))}")
    script = back.taken_back(BACKEND, looked().meant, "001")
    run(f"(\n{script}\n)".replace("v=$old; back", "exit 1"))
    assert [Stands.AS_LEFT, Stands.AS_LEFT] == standing()
    assert [0, 0] == taken_back()
    assert (b"former\0\n", False) == (file.read_bytes(), other.exists())


def test_what_cannot_be_kept_is_not_changed(file, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/nosuch")
    assert 0 != changed(written(file)).status
    assert b"former\0\n" == file.read_bytes()
    assert ["a file"] == [path.name for path in file.parent.iterdir()]


def test_what_cannot_be_seen_is_not_touched():
    text = 'kind=sql; begin; echo "sh -c \'exit 2\'" >"$v/psql"; put what it; echo >"$v/read"\n'
    changed(f"{text}sql_save() {{ :; }}; sql_state() {{ echo before; }}; commit; echo x >$v/after")
    assert ([Stands.UNSEEN], []) == (standing(), taken_back())
    assert 8 == run(f"(\n{back.taken_back(BACKEND, looked().meant, '000')}\n)").status


def test_the_store_is_for_its_owner_alone(file):
    file.chmod(0o666)
    changed(f"umask 022\n{written(file)}keep mode {shell.quote(str(file))}; stays nothing")
    taken_back()
    paths = list(place().parents[2].rglob("*"))
    assert {0o700} == {path.stat().st_mode & 0o777 for path in paths if path.is_dir()}
    assert {0o600} == {path.stat().st_mode & 0o777 for path in paths if path.is_file()}
    assert 12 < len(paths)


def test_a_folder_is_renamed_and_never_deleted(tmp_path):
    venv = tmp_path / "my venv"
    venv.mkdir()
    (venv / "pyvenv.cfg").write_text("old")
    quoted = shell.quote(str(venv))
    script = f'keep folder {quoted}; aside_of "$v"; mv {quoted} "$aside"; mkdir {quoted}'
    changed(f"{script}; echo new >{quoted}/pyvenv.cfg")
    (broken,) = tmp_path.glob("my venv.broken-*")
    assert [0] == taken_back()
    assert "old" == (venv / "pyvenv.cfg").read_text()
    assert not broken.exists()
    (undone,) = tmp_path.glob("my venv.undone-*")
    assert "new\n" == (undone / "pyvenv.cfg").read_text()
    shutil.rmtree(undone)
    assert [1] == taken_back((("sh",)), run_id("undo"))
    assert "old" == (venv / "pyvenv.cfg").read_text()


def test_the_last_run_is_one_that_undid_no_other(file):
    changed(written(file))
    taken_back()
    assert ({run_id(), run_id("undo")}, run_id()) == (set(looked().runs), looked().meant)
    assert run_id("undo") == looked(wanted=run_id("undo")).meant


@pytest.mark.parametrize("wanted", ["20200101T000000Z-abcd", "*", "..", "", " "])
def test_a_run_that_is_not_there_is_none(file, wanted):
    assert ((), "") == (looked(wanted=wanted).runs, looked(wanted=wanted).meant)
    changed(written(file))
    seen = looked(wanted=wanted)
    assert ((run_id(),), run_id() if not wanted else "") == (seen.runs, seen.meant)


OLD, YOUNG = "20200101T000000Z-abcd", "29990101T000000Z-abcd"


def aged(name: str, *, days: int = 40, marked: bool = True) -> Path:
    """Make a folder beside the runs, with a value in it, as old as we say."""
    folder = place() / name
    (folder / "000").mkdir(parents=True)
    (folder / "000/kind").write_text("file")
    if marked:
        (folder / "relogin").write_text("1")
    past = folder.stat().st_mtime - days * 86400
    os.utime(folder, (past, past))
    return folder


@pytest.mark.parametrize("sh", SHELLS)
def test_runs_of_more_than_30_days_ago_are_removed_and_nothing_else(file, sh):
    kept = [
        aged(YOUNG),
        aged("20200102T000000Z-abcd", days=20),
        aged("20200103T000000Z-abcd", marked=False),
        aged("20200104T000000Z-abcd.bak"),
        aged("20200105T000000Z-ABCD"),
        aged("notes"),
    ]
    gone = aged(OLD)
    elsewhere = aged("elsewhere")
    link = place() / "20200106T000000Z-abcd"
    link.symlink_to(elsewhere)
    looked(sh)
    assert gone.exists()
    changed(written(file), sh)
    assert not gone.exists()
    assert [True] * 8 == [(path / "000/kind").exists() for path in [*kept, elsewhere, link]]
