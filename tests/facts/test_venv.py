"""The venv's script runs for real, in real virtual environments."""

import importlib.metadata
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.utils import canonicalize_name

from relogin.facts import venv
from relogin.facts.venv import Distributions, VenvState
from relogin.finding import Unreadable
from relogin.parts.runtime import Venv
from tests.facts.answers import SHELLS, run, run_alone
from tests.facts.venvs import install, make_venv

SYSTEM_PYTHON = "/usr/bin/python3"  # one that other users can start, too


def look(path: Path, *requirements: Path) -> VenvState | Unreadable:
    return venv.parse(run(venv.script(Venv(str(path), tuple(map(str, requirements))))))


@pytest.fixture
def env(tmp_path) -> Path:
    install(make_venv(tmp_path / "env"), "six", "1.17.0")
    return tmp_path / "env"


def site_packages(env: Path) -> Path:
    return next(env.glob("lib/python*/site-packages"))


@pytest.mark.parametrize("sh", SHELLS)
def test_it_sees_what_importlib_metadata_sees(sh):
    seen = venv.parse(run(venv.script(Venv(sys.prefix)), sh))
    expected = {
        canonicalize_name(each.metadata["Name"]): each.version
        for each in importlib.metadata.distributions()
        if Path(str(each.locate_file(""))).is_relative_to(sys.prefix)
    }
    assert {name: versions[0] for name, versions in seen.distributions.items()} == expected


def test_it_gives_the_markers_of_the_targets_python(env):
    assert look(env).environment == default_environment()


def test_it_says_whose_it_is_and_whether_it_has_pip(env):
    seen = look(env)
    assert (seen.owner, seen.pip) == (env.owner(), False)
    assert seen.site_packages == str(site_packages(env))


def test_installing_something_moves_its_time(env):
    before = look(env).changed
    install(site_packages(env), "idna", "3.10")
    assert look(env).changed > before


def test_what_an_interrupted_pip_left_behind_is_not_installed(env):
    (site_packages(env) / "six-1.17.0.dist-info").rename(
        site_packages(env) / "~ix-1.17.0.dist-info"
    )
    assert look(env).distributions == {}


def test_a_distribution_without_metadata_is_not_installed(env):
    (site_packages(env) / "idna-3.10.dist-info").mkdir()
    assert look(env).distributions == {"six": ("1.17.0",)}


def test_names_are_canonical(env):
    install(site_packages(env), "Typing_Extensions", "4.0")
    assert look(env).distributions["typing-extensions"] == ("4.0",)


def test_the_projects_own_modules_do_not_get_in_the_way(env, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert isinstance(look(env), VenvState)


def test_it_reads_a_requirements_file_with_those_that_it_includes(env, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more/base.txt").write_text("idna>=3\n-r ../prod.txt\n")
    (tmp_path / "prod.txt").write_text("-r more/base.txt\nsix==1.17.0\n-e .\n")
    (file,) = look(env, tmp_path / "prod.txt").requirements
    assert [str(each) for each in file.requirements] == ["six==1.17.0", "idna>=3"]
    assert [(each.file, each.line) for each in file.not_judged] == [(f"{tmp_path}/prod.txt", 3)]


def test_a_requirements_file_that_is_not_there_is_said_to_be(env, tmp_path):
    (file,) = look(env, tmp_path / "nosuch.txt").requirements
    assert file.unreadable == f"{tmp_path}/nosuch.txt: No such file or directory"


def test_a_requirements_file_that_is_not_text_is_said_to_be(env, tmp_path):
    (tmp_path / "r.txt").write_bytes(b"six # f\xfcr\n")
    (file,) = look(env, tmp_path / "r.txt").requirements
    assert file.unreadable.startswith(f"{tmp_path}/r.txt cannot be decoded")


def test_paths_are_quoted(tmp_path):
    path = tmp_path / "it's; touch $HOME `here`"
    install(make_venv(path), "six", "1.17.0")
    (path / "re quire.txt").write_text("six\n")
    seen = look(path, path / "re quire.txt")
    assert (seen.path, len(seen.requirements[0].requirements)) == (str(path), 1)


def test_no_venv_at_all_is_unreadable(tmp_path):
    assert look(tmp_path / "env") == Unreadable(f"{tmp_path}/env is not there")


def test_a_folder_that_is_no_venv_is_unreadable(tmp_path):
    assert look(tmp_path).reason.startswith(f"{tmp_path} is no virtual environment")


def test_an_interpreter_that_is_gone_is_unreadable(env):
    (env / "bin/python").unlink()
    (env / "bin/python").symlink_to("/usr/bin/python3.3")
    assert look(env).reason.startswith(f"{env}/bin/python is gone")


def test_an_interpreter_that_does_not_start_is_unreadable_with_what_it_said(env):
    (env / "bin/python").unlink()
    (env / "bin/python").write_text("#!/bin/sh\necho no libpython >&2; exit 127\n")
    (env / "bin/python").chmod(0o755)
    assert look(env) == Unreadable(f"{env}/bin/python does not run: no libpython")


def test_an_interpreter_of_another_minor_version_is_unreadable_and_no_requirement_missing(env):
    text = (env / "pyvenv.cfg").read_text()
    (env / "pyvenv.cfg").write_text(
        text.replace(f"version = {sys.version_info[0]}.", "version = 2.")
    )
    assert "was made for Python 2." in look(env).reason


def test_alone_it_gives_the_same(env):
    lines = run_alone(Distributions().command(str(env)))
    assert Distributions().process(lines) == look(env)
    assert Distributions().process(lines).to_json()["distributions"] == {"six": ("1.17.0",)}


@pytest.fixture
def of_nobody() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        made = [SYSTEM_PYTHON, "-m", "venv", "--without-pip", f"{folder}/env"]
        subprocess.run(made, check=True)
        os.chown(Path(folder) / "env", 65534, 65534)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(not Path(SYSTEM_PYTHON).exists(), reason=f"there is no {SYSTEM_PYTHON}")
def test_root_does_not_run_what_others_put_into_their_venv(of_nobody):
    """A .pth line runs at every start of the interpreter (site, Python's documentation)."""
    code = f"import os; open('{of_nobody}/who', 'w').write(str(os.getuid()))\n"
    (site_packages(of_nobody / "env") / "x.pth").write_text(code)
    assert isinstance(look(of_nobody / "env"), VenvState)
    assert (of_nobody / "who").read_text() == "65534"
