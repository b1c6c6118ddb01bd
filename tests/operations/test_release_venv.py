"""The virtual environment of a release, by real pip: built beside, switched by name, taken back."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from relogin import Backend, Source, Unreadable, Venv
from relogin.facts import venv
from relogin.facts.observation import Observation
from relogin.operations import release_venv
from relogin.operations.venv import FAULTS
from tests.embedded.programs import owner
from tests.facts.answers import run
from tests.facts.venvs import make_wheel

from .releases import begin, changed, step

TOP = "the source"


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> tuple[Path, Path]:
    """Build the first release once, in a folder that its venv is made for; give it and a copy."""
    folder = tmp_path_factory.mktemp("release")
    wheels = folder / "wheels"
    for version in ("1.0", "2.0"):
        script = {"{info}/entry_points.txt": "[console_scripts]\nmine = mine:version.strip\n"}
        make_wheel(wheels, "mine", version, more=script)
    for name, version in ((TOP, "1.0"), (f"{TOP}.relogin-stage", "2.0")):
        (folder / name).mkdir()
        (folder / name / "requirements.txt").write_text(f"mine=={version}\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_STATE_HOME", str(folder / "state"))
        begin("a" * 40, "b" * 40)
        made = part(folder)
        build = release_venv.built(made, Source(str(folder / TOP)), user())
        (folder / TOP / "env").mkdir()
        assert 0 == step(build + release_venv.switched(made)).status
    (folder / TOP / "env.relogin-former").rmdir()
    begun_anew(folder)
    copy = tmp_path_factory.mktemp("copy") / "release"
    shutil.copytree(folder, copy, symlinks=True)
    return folder, copy


@pytest.fixture
def tmp_path(released) -> Path:
    """Give the folder with the first release: a venv stays where it was made."""
    folder, copy = released
    shutil.rmtree(folder)
    shutil.copytree(copy, folder, symlinks=True)
    return folder


@pytest.fixture
def source(tmp_path, monkeypatch) -> Source:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Source(str(tmp_path / TOP))


def begun_anew(tmp_path: Path) -> None:
    (tmp_path / "state/relogin/mine/release/under-way/steps").write_text("")
    (tmp_path / TOP / "requirements.txt").write_text("mine==2.0\n")


def user() -> str:
    return owner().pw_name if os.geteuid() else "root"


def part(tmp_path: Path) -> Venv:
    top = tmp_path / TOP
    words = ("--no-index", f"--find-links={tmp_path}/wheels")
    return Venv(f"{top}/env", requirements=f"{top}/requirements.txt", pip_args=words)


def version(tmp_path: Path, venv: str = "env") -> str:
    """Give the version that the venv's own Python imports, and where its script's Python is."""
    python = tmp_path / TOP / venv / "bin/python"
    asked = "import mine, sys; print(mine.version, sys.prefix)"
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def script(tmp_path: Path) -> str:
    return (tmp_path / TOP / "env/bin/mine").read_text()


def faults_of(part: Venv) -> tuple[str, ...]:
    """Give what a diagnosis finds wrong with the venv."""
    backend = Backend("mine", venv=part)
    state = venv.parse(run(venv.script(part)))
    assert isinstance(state, venv.VenvState)
    seen = Observation(machine=Unreadable("not asked"), venv=state)
    return tuple(finding.what for fault in FAULTS for finding in fault.found(backend, seen))


def test_it_is_built_beside_switched_and_taken_back(source, tmp_path):
    mine, env = part(tmp_path), tmp_path / TOP / "env"
    assert f"2.0 {env}" == version(tmp_path)  # as the fixture's first release left it
    (tmp_path / f"{TOP}.relogin-stage/requirements.txt").write_text("mine==1.0\n")
    answer = step(release_venv.built(mine, source, user()))
    assert (0, b"") == (answer.status, answer.text.strip())
    assert f"2.0 {env}" == version(tmp_path)
    assert 0 == step(release_venv.switched(mine)).status
    assert f"1.0 {env}" == version(tmp_path)
    assert f"2.0 {env}.relogin-former" == version(tmp_path, "env.relogin-former")
    assert "relogin-next" not in script(tmp_path) + (env / "pyvenv.cfg").read_text()
    (tmp_path / TOP / "requirements.txt").write_text("mine==1.0\n")  # as the checkout does
    assert () == faults_of(mine)
    ran = subprocess.run([env / "bin/mine"], check=False, capture_output=True)
    assert b"1.0\n" == ran.stderr  # sys.exit(mine.version.strip())
    assert 0 == step(release_venv.back(mine)).status
    assert f"2.0 {env}" == version(tmp_path)
    assert [] == list(env.parent.glob("env.*"))


@pytest.mark.parametrize("point", ['mv "$venv"', 'mv "$next"'])
def test_a_switch_that_was_killed_is_finished(source, tmp_path, point):
    mine = part(tmp_path)
    (tmp_path / f"{TOP}.relogin-stage/requirements.txt").write_text("mine==1.0\n")
    assert 0 == step(release_venv.built(mine, source, user())).status
    lines = release_venv.switched(mine)
    assert 0 != step(lines.replace(point, f"exit 7; {point}")).status
    assert 0 == step(lines).status
    assert version(tmp_path).startswith("1.0")
    assert 0 == step(release_venv.back(mine)).status
    assert version(tmp_path).startswith("2.0")


def test_nothing_is_built_where_the_requirements_are_the_same(source, tmp_path):
    mine, env = part(tmp_path), tmp_path / TOP / "env"
    inode = env.stat().st_ino
    for lines in (release_venv.built(mine, source, user()), release_venv.switched(mine)):
        assert 0 == step(lines).status
    assert inode == env.stat().st_ino
    assert 0 == step(release_venv.back(mine)).status
    assert inode == env.stat().st_ino


def test_a_requirement_that_is_nowhere_fails_before_anything_is_switched(source, tmp_path):
    mine = part(tmp_path)
    (tmp_path / f"{TOP}.relogin-stage/requirements.txt").write_text("mine==3.0\n")
    answer = step(release_venv.built(mine, source, user()))
    assert 1 == answer.status
    assert b"No matching distribution found for mine==3.0" in answer.text
    assert version(tmp_path).startswith("2.0")
    assert 0 == changed(release_venv.cleared(mine)).status
    assert [] == list((tmp_path / TOP).glob("env.*next"))


def test_a_source_that_is_installed_as_editable_is_refused(source, tmp_path):
    mine, stage = part(tmp_path), tmp_path / f"{TOP}.relogin-stage"
    make_wheel(tmp_path / "wheels", "own", "1.0", more={"own.pth": f"{stage}\n"})
    (stage / "requirements.txt").write_text("own==1.0\n")
    answer = step(release_venv.built(mine, source, user()))
    assert 1 == answer.status
    assert b"installs the source itself" in answer.text
