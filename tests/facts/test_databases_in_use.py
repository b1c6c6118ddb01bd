"""What a running process has open, asked of a real one; and whose database that is."""

import getpass
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relogin.facts.databases_in_use import DatabasesInUse, parse, script
from relogin.facts.postgres_state import Target
from relogin.finding import Unreadable
from relogin.remote import Answer
from tests.facts.answers import run

DECLARED = Target("shop_user", "shop", 5432)
ACTIVITY = [
    {"database": "shop_dev", "role": "shop_user", "port": 40000},
    {"database": "others", "role": "u", "port": 40001},
    {"database": "shop", "role": "shop_user", "port": -1},
]
CHILD = """
import os, socket, sqlite3, subprocess, sys
if sys.argv[1] == "below":
    child = subprocess.Popen([sys.executable, "-c", sys.argv[4], "here", *sys.argv[2:]])
    child.wait()
    sys.exit()
opened = sqlite3.connect(sys.argv[2]) if sys.argv[2] else None
opened and opened.execute("create table if not exists t (c)")
there = int(sys.argv[3]) and socket.create_connection(("127.0.0.1", int(sys.argv[3])))
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def process(file: Path | None, port: int = 0, *, where: str = "here") -> Iterator[int]:
    """Run a program that has a file and a connection open, itself or a child of its."""
    words = [sys.executable, "-c", CHILD, where, str(file or ""), str(port), CHILD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, text=True, **pipes) as running:  # type: ignore[call-overload]
        assert running.stdout.readline() == "ready\n"
        yield running.pid
        running.stdin.close()


@contextmanager
def server() -> Iterator[int]:
    """Listen on a port that a cluster may have."""
    for port in range(5433, 5450):
        try:
            with socket.create_server(("127.0.0.1", port)):
                yield port
        except OSError:
            continue
        return


def seen(pid: int, target: Target = DECLARED) -> DatabasesInUse | Unreadable:
    return parse(target, {"process": run(f"process() {{\n{script(pid, target)}\n}}\nprocess")})


needs_ss = pytest.mark.skipif(shutil.which("ss") is None, reason="this machine has no ss")


@needs_ss
@pytest.mark.parametrize("where", ["here", "below"])
def test_files_and_servers_of_a_process_and_its_children_are_seen(tmp_path, where):
    file = tmp_path / "fall back.sqlite3"
    with server() as port, process(file, port, where=where) as pid:
        use = seen(pid)
    assert use == DatabasesInUse(DECLARED, (str(file),), (("127.0.0.1", port),))


@needs_ss
def test_the_declared_server_is_no_other(tmp_path):
    with server() as port, process(None, port) as pid:
        target = Target("shop_user", "shop", port, host="localhost")
        assert seen(pid, target) == DatabasesInUse(target)


def test_a_process_that_has_ended_is_not_seen():
    with process(None) as pid:
        pass
    assert seen(pid) == Unreadable("what the backend's process has open: it has ended")


@pytest.mark.skipif(getpass.getuser() == "root", reason="root may look at everything")
def test_another_users_process_is_not_seen():
    assert isinstance(seen(1), Unreadable)


def answered(process: str, activity: object = ACTIVITY, status: int = 0) -> DatabasesInUse:
    rows = json.dumps({"part": "activity", "used": activity}).encode()
    answers = {"process": Answer(process.encode(), 0), "activity": Answer(rows, status)}
    use = parse(DECLARED, answers)
    assert isinstance(use, DatabasesInUse)
    return use


def test_a_connection_is_known_by_its_port_in_the_servers_own_list():
    assert ("shop_dev",) == answered("peer 127.0.0.1:40000 127.0.0.1:5432").databases
    assert ("shop_dev",) == answered("peer [::1]:40000 [::ffff:127.0.0.1]:5432").databases
    assert () == answered("peer 127.0.0.1:40002 127.0.0.1:5432").databases
    assert () == answered("peer 127.0.0.1:40000 127.0.0.1:5432", status=1).databases


def test_another_server_is_known_by_its_address_or_its_port():
    lines = "\n".join(
        (
            "host 10.0.0.5",
            "peer 10.0.0.9:1 10.0.0.7:5432",
            "peer 10.0.0.9:2 10.0.0.7:5432",
            "peer 127.0.0.1:3 127.0.0.1:6432",
            "peer 127.0.0.1:4 127.0.0.1:6379",
            "peer nonsense",
        )
    )
    assert (("10.0.0.7", 5432), ("127.0.0.1", 6432)) == answered(lines).servers


@pytest.mark.parametrize("status", [3, 4, 5, 127])
def test_what_could_not_be_seen_is_not_nothing(status):
    assert isinstance(parse(DECLARED, {"process": Answer(b"", status)}), Unreadable)
    assert isinstance(parse(DECLARED, {}), Unreadable)
