"""Who listens, as the script finds it here, and as it stands in the way of a service."""

import os
import socket
import time
from pathlib import Path

import pytest

from relogin.facts import listeners
from relogin.facts.listeners import Listener, holders
from relogin.finding import Unreadable
from tests.facts.answers import SHELLS, run

ERROR = (
    "ERROR:    [Errno 98] error while attempting to bind on address ('{}', {}): address already"
    " in use"
)
OTHER = Listener("127.0.0.1", 8000, 7, "python3", "root", "other.service", 1.0)


@pytest.mark.skipif(os.geteuid() != 0, reason="ss shows others' processes to root alone")
@pytest.mark.parametrize("sh", SHELLS)
def test_a_process_that_listens_is_seen_with_its_start(sh):
    began = time.time() - float(Path("/proc/uptime").read_text().split()[0])
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = listeners.parse(run(f"{listeners.SCRIPT}\nports", sh))
    assert isinstance(found, tuple)
    (mine,) = [one for one in found if one.port == port]
    assert (mine.address, mine.pid, mine.user) == ("127.0.0.1", os.getpid(), "root")
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    assert mine.started == pytest.approx(began + ticks / listeners.TICKS, abs=0.1)


def test_without_an_answer_it_is_unreadable():
    assert isinstance(listeners.parse(None), Unreadable)


@pytest.mark.parametrize(
    "line",
    [
        ERROR.format("127.0.0.1", 8000),
        ERROR.format("0.0.0.0", 8000),
        "[2026-11-21 10:00:00 +0000] [7] [ERROR] Connection in use: ('127.0.0.1', 8000)",
        ERROR.format("***", 8000),  # the environment has the address, so the log has lost it
    ],
)
def test_uvicorn_and_gunicorn_say_which_port_they_wanted(line):
    assert [OTHER] == holders((line,), (OTHER,))


@pytest.mark.parametrize("line", [ERROR.format("127.0.0.1", 80), ERROR.format("10.0.0.1", 8000)])
def test_another_port_or_address_is_not_in_the_way(line):
    assert [] == holders((line,), (OTHER,))
