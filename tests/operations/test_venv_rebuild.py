"""What is found of a venv that does not work, and what its fix does to a real one, offline."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from relogin import Backend
from tests.facts.answers import run
from tests.operations.rebuilt import (
    PYTHON,
    RUN,
    changes,
    dangle,
    described,
    filled,
    found,
    kept,
    mended,
    modes,
    of_another_version,
    place,
    version,
    wanting,
)
from tests.operations.undoing import taken_back


@pytest.fixture
def backend(tmp_path: Path, undo: Path) -> Backend:
    """A backend whose venv is to hold one distribution, and does not yet exist."""
    return wanting(tmp_path)


@pytest.fixture
def of_nobody(undo: Path) -> Iterator[Backend]:
    """The same in a folder of nobody's, where root runs the tests."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        yield wanting(Path(folder), python="/usr/bin/python3")


def test_a_venv_that_works_gives_no_finding(backend):
    filled(backend)
    assert [] == found(backend)


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="there is no system Python")
def test_a_missing_venv_is_built_by_the_owner_of_its_folder_and_filled(of_nobody, undo):
    env = place(of_nobody)
    (finding,) = found(of_nobody)
    assert ("venv.missing", f"{env} does not exist") == (finding.fault, finding.what)
    owner = env.parent.owner()
    expected = f"built anew as {owner}, and filled with {env.parent}/requirements.txt"
    assert expected == finding.remedy
    assert [0, 0] == [status for status, _ in mended(of_nobody)]
    assert ([], "1.0") == (found(of_nobody), version(of_nobody))
    assert (owner, 0o755) == (env.owner(), env.stat().st_mode & 0o777)
    assert [0] == [answer.status for answer in taken_back(of_nobody)]
    assert not env.exists()


def test_a_folder_that_is_no_venv_is_a_persons(backend):
    (filled(backend) / "pyvenv.cfg").unlink()
    (finding,) = found(backend)
    assert ("venv.missing", True) == (finding.fault, finding.by_person)
    assert f"{place(backend)} is no virtual environment" == finding.what
    assert [] == changes(backend)


def test_a_venv_whose_folder_is_gone_too_is_a_persons(backend):
    elsewhere = described(place(backend).parent / "nosuch")
    (finding,) = found(elsewhere)
    assert finding.by_person
    wanted = f"the folder that {place(elsewhere)} belongs in is not there either"
    assert f"put the backend back: {wanted}" == finding.remedy


def test_a_venv_behind_a_link_that_leads_nowhere_is_built_in_its_place(backend):
    place(backend).symlink_to("/nosuch")
    assert [(0, ""), (0, "")] == mended(backend)
    assert [] == found(backend)
    assert Path("/nosuch") == Path(f"{place(backend)}.broken-{RUN}").readlink()


def test_an_interpreter_that_is_gone_is_linked_anew_and_the_packages_survive(backend, undo):
    env = filled(backend)
    dangle(env)
    before = modes(env)
    (finding,) = found(backend)
    assert ("venv.interpreter-gone", False) == (finding.fault, finding.by_person)
    assert "bin/python leads to /usr/bin/python2.2" == finding.seen
    assert [(0, "")] == mended(backend)
    assert ([], "of before") == (found(backend), version(backend))
    assert {0} == {answer.status for answer in taken_back(backend)}
    assert Path("/usr/bin/python2.2") == (env / "bin/python3").readlink()
    assert before == modes(env)
    assert [] == list(env.parent.glob("*.broken-*"))


def test_a_venv_that_sees_the_systems_packages_still_does_once_it_is_linked_anew(backend):
    env = filled(backend)
    text = (env / "pyvenv.cfg").read_text()
    (env / "pyvenv.cfg").write_text(text.replace("packages = false", "packages = true"))
    dangle(env)
    mended(backend)
    assert "include-system-site-packages = true\n" in (env / "pyvenv.cfg").read_text()


def test_what_cannot_be_linked_anew_is_as_it_was_and_the_reason_said(backend):
    env = filled(backend)
    dangle(env)
    (change,) = changes(backend)
    script = change.script.replace("-m venv --upgrade", "-m venv --nosuch")
    answer = run(f"(\n{script}\n)")
    assert (1, True) == (answer.status, b"unrecognized arguments" in answer.text)
    assert Path("/usr/bin/python2.2") == (env / "bin/python3").readlink()
    assert "venv.interpreter-gone" == found(backend)[0].fault


def test_a_venv_that_was_cut_while_it_was_built_is_finished(backend):
    env = place(backend)
    env.mkdir()
    version = sys.version.split()[0]
    (env / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\nversion = {version}\n")
    assert "venv.interpreter-gone" == found(backend)[0].fault
    assert [(0, "")] == mended(backend)
    assert ["venv.requirement-missing"] == [finding.fault for finding in found(backend)]
    assert [0] == [status for status, _ in mended(backend)]
    assert [] == found(backend)


def test_where_that_version_is_gone_it_is_moved_away_and_built_anew(backend, undo):
    env = filled(backend)
    of_another_version(env)
    dangle(env)
    env.chmod(0o750)
    (finding,) = found(backend)
    assert "venv.interpreter-gone" == finding.fault
    assert "there is no other of that version: it is moved away" in finding.remedy
    (change, _) = changes(backend)
    assert f"(the old one: {env}.broken-{RUN})" in change.why
    assert [(0, ""), (0, "")] == mended(backend)
    assert ([], "1.0") == (found(backend), version(backend))
    assert 0o750 == env.stat().st_mode & 0o777
    assert [0] == [answer.status for answer in taken_back(backend)]
    assert "2.2.1" in (env / "pyvenv.cfg").read_text()
    (aside,) = env.parent.glob("*.undone-*")
    assert (aside / "bin/python").exists()


def test_a_venv_of_another_minor_version_is_built_anew_and_misses_no_requirement(backend):
    env = filled(backend)
    of_another_version(env)
    (finding,) = found(backend)
    assert "venv.minor-version-changed" == finding.fault
    assert (
        f"Python {sys.version.split()[0]}, which does not see the packages",
        "Python 2.2.1",
    ) == (
        finding.seen,
        finding.expected,
    )
    assert [(0, ""), (0, "")] == mended(backend)
    assert ([], "1.0") == (found(backend), version(backend))
    assert Path(f"{env}.broken-{RUN}/pyvenv.cfg").is_file()


def pretending(folder: Path, program: str) -> str:
    """Make a Python that is another one: a script, run before the real one is."""
    path = folder / "python-of-the-host"
    path.write_text(f'#!/bin/sh\n{program}\nexec {PYTHON} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_a_host_without_ensurepip_is_told_what_to_install_and_nothing_is_changed(backend, undo):
    env = filled(backend)
    of_another_version(env)
    program = 'case "$*" in *ensurepip*) echo "No module named ensurepip" >&2; exit 1;; esac'
    python = pretending(env.parent, program)
    before = sorted(env.parent.rglob("*"))
    ((status, said),) = mended(described(env.parent, python=python))
    assert 1 == status
    assert f"{python} has no ensurepip, so makes no venv: install its package" in said
    assert 1 == len(said.splitlines())
    assert (before, {}) == (sorted(env.parent.rglob("*")), kept(undo))


def test_a_python_that_is_not_there_is_named(backend):
    assert [(1, "python2.2 is not installed on the host: install it, or declare another")] == (
        mended(described(place(backend).parent, python="python2.2"))
    )


def test_an_owner_who_is_not_there_is_named(backend):
    assert [(1, "there is no user nosuch on the host")] == (
        mended(described(place(backend).parent, owner="nosuch"))
    )


def test_what_fails_halfway_is_moved_away_and_the_old_one_comes_back(backend):
    env = filled(backend)
    of_another_version(env)
    program = 'case "$*" in *"-m venv"*) : >"$4/half"; echo no space left; exit 1;; esac'
    python = pretending(env.parent, program)
    assert [(1, "no space left")] == mended(described(env.parent, python=python))
    assert (env / "lib").is_dir()
    assert not (env / "half").exists()
    assert [f"{env.name}.broken-{RUN}-1"] == [
        path.parent.name for path in env.parent.glob("*/half")
    ]
