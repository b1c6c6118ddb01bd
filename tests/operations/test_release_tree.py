"""The working tree of a release: real git, whatever interrupts it; no untracked file is lost."""

import contextlib
import dataclasses
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from relogin import Source, shell
from relogin.facts import release
from relogin.facts.release_state import ReleaseState
from relogin.operations import release_store, release_tree
from tests.facts import trees
from tests.facts.answers import run
from tests.facts.trees import Trees, git

from .releases import BACKEND, begin, changed, killed, place, step, under_way

FIRST = {"main.py": "1\n", "gone.py": "1\n", "sub/it.py": "1\n", ".gitignore": ".env\n"}
SECOND = {"main.py": "2\n", "gone.py": None, "new/it.py": "2\n", "run.sh": "2\n"}


@pytest.fixture
def here(tmp_path, monkeypatch) -> Trees:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = trees.made(tmp_path, dict(FIRST))
    (made.here / ".env").write_text("SECRET_KEY=mine\n")
    (made.here / "notes.txt").write_text("mine\n")
    return made


def source(here: Trees, **more: str) -> Source:
    return Source(str(here.here), **more)


def state(here: Trees, commit: str = "", **more: str) -> ReleaseState:
    script = release.tree_script(source(here, **more), "main", commit)
    return ReleaseState(release.tree(run(script).lines))


def files(here: Trees) -> dict[str, str]:
    """Give every file of the working tree but git's own."""
    found = (path for path in here.here.rglob("*") if path.is_file() and ".git/" not in str(path))
    return {str(path.relative_to(here.here)): path.read_text() for path in found}


def fetch(here: Trees, **more: str) -> None:
    answer = changed(release_tree.fetched(source(here, **more), state(here, **more)))
    assert 0 == answer.status, answer.text


OWN = {".env": "SECRET_KEY=mine\n", "notes.txt": "mine\n"}
OLD = {**FIRST, **OWN}
NEW = {**OWN, "main.py": "2\n", "sub/it.py": "1\n", "new/it.py": "2\n", "run.sh": "2\n"}
NEW[".gitignore"] = ".env\n"


def test_a_fetched_revision_lies_beside_and_nothing_that_runs_has_changed(here):
    here.commit(dict(SECOND))
    fetch(here)
    laid_out = here.here.with_name(f"{here.here.name}.relogin-stage")
    assert "2\n" == (laid_out / "new/it.py").read_text()
    assert not (laid_out / ".git").exists()
    assert OLD == files(here)
    assert 0o700 == laid_out.stat().st_mode & 0o777


def test_a_revision_is_pushed_from_a_checkout_where_the_host_has_no_remote(here, tmp_path):
    new = here.commit(dict(SECOND))
    git(here.here, "remote", "remove", "origin")
    declared = source(here, checkout=str(here.far))
    seen = state(here, commit=new)
    assert (new, False) == (seen.tree.wanted, seen.tree.present)
    assert 0 == changed(release_tree.fetched(declared, seen)).status
    assert state(here, commit=new).tree.present
    assert [] == list((here.here / ".git").glob("*bundle*"))
    assert "" == git(here.far, "for-each-ref", "refs/relogin")


def test_a_revision_that_is_gone_from_the_remote_is_an_error_and_says_so(here):
    wanted = dataclasses.replace(state(here).tree, wanted="1" * 40, present=False, ref="")
    answer = changed(release_tree.fetched(source(here), ReleaseState(wanted)))
    assert 0 != answer.status
    assert answer.text.strip()


def test_the_new_revision_comes_in_place_and_goes_back_as_the_branch_that_it_was(here):
    old, new = git(here.here, "rev-parse", "HEAD"), here.commit(dict(SECOND))
    fetch(here)
    begin(old, new)
    assert 0 == step(release_tree.switched(source(here), new)).status
    assert NEW == files(here)
    assert 0 == step(release_tree.back(source(here), old, "main")).status
    assert OLD == files(here)
    assert "main" == git(here.here, "symbolic-ref", "--short", "HEAD")


def test_a_branch_that_moved_meanwhile_stays_where_it_is(here):
    old, new = git(here.here, "rev-parse", "HEAD"), here.commit(dict(SECOND))
    fetch(here)
    begin(old, new)
    step(release_tree.switched(source(here), new))
    git(here.here, "update-ref", "refs/heads/main", new)
    assert 0 == step(release_tree.back(source(here), old, "main")).status
    assert OLD == files(here)
    assert new == git(here.here, "rev-parse", "main")


@pytest.mark.parametrize("name", ["run.sh", "new/it.py", ".env"])
def test_what_git_does_not_track_is_never_overwritten(here, name):
    old = git(here.here, "rev-parse", "HEAD")
    new = here.commit({**SECOND, ".gitignore": "", ".env": "SECRET_KEY=theirs\n"})
    (here.here / name).parent.mkdir(exist_ok=True)
    (here.here / name).write_text("precious\n")
    fetch(here)
    begin(old, new)
    answer = step(release_tree.switched(source(here), new))
    assert 1 == answer.status
    assert name in answer.text.decode()
    assert {**OLD, name: "precious\n"} == files(here)
    assert 0 == step(release_tree.back(source(here), old, "main")).status
    assert {**OLD, name: "precious\n"} == files(here)


HALF = """
printf 2 >"$tree/main.py"; mkdir "$tree/new"; printf '2' >"$tree/new/it.py"; rm "$tree/gone.py"
touch "$tree/.git/index.lock"; kill -9 $$
"""


@pytest.mark.parametrize("goes_back", [False, True])
def test_a_checkout_that_was_killed_is_finished_or_taken_back(here, goes_back):
    old, new = git(here.here, "rev-parse", "HEAD"), here.commit(dict(SECOND))
    fetch(here)
    begin(old, new)
    lines = release_tree.switched(source(here), new)
    killed(release_store.step(BACKEND, "it", lines.replace("check_out --", f"{HALF}check_out --")))
    again = release_tree.back(source(here), old, "main") if goes_back else lines
    answer = step(again)
    assert (0, b"") == (answer.status, answer.text.strip())
    assert (OLD if goes_back else NEW) == files(here)
    assert "" == git(here.here, "status", "--porcelain", "--untracked-files=no")
    (kept,) = place().glob("aside-*.tar")
    listed = subprocess.run(["tar", "-tf", kept], capture_output=True, text=True, check=True)
    assert ["main.py"] == listed.stdout.split()


@pytest.fixture
def small(tmp_path) -> Iterator[Path]:
    """Give a file system of 8 MB, where we may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8M", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(small: Path) -> None:
    with contextlib.suppress(OSError), (small / "filler").open("wb", buffering=0) as filler:
        while filler.write(b"x" * 4096):
            pass


@pytest.mark.parametrize("left", [0, 300_000])
def test_a_disk_that_is_filled_in_the_middle_takes_the_former_revision_back(
    small, monkeypatch, left
):
    monkeypatch.setenv("XDG_STATE_HOME", str(small / "state"))
    here = trees.made(small, dict(FIRST))
    old = git(here.here, "rev-parse", "HEAD")
    new = here.commit({**SECOND, "large.txt": "".join(f"{n}\n" for n in range(100_000))})
    fetch(here)
    begin(old, new)
    fill(small)
    os.truncate(small / "filler", (small / "filler").stat().st_size - left)
    failed = step(release_tree.switched(source(here), new))
    assert 0 != failed.status
    answer = changed(release_store.step(BACKEND, "back", going_back(here, old)))
    assert (0, b"") == (answer.status, answer.text.strip())
    assert FIRST == files(here)
    assert old == git(here.here, "rev-parse", "HEAD")
    assert "" == git(here.here, "status", "--porcelain")


@pytest.mark.parametrize("whole", [True, False])
def test_a_tree_on_a_disk_of_its_own_that_is_filled_after_the_checkout_goes_back(
    small, tmp_path, monkeypatch, whole
):
    """What is noted has room elsewhere, so that its reserve is of no use to the tree."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    here = trees.made(small, {**FIRST, "large.txt": "old\n" * 100_000})
    old = git(here.here, "rev-parse", "HEAD")
    new = here.commit({**SECOND, "large.txt": "new\n"})
    fetch(here)
    begin(old, new)
    lines = release_tree.switched(source(here), new)
    if whole:
        assert 0 == step(lines).status
    else:
        killed(
            release_store.step(BACKEND, "it", lines.replace("check_out --", f"{HALF}check_out --"))
        )
    fill(small)
    answer = step(release_tree.back(source(here), old, "main"))
    assert (0, b"") == (answer.status, answer.text.strip())
    assert {**FIRST, "large.txt": "old\n" * 100_000} == files(here)
    assert old == git(here.here, "rev-parse", "HEAD")
    assert 0 == changed(release_tree.cleared(source(here))).status
    assert [] == [*(here.here / ".git").glob("*reserve*")]


def test_a_disk_that_is_filled_at_the_end_does_not_keep_it_from_being_noted(small, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(small / "state"))
    begin("a" * 40, "b" * 40)
    fill(small)
    assert 0 == changed(release_store.ended(BACKEND, ["done"], running="b" * 40)).status
    assert (place() / "running").read_text().startswith("b" * 40)
    assert (place() / "deploy.log").read_text().endswith("done\n")
    assert under_way() is None


def going_back(here: Trees, old: str) -> str:
    """Give what a release does to go back, as far as it is the tree's."""
    stage = release_tree.stage(source(here))
    freed = f"{release_store.ROOM}rm -rf {shell.quote(stage)}\n"
    return f"{freed}{release_tree.back(source(here), old, 'main')}"


def test_each_step_is_in_the_log_for_root_only_and_without_a_secret(here):
    begin("a" * 40, "b" * 40, token="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln")
    step("true", "good")
    step("echo oh; exit 3", "bad")
    log = (place() / "deploy.log").read_text()
    assert ["a line", "good", "good done", "bad", "bad failed (3)"] == [
        line.partition(" ")[2] for line in log.splitlines()
    ]
    assert (0o700, 0o600) == (
        place().stat().st_mode & 0o777,
        (place() / "deploy.log").stat().st_mode & 0o777,
    )
    assert 0 == changed(release_store.ended(BACKEND, [], running="b" * 40)).status
    assert None is under_way()
    assert [] == [path for path in place().rglob("*") if path.name == "token"]
    assert (place() / "running").read_text().startswith("b" * 40)


def test_two_releases_do_not_begin_at_once(here):
    begin("a" * 40, "b" * 40)
    values = {"run": "s", "from": "c", "to": "d"}
    answer = changed(release_store.begun(BACKEND, values, []))
    assert (9, b"another release began") == (answer.status, answer.text[:21])
