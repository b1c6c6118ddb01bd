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
from relogin.facts.venv import BrokenVenv, Distributions, VenvState
from relogin.finding import Unreadable
from relogin.parts.runtime import Venv
from tests.facts.answers import SHELLS, run, run_alone
from tests.facts.venvs import install, look, make_venv, site_packages

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
SYSTEM_PYTHON = "/usr/bin/python3"  # one that other users can start, too


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


def broken(path: Path) -> BrokenVenv:
    seen = look(path)
    assert isinstance(seen, BrokenVenv)
    return seen


def test_of_a_venv_that_is_not_there_the_folder_says_whose_it_would_be(tmp_path):
    if os.geteuid() == 0:
        os.chown(tmp_path, 65534, 65534)
    path = f"{tmp_path}/env"
    expected = BrokenVenv(path, there=False, is_venv=False, owner=tmp_path.owner())
    assert expected == look(tmp_path / "env")


def test_a_venv_whose_folder_is_not_there_either_is_nobodys(tmp_path):
    assert "" == broken(tmp_path / "nosuch/env").owner


def test_a_folder_without_configuration_is_no_venv(env):
    (env / "pyvenv.cfg").unlink()
    seen = broken(env)
    assert (True, False) == (seen.there, seen.is_venv)


def dangle(env: Path, name: str = "bin/python") -> None:
    (env / name).unlink()
    (env / name).symlink_to("/usr/bin/python2.2")


@pytest.mark.parametrize("sh", SHELLS)
def test_of_an_interpreter_that_is_gone_it_says_where_it_was_and_where_another_is(env, sh):
    dangle(env)
    seen = venv.parse(run(venv.script(Venv(str(env))), sh))
    assert isinstance(seen, BrokenVenv)
    assert ("/usr/bin/python2.2", "") == (seen.link, seen.python)
    assert (
        MINOR
        == subprocess.run(
            [seen.same, "-c", "import sys; print('%d.%d' % sys.version_info[:2], end='')"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )


def test_an_interpreter_of_another_version_is_none_for_its_packages(env):
    configure(env, "version = 2.2.1", "home = /nosuch")
    dangle(env)
    assert ("2.2.1", "") == (broken(env).made, broken(env).same)


def test_an_interpreter_whose_library_is_gone_is_gone(env):
    """The dynamic linker ends with 127 (ld.so(8))."""
    script(env, "echo error while loading shared libraries: libpython3.11.so.1.0 >&2; exit 127")
    assert (True, "") == (broken(env).is_venv, broken(env).python)


def test_an_interpreter_without_its_standard_library_is_gone(env):
    script(env, "echo \"ModuleNotFoundError: No module named 'encodings'\" >&2; exit 1")
    assert (True, "") == (broken(env).is_venv, broken(env).python)


def test_one_that_does_not_start_for_another_reason_is_unreadable_with_what_it_said(env):
    script(env, "echo no memory >&2; exit 1")
    assert look(env) == Unreadable(f"{env}/bin/python does not run: no memory")


def test_one_that_may_not_be_executed_is_unreadable(env):
    script(env, "")
    (env / "bin/python").chmod(0o644)
    assert look(env) == Unreadable(f"{env}/bin/python does not run")


def script(env: Path, text: str) -> None:
    (env / "bin/python").unlink()
    (env / "bin/python").write_text(f"#!/bin/sh\n{text}\n")
    (env / "bin/python").chmod(0o755)


def configure(env: Path, *lines: str) -> None:
    (env / "pyvenv.cfg").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("key", ["version", "version_info"])
def test_a_venv_that_was_made_for_another_version_says_both(env, key):
    configure(env, f"home = {Path(sys.base_prefix)}/bin", f"{key} = 2.2.1.final.0")
    seen = broken(env)
    assert ("2.2.1.final.0", sys.version.split()[0]) == (seen.made, seen.python)


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
