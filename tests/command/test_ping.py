"""--ping: a watcher is told that a run began and how it ended, and never changes that."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.command.folder import Folder

TOKEN = "canary-0b5c-of-the-watcher"


class Watching(ThreadingHTTPServer):
    """A watcher as healthchecks.io is one; `heard` are the ends of the paths that were asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[str] = []
        self.status = 200
        self.slow = threading.Event()
        self.slow.set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/{TOKEN}"


class _Handler(BaseHTTPRequestHandler):
    server: Watching

    def do_GET(self) -> None:
        self.server.heard.append(self.path.replace(f"/{TOKEN}", "", 1))
        self.server.slow.wait(30)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def watcher() -> Iterator[Watching]:
    with Watching() as server:
        running = threading.Thread(target=server.serve_forever)
        running.start()
        yield server
        server.slow.set()
        server.shutdown()
        running.join()


def drift(folder: Folder, *words: str, expect: int, **environ: str) -> str:
    done = folder.run("drift", "inventory.py", *words, **environ)
    said = done.stdout + done.stderr
    assert expect == done.returncode, said
    assert TOKEN not in said
    for file in (folder.home / "state").rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()
    return said


def test_what_was_healed_wakes_nobody(folder, watcher) -> None:
    drift(folder, "--ping", watcher.url, expect=0)
    folder.env.write_text("MODE=dead\n")
    drift(folder, "--ping", watcher.url, expect=2)
    assert ["/start", "", "/start", ""] == watcher.heard


def test_what_was_healed_is_0_where_that_was_asked_for(folder) -> None:
    folder.env.write_text("MODE=dead\n")
    drift(folder, "--healed-ok", expect=0)
    assert "MODE=live\n" == folder.env.read_text()


def test_what_was_only_seen_is_told_by_its_code(folder, watcher) -> None:
    folder.env.write_text("MODE=dead\n")
    drift(folder, "--report-only", "--healed-ok", "--ping", watcher.url, expect=2)
    assert ["/start", "/2"] == watcher.heard


def test_what_was_left_beside_what_was_mended_is_told_by_its_code(folder, watcher) -> None:
    folder.env.write_text("MODE=dead\n")
    (folder.home / "inventory.py").write_text(
        (folder.home / "inventory.py").read_text()
        + "\nfrom relogin import Fault, Finding, Severity\n"
        "import dataclasses\n"
        "_own = Fault('service.ours', lambda b, s: Finding('ours'), about='ours',"
        " severity=Severity.WARNING)\n"
        "hosts = [(n, {**d, 'mine': dataclasses.replace(d['mine'], faults=(_own,))})"
        " for n, d in hosts]\n"
    )
    drift(folder, "--healed-ok", "--ping", watcher.url, expect=2)
    assert "MODE=live\n" == folder.env.read_text()
    assert ["/start", "/2"] == watcher.heard


def test_a_refused_login_and_a_wrong_use_are_told_by_their_codes(folder, watcher) -> None:
    folder.backend.lets_in = "another one"
    drift(folder, "--ping", watcher.url, expect=3)
    drift(folder, "--limit", "nobody", "--ping", watcher.url, expect=64)
    assert ["/start", "/3", "/start", "/64"] == watcher.heard


@pytest.mark.parametrize("command", ["diagnose", "restore"])
def test_the_other_commands_tell_it_too(folder, watcher, command) -> None:
    folder.backend.lets_in = "another one"
    assert 3 == folder.run(command, "inventory.py", "--ping", watcher.url).returncode
    assert ["/start", "/3"] == watcher.heard


def test_the_url_may_come_from_elsewhere_than_an_argument(folder, watcher) -> None:
    (folder.home / "url").write_text(f"{watcher.url}\n")
    (folder.home / "RELOGIN_CREDENTIAL").write_text(watcher.url)
    drift(folder, expect=0, RELOGIN_PING=watcher.url)
    drift(folder, "--ping", "env:OF_MINE", expect=0, OF_MINE=watcher.url)
    drift(folder, "--ping", "file:url", expect=0)
    drift(folder, "--ping", "command:cat url", expect=0)
    ours = {"CREDENTIALS_DIRECTORY": str(folder.home)}
    drift(folder, "--ping", "env:RELOGIN_CREDENTIAL", expect=0, **ours)
    assert ["/start", ""] * 5 == watcher.heard


def test_a_query_stays_at_the_end(folder, watcher) -> None:
    drift(folder, "--ping", f"{watcher.url}/a%2Fb/?create=1", expect=0)
    assert ["/a%2Fb/start?create=1", "/a%2Fb?create=1"] == watcher.heard


@pytest.mark.parametrize("url", [TOKEN, f"ftp://127.0.0.1/{TOKEN}", f"http:///{TOKEN}", "env:NONE"])
def test_what_is_no_url_is_refused_before_anything_is_touched(folder, url) -> None:
    said = drift(folder, "--ping", url, expect=64)
    assert "--ping" in said
    assert [] == folder.backend.logins


def test_a_watcher_that_fails_is_said_and_changes_nothing(folder, watcher) -> None:
    watcher.status = 404
    said = drift(folder, "--ping", watcher.url, expect=0)
    assert "--ping: 127.0.0.1 was not told of this run: it answered 404" in said
    said = drift(folder, "--ping", f"http://127.0.0.1:9/{TOKEN}", expect=0)
    assert "--ping: 127.0.0.1 was not told of this run: nobody listens there" in said


def test_a_watcher_that_never_answers_holds_nobody_up_for_long(folder, watcher) -> None:
    watcher.slow.clear()
    began = time.monotonic()
    said = drift(folder, "--ping", watcher.url, expect=0)
    assert "no answer in time" in said
    assert time.monotonic() - began < 30


def test_a_pass_of_a_fleet_is_told_as_any_other_run(fleet, watcher) -> None:
    """What was healed wakes nobody, and is 0 where that was asked for; a lost host is told."""
    fleet.hosts(2)
    fleet.worker("--tries", "1")
    healed = fleet.drift("--ping", watcher.url, "--healed-ok")
    assert 0 == healed.returncode, healed.stderr + "".join(fleet.said)
    assert "2 of 2 hosts: 2 findings" in healed.stdout
    fleet.hosts(2, lost=(1,), mode="live")
    lost = fleet.drift("--ping", watcher.url, "--healed-ok")
    assert 1 == lost.returncode, lost.stderr
    assert ["/start", "", "/start", "/1"] == watcher.heard
    assert TOKEN not in healed.stdout + healed.stderr + lost.stdout + lost.stderr


def test_a_pass_that_only_looked_is_not_healed(fleet, watcher) -> None:
    fleet.hosts(1)
    fleet.worker()
    words = ("--report-only", "--healed-ok", "--ping", watcher.url)
    assert 2 == fleet.drift(*words).returncode
    assert ["/start", "/2"] == watcher.heard
