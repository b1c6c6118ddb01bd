"""Processes of the same program: real ones, found by their command lines."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relogin.facts import copies, listeners
from relogin.finding import Unreadable
from tests.facts.answers import SHELLS, run

TOOL = "import sys, time; print('up', flush=True); time.sleep(60)"
FORKS = """\
import os, sys, time
if os.fork() == 0:
    time.sleep(60)
print('up', flush=True); time.sleep(60)
"""
Start = Callable[..., int]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a tool of the project, in its folder, until the test ends; give the process id."""
    running = []
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(sys.executable)
    (tmp_path / "bin/uvicorn").write_text(TOOL)
    (tmp_path / "bin/gunicorn").write_text(FORKS)

    def started(*words: str, cwd: Path = tmp_path) -> int:
        process = subprocess.Popen(
            [f"{tmp_path}/bin/python3", *words], cwd=cwd, stdout=subprocess.PIPE,
            start_new_session=True, executable=sys.executable,
        )  # fmt: skip
        running.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process.pid

    yield started
    for process in running:
        os.killpg(process.pid, 9)
        process.communicate()


def look(pid: int, command: str = "", sh: tuple[str, ...] = ("sh",)) -> tuple[copies.Copy, ...]:
    known = f"pid={pid}; unit=; command='{command}'; folder=/proc/{pid}/cwd"
    answer = run(f"{listeners.SCRIPT}\n{copies.SCRIPT}\n{known}\ncopies", sh)
    seen = copies.parse(answer)
    assert isinstance(seen, tuple), answer
    return seen


@pytest.mark.parametrize("sh", SHELLS)
def test_another_one_of_the_same_application_is_a_copy(start, tmp_path, sh):
    main = start(f"{tmp_path}/bin/uvicorn", "main:app", "--port", "8000")
    before = time.time()
    other = start(f"{tmp_path}/bin/uvicorn", "main:app", "--host", "::", "--port=8000", "--reload")
    (copy,) = look(main, sh=sh)
    assert (other, "uvicorn", Path("/proc/self").owner()) == (copy.pid, copy.program, copy.user)
    assert copy.same_port
    assert before - 1 < (copy.started or 0) < time.time() + 1


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (("main:app", "--port", "8000"), True),
        (("main:app", "-b", "0.0.0.0:8000"), True),
        (("main:app", "--port", "8001"), False),
        (("main:app",), False),
    ],
)
def test_ports_are_read_from_the_command_lines(start, tmp_path, words, same):
    main = start(f"{tmp_path}/bin/uvicorn", "main:app", "--port=8000")
    start(f"{tmp_path}/bin/uvicorn", *words)
    assert [same] == [copy.same_port for copy in look(main)]


def test_one_that_was_started_by_hand_in_the_folder_is_a_copy(start, tmp_path):
    main = start(f"{tmp_path}/bin/uvicorn", "main:app")
    by_hand = subprocess.Popen(
        ["python3", "bin/uvicorn", "main:app"], cwd=tmp_path, executable=sys.executable,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert by_hand.stdout is not None
    by_hand.stdout.readline()
    found = look(main)
    by_hand.kill()
    by_hand.communicate()
    assert [by_hand.pid] == [copy.pid for copy in found]


def test_others_are_no_copies(start, tmp_path):
    main = start(f"{tmp_path}/bin/uvicorn", "main:app")
    start(f"{tmp_path}/bin/uvicorn", "other:app")
    start(f"{tmp_path}/bin/gunicorn", "main:app")
    start("-c", TOOL, f"{tmp_path}/bin/uvicorn", "main:app")
    (tmp_path / "elsewhere/bin").mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere/bin/python3"
    elsewhere.symlink_to(sys.executable)
    other = subprocess.Popen([elsewhere, f"{tmp_path}/bin/uvicorn", "main:app"], cwd=tmp_path)
    found = look(main)
    other.kill()
    other.wait()
    assert () == found


def test_its_own_workers_are_no_copies(start, tmp_path):
    assert () == look(start(f"{tmp_path}/bin/gunicorn", "-w", "4", "project.wsgi"))


def test_a_command_line_without_an_application_is_not_judged(start, tmp_path):
    main = start(f"{tmp_path}/bin/uvicorn", "serve")
    start(f"{tmp_path}/bin/uvicorn", "serve")
    assert () == look(main)


def test_of_a_service_that_does_not_run_its_declared_command_is_looked_for(start, tmp_path):
    other = start(f"{tmp_path}/bin/uvicorn", "main:app", "--port", "8000")
    (copy,) = look(0, f"{tmp_path}/bin/uvicorn main:app --port 8000")
    assert (other, True) == (copy.pid, copy.same_port)


def test_without_an_answer_it_is_unreadable():
    assert isinstance(copies.parse(None), Unreadable)


@pytest.mark.parametrize("sh", SHELLS)
def test_a_copy_is_one_with_the_workers_that_it_has_forked(start, tmp_path, sh):
    main = start(f"{tmp_path}/bin/gunicorn", "main:app", "-b", ":8000")
    other = start(f"{tmp_path}/bin/gunicorn", "main:app", "-b", ":8001")
    assert [other] == [copy.pid for copy in look(main, sh=sh)]
