"""The working tree of a bare host: real git, also where something lies there already."""

import getpass
import subprocess
from pathlib import Path

import pytest

from relogin import Backend, EnvFile, Onboard, Source, Systemd
from relogin.facts import bare
from relogin.facts.bare import Bare
from relogin.operations import source
from tests.facts.answers import run
from tests.facts.trees import git

from .releases import changed

FILES = {"main.py": "1\n", "sub/it.py": "1\n", ".gitignore": ".env\n"}
ME = getpass.getuser()


@pytest.fixture
def far(tmp_path) -> Path:
    """Give a repository with a branch, and a tag before its last commit."""
    made = tmp_path / "far"
    made.mkdir()
    git(made, "init", "-q", "-b", "main")
    for name, text in FILES.items():
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(text)
    own = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    git(made, "add", "-A")
    git(made, *own, "commit", "-qm", "one")
    git(made, "tag", "v1")
    (made / "main.py").write_text("2\n")
    git(made, *own, "commit", "-qam", "two")
    return made


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    monkeypatch.setattr(source, "meant", lambda part: part.revision)


def backend(place: Path, **more: str) -> Backend:
    declared = Source(str(place), **more)
    service = Systemd("mine", working_directory=str(place), user=ME)
    return Backend("mine", service=service, source=declared, onboard=Onboard())


def lay(declared: Backend) -> tuple[int, str]:
    """Look, and lay the tree; give the status and what was said of the last change."""
    seen = bare.parse(run(bare.script(declared)))
    assert isinstance(seen, Bare)
    status, said = 0, ""
    for change in source.changes(declared, seen):
        answer = changed(change.script)
        status, said = answer.status, answer.text.decode()
    return status, said


def files(place: Path) -> dict[str, str]:
    found = (path for path in place.rglob("*") if path.is_file() and ".git/" not in str(path))
    return {str(path.relative_to(place)): path.read_text() for path in found}


@pytest.mark.parametrize("pushed", [True, False])
@pytest.mark.parametrize(("revision", "text"), [("main", "2\n"), ("v1", "1\n")])
def test_the_revision_is_laid_out_whole(tmp_path, far, pushed, revision, text):
    place = tmp_path / "srv/deep/app"
    how = {"checkout": str(far)} if pushed else {"remote": str(far)}
    declared = backend(place, revision=revision, **how)
    assert (0, "") == (lay(declared)[0], lay(declared)[1].strip())
    assert {**FILES, "main.py": text} == files(place)
    assert git(far, "rev-parse", f"{revision}^{{commit}}") == git(place, "rev-parse", "HEAD")
    assert "" == git(place, "status", "--porcelain")
    assert 0o755 == place.stat().st_mode & 0o777
    assert [place] == list(place.parent.iterdir())


def test_a_whole_commit_id_is_fetched(tmp_path, far):
    place, commit = tmp_path / "app", git(far, "rev-parse", "v1^{commit}")
    assert 0 == lay(backend(place, revision=commit, remote=str(far)))[0]
    assert commit == git(place, "rev-parse", "HEAD")


def test_a_tree_that_is_there_stays_at_its_revision(tmp_path, far):
    place = tmp_path / "app"
    lay(backend(place, revision="v1", checkout=str(far)))
    seen = bare.parse(run(bare.script(backend(place, checkout=str(far)))))
    assert isinstance(seen, Bare)
    assert [] == list(source.changes(backend(place, checkout=str(far)), seen))


def test_what_a_killed_run_left_beside_is_made_again(tmp_path, far):
    place, left = tmp_path / "app", tmp_path / "app.relogin-new"
    (left / ".git").mkdir(parents=True)
    (left / "main.py").write_text("half")
    assert 0 == lay(backend(place, checkout=str(far)))[0]
    assert {**FILES, "main.py": "2\n"} == files(place)
    assert not left.exists()


def test_files_that_lie_there_already_stay(tmp_path, far):
    place = tmp_path / "app"
    (place / "sub").mkdir(parents=True)
    (place / ".env").write_text("SECRET_KEY=mine\n")
    (place / "sub/it.py").write_text("1\n")
    assert 0 == lay(backend(place, checkout=str(far)))[0]
    assert {**FILES, "main.py": "2\n", ".env": "SECRET_KEY=mine\n"} == files(place)
    assert "" == git(place, "status", "--porcelain")


def test_a_file_that_is_other_than_the_revision_s_is_never_overwritten(tmp_path, far):
    place = tmp_path / "app"
    place.mkdir()
    (place / "main.py").write_text("precious\n")
    status, said = lay(backend(place, checkout=str(far)))
    assert 1 == status
    assert "./main.py" in said
    assert {"main.py": "precious\n"} == files(place)
    assert not (place / ".git").exists()


def test_a_revision_that_nobody_has_is_an_error(tmp_path, far):
    place = tmp_path / "app"
    with pytest.raises(ValueError, match="it has no nosuch"):
        lay(backend(place, revision="nosuch", checkout=str(far)))
    status, said = lay(backend(place, revision="nosuch", remote=str(far)))
    assert 1 == status
    assert "nosuch" in said
    assert not place.exists()


def test_folders_beside_the_tree_are_made(tmp_path):
    declared = backend(tmp_path / "app")
    seen = Bare(0, ME, "x", code="git", lacking=(str(tmp_path / "etc/deep"),))
    assert [] == list(source.changes(declared, seen))  # none of its own
    kept = EnvFile(f"{tmp_path}/etc/deep/.env")
    one = Backend("mine", service=declared.service, env_file=kept, onboard=Onboard())
    for change in source.changes(one, seen):
        assert 0 == changed(change.script).status
    assert 0o755 == (tmp_path / "etc/deep").stat().st_mode & 0o777
    subprocess.run(["test", "-O", tmp_path / "etc/deep"], check=True)
