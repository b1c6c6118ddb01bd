"""A venv that was moved: its scripts start the right Python again, every other byte kept."""

import subprocess
from pathlib import Path

import pytest

from relogin import Backend
from relogin.remote import Answer
from tests.facts.answers import run
from tests.operations.rebuilt import changes, described, filled, found, look, place
from tests.operations.test_venv_rebuild import backend
from tests.operations.undoing import taken_back

__all__ = ["backend"]  # a fixture

BODY = b"# -*- coding: utf-8 -*-\nimport sys, colt\nprint(colt.version, sys.argv[1:])\n"
OLD = b"#!/old/place/bin/python\n"
OLD_BY_SH = b"#!/bin/sh\n'''exec' \"/old place/bin/python\" \"$0\" \"$@\"\n' '''\n"


def moved(backend: Backend, head: bytes = OLD) -> Path:
    script = filled(backend) / "bin/colt"
    script.write_bytes(head + BODY)
    script.chmod(0o755)
    return script


def mended(backend: Backend) -> Answer:
    (change,) = changes(backend)
    return run(f"(\n{change.script}\n)")


def test_what_its_scripts_start_is_said_and_no_requirement_with_it(backend):
    script = moved(backend)
    Path(backend.venv.requirements[0]).write_text("nosuch\n")
    (finding,) = found(backend)
    assert ("venv.moved", True, False) == (finding.fault, finding.critical, finding.by_person)
    assert f"scripts in {script.parent} start another Python: colt" == finding.what
    assert "they start /old/place/bin/python: it was moved here, or copied" == finding.seen


@pytest.mark.parametrize("head", [OLD, OLD_BY_SH])
def test_a_path_with_a_blank_goes_by_way_of_sh(backend, head):
    script = moved(backend, head)
    assert 0 == mended(backend).status
    python = f"{place(backend)}/bin/python"
    expected = f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n"
    assert expected.encode() + BODY == script.read_bytes()
    assert 0o755 == script.stat().st_mode & 0o777
    assert "of before ['a b']\n" == said(script)
    assert [] == found(backend)


@pytest.mark.parametrize(
    ("head", "new"),
    [
        (OLD, "#!{env}/bin/python\n"),
        (b"#!/old/bin/python3 -I\n", "#!{env}/bin/python3 -I\n"),
        (b"#!/old/bin/python2.2\n", "#!{env}/bin/python\n"),
        (OLD_BY_SH, "#!{env}/bin/python\n"),
    ],
)
def test_a_short_path_stands_in_the_first_line(backend, tmp_path_factory, head, new):
    folder = tmp_path_factory.mktemp("e")
    backend = described(folder, name="env")
    (folder / "requirements.txt").write_text("colt\n")
    script = moved(backend, head)
    assert 0 == mended(backend).status
    assert new.format(env=folder / "env").encode() + BODY == script.read_bytes()
    assert "of before ['a b']\n" == said(script)


def test_a_path_that_is_too_long_for_the_kernel_goes_by_way_of_sh(backend, tmp_path_factory):
    folder = tmp_path_factory.mktemp("e") / ("long" * 30)
    folder.mkdir()
    backend = described(folder, name="env")
    (folder / "requirements.txt").write_text("colt\n")
    script = moved(backend)
    assert 0 == mended(backend).status
    assert script.read_bytes().startswith(b"#!/bin/sh\n")
    assert "of before ['a b']\n" == said(script)


def test_a_path_that_no_script_can_name_is_refused_and_nothing_changed(backend, tmp_path):
    backend = described(tmp_path, name="$HOME env")
    script = moved(backend)
    answer = mended(backend)
    assert (1, f"{script.parent}/: no script can name such a path") == (
        answer.status,
        answer.text.decode().strip(),
    )
    assert OLD + BODY == script.read_bytes()


def test_the_old_scripts_can_be_brought_back(backend, undo):
    script = moved(backend)
    mended(backend)
    assert [0] == [answer.status for answer in taken_back(backend)]
    assert OLD + BODY == script.read_bytes()
    assert 0o755 == script.stat().st_mode & 0o777


def test_it_was_moved_whatever_stands_at_the_old_place(backend):
    moved(backend)
    assert {"colt": "/old/place/bin/python"} == look(backend).venv.strays


def said(script: Path) -> str:
    done = subprocess.run([script, "a b"], capture_output=True, text=True, check=True)
    return done.stdout
