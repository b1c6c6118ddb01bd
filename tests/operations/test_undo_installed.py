"""What pip has added goes again, and what it has replaced comes back, byte for byte."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from relogin import Backend, Venv
from relogin.facts import venv as fact
from relogin.facts.kept import Kept, Stands, parse
from relogin.facts.venv import VenvState
from relogin.operations import venv
from relogin.undo import back, run_id
from tests.facts.answers import run
from tests.facts.venvs import make_venv, make_wheel
from tests.operations.undoing import taken_back

# a package with folders, and a script
HERD = {
    "herd_of/__init__.py": "",
    "herd_of/deep/er/data.txt": "1\n",
    "{info}/entry_points.txt": "[console_scripts]\nherd = herd:main\n",
}
Tree = dict[str, tuple[int, bytes]]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "2.0"):
        make_wheel(folder, "colt", version)
        make_wheel(folder, "herd", version, more=HERD if version == "1.0" else None)
        make_wheel(folder, "mule", version, f"colt>={version}")
    return folder


@pytest.fixture(scope="module")
def template(tmp_path_factory, wheels) -> Path:
    """A venv with pip, and the first versions of two distributions."""
    path = tmp_path_factory.mktemp("template") / "env"
    make_venv(path, pip=True)
    pip(path, wheels, "install", "colt==1.0", "herd==1.0")
    return path


@pytest.fixture
def env(template: Path) -> Iterator[Path]:
    """That venv, in its place: a copy elsewhere would have been moved."""
    shutil.copytree(template, template.with_name("saved"), symlinks=True)
    yield template
    shutil.rmtree(template)
    template.with_name("saved").rename(template)


def pip(env: Path, wheels: Path, verb: str, *words: str) -> None:
    options = ["--no-index", "--find-links", str(wheels)] if verb == "install" else ["-y"]
    subprocess.run([f"{env}/bin/python", "-m", "pip", verb, "-q", *options, *words], check=True)


def described(env: Path, wheels: Path, requirements: str) -> Backend:
    path = env.parent / "requirements.txt"
    path.write_text(requirements)
    options = ("--no-index", "--find-links", str(wheels))
    return Backend("demo", venv=Venv(str(env), str(path), pip_args=options))


def tree(env: Path) -> Tree:
    """Give all files but byte code, with their modes."""
    paths = (path for path in env.rglob("*") if "__pycache__" not in path.parts)
    return {
        str(path.relative_to(env)): (
            path.stat().st_mode,
            b"" if path.is_dir() else path.read_bytes(),
        )
        for path in paths
        if not path.is_symlink()
    }


def mended(backend: Backend, *, before: str = "", after: str = "") -> None:
    """Run the first change that is due, with a text of its script replaced."""
    seen = fact.parse(run(fact.script(backend.venv)))
    assert isinstance(seen, VenvState)
    looked = type("Seen", (), {"venv": seen})
    faults = [(one, found) for one in venv.FAULTS for found in one.found(backend, looked)]
    (fault, finding) = faults[0]
    (change,) = fault.fix(backend, looked, finding)
    assert before in change.script
    answer = run(f"(\n{change.script.replace(before, after) if before else change.script}\n)")
    assert 0 == answer.status, answer.text


def kept(backend: Backend) -> Kept:
    seen = parse(run(back.look(backend)))
    assert isinstance(seen, Kept)
    return seen


def standing(backend: Backend) -> list[Stands]:
    return [stands for _, stands in kept(backend).standing()]


def test_what_was_replaced_and_added_is_as_it_was_and_can_be_had_again(env, wheels):
    former = tree(env)
    assert {"bin/herd", "lib"} <= former.keys()
    backend = described(env, wheels, "colt==2.0\nherd==2.0\nmule==2.0\n")
    mended(backend)
    new = tree(env)
    assert "bin/herd" not in new
    assert [Stands.AS_LEFT] == standing(backend)
    assert [0] == [answer.status for answer in taken_back(backend)]
    assert former == tree(env)
    assert [Stands.AS_BEFORE] == standing(backend)
    assert [0] == [answer.status for answer in taken_back(backend, run_id("undo"))]
    assert new == tree(env)


def test_what_somebody_has_installed_since_stays(env, wheels):
    backend = described(env, wheels, "herd==2.0\n")
    former = tree(env)
    mended(backend)
    pip(env, wheels, "install", "mule==1.0")
    assert [0] == [answer.status for answer in taken_back(backend)]
    left = {path: what for path, what in tree(env).items() if "mule" not in path}
    assert former == left


def test_where_somebody_has_replaced_one_of_them_since_all_are_left(env, wheels):
    backend = described(env, wheels, "colt==2.0\nherd==2.0\n")
    mended(backend)
    pip(env, wheels, "uninstall", "colt")
    since = tree(env)
    assert ([Stands.OTHERWISE], []) == (standing(backend), taken_back(backend))
    assert since == tree(env)


def test_an_older_pip_is_trusted_with_what_is_known_to_be_wrong(env, wheels):
    former = tree(env)
    backend = described(env, wheels, "colt==2.0\n")
    mended(backend, before="[22, 2]", after="[99, 9]")
    assert [0] == [answer.status for answer in taken_back(backend)]
    assert former == tree(env)


def test_what_an_older_pip_replaced_besides_is_named_and_stays(env, wheels):
    backend = described(env, wheels, "mule==2.0\n")
    mended(backend, before="[22, 2]", after="[99, 9]")
    (value,) = kept(backend).values
    assert ("colt 1.0",) == value.lost
    assert [0] == [answer.status for answer in taken_back(backend)]
    names = " ".join(tree(env))
    assert ("colt-2.0" in names, "mule" in names) == (True, False)


def test_what_cannot_be_kept_is_not_replaced(env, wheels):
    former = tree(env)
    backend = described(env, wheels, "colt==2.0\n")
    with pytest.raises(AssertionError):
        mended(backend, before='python_of tar "$path" $(cat "$v/risk")', after="false")
    assert former == tree(env)
    assert [Stands.AS_BEFORE] == standing(backend)


def test_a_run_that_was_cut_in_pip_is_said_to_be(env, wheels):
    backend = described(env, wheels, "colt==2.0\n")
    mended(backend, before="tell 0", after="trap - EXIT; tell 0")
    assert ([Stands.CUT], []) == (standing(backend), taken_back(backend))


def test_what_pip_could_not_do_is_nothing_to_bring_back(env, wheels):
    backend = described(env, wheels, "nosuch==2.0\n")
    with pytest.raises(AssertionError):
        mended(backend)
    assert [Stands.AS_BEFORE] == standing(backend)
