"""The lease that a run holds while it changes a backend, as the shells of hosts keep it."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from relogin import Backend, lease, remote, shell, undo
from relogin.facts import hold
from relogin.remote import Answer, unframed
from relogin.wire import Cut
from tests.core.test_shell import every_shell

BACKEND = Backend("shop")


@pytest.fixture
def as_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give how a run of that name would have a change carried out, by a shell."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def text(run: str, script: str = "echo done", deadline: float = 5) -> str:
        monkeypatch.setattr(undo, "run_id", lambda: run)
        return lease.guarded(BACKEND, script, deadline)

    return text


def carried_out(script: str, sh: tuple[str, ...] = ("sh",)) -> Answer:
    done = subprocess.run([*sh, "-s"], input=script.encode(), capture_output=True, check=False)
    return Answer(done.stdout, done.returncode)


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "relogin" / BACKEND.name / "lease").iterdir())


def let_end(folder: Path) -> Path:
    """Write a moment long ago into the lease that is there; give its file."""
    (file,) = kept(folder)
    _, rest = file.read_text().split("\n", 1)
    file.write_text(f"1000000000\n{rest}")
    return file


@every_shell
def test_a_change_runs_under_its_runs_lease_which_the_next_change_renews(sh, as_run, tmp_path):
    for _ in range(2):
        answer = carried_out(as_run("first", "echo done; exit 3"), sh)
        assert (b"done\n", 3) == (answer.text, answer.status)
    (file,) = kept(tmp_path)
    until, run, *_ = file.read_text().splitlines()
    assert "first" == run
    # the kernel's clock of files may be some milliseconds, and so a whole second, behind date's
    assert 0 < int(until) - file.stat().st_mtime <= lease.HELD_FOR + 1


@every_shell
@pytest.mark.parametrize("script", ["umask", "set"])
def test_the_change_itself_finds_the_shell_as_it_would_be_without_a_lease(sh, as_run, script):
    """But for `_` and the like, which every command sets anew."""
    passing = ("_=", "PPID=", "BASH_", "LINENO=", "PIPESTATUS=", "OPTIND=", "FUNCNAME=")
    texts = [carried_out(one, sh).text.decode() for one in (as_run("first", script), script)]
    lease_of, plain = (
        [line for line in text.splitlines() if not line.startswith(passing)] for text in texts
    )
    functions = lease_of.index("lease () ") if "lease () " in lease_of else None
    assert plain == lease_of[:functions]


@every_shell
def test_another_run_changes_nothing_and_is_told_whose_it_is(sh, as_run, tmp_path):
    carried_out(as_run("first"), sh)
    answer = carried_out(as_run("second", f"touch {tmp_path}/changed"), sh)
    said, run, at = lease.held_by(answer) or ("", "", "")
    assert "first" == run
    assert f" {os.getpid()}" in at
    assert "is changing it now (run first, until " in said
    assert not (tmp_path / "changed").exists()


@every_shell
def test_what_has_ended_is_anybodys(sh, as_run, tmp_path):
    carried_out(as_run("first"), sh)
    let_end(tmp_path)
    assert b"done\n" == carried_out(as_run("second"), sh).text
    (file,) = kept(tmp_path)
    assert "second" == file.read_text().splitlines()[1]
    assert lease.held_by(carried_out(as_run("first"), sh)) is not None


@every_shell
@pytest.mark.parametrize(("back", "holds"), [(-86400, True), (2, True), (3600, False)])
def test_a_clock_that_was_set_back_since_makes_none_last_longer(sh, as_run, tmp_path, back, holds):
    carried_out(as_run("first"), sh)
    (file,) = kept(tmp_path)
    until, *holder, since = file.read_text().splitlines()
    assert lease.HELD_FOR == int(until) - int(since)
    later = [str(int(moment) + back) for moment in (until, since)]
    left = "9999999999" if back < 0 else later[0]
    file.write_text("\n".join([left, *holder, later[1], ""]))
    assert holds is (lease.held_by(carried_out(as_run("second"), sh)) is not None)


@every_shell
def test_our_own_that_has_ended_is_taken_anew_like_anybodys(sh, as_run, tmp_path):
    carried_out(as_run("first"), sh)
    file = let_end(tmp_path)
    assert b"done\n" == carried_out(as_run("first"), sh).text
    (renewed,) = kept(tmp_path)
    assert ("1", "2") == (file.name, renewed.name)


@every_shell
@pytest.mark.parametrize("text", ["", "\n", "soon\nfirst\n", "\xff\0"])
def test_a_lease_that_cannot_be_read_holds_nobody_up(sh, as_run, tmp_path, text):
    folder = tmp_path / "relogin" / BACKEND.name / "lease"
    folder.mkdir(parents=True)
    (folder / "1").write_bytes(text.encode("latin-1"))
    assert b"done\n" == carried_out(as_run("second"), sh).text


@every_shell
def test_of_many_that_begin_at_once_one_works(sh, as_run, tmp_path):
    runs = [as_run(f"run-{n}", f"echo {n} >>{tmp_path}/changed; sleep 1") for n in range(12)]
    with ThreadPoolExecutor(len(runs)) as pool:
        ended = list(pool.map(lambda script: carried_out(script, sh), runs))
    (worked,) = (tmp_path / "changed").read_text().split()
    assert [0] == [answer.status for answer in ended if answer.status != 75]
    assert {f"run-{worked}"} == {found[1] for one in ended if (found := lease.held_by(one))}


PLACES = {"root's own place": "{0}/run-lease/shop", "a state folder": "{0}/relogin/shop/lease"}


@pytest.fixture
def looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give what a look is told that waits for a change of a process that does not end.

    A lease of the backend is in a place, and says `until` Unix time.
    """
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def cut(sh: tuple[str, ...], place: str, until: float, backend: str = "shop") -> Cut:
        folder = Path(PLACES[place].format(tmp_path).replace("shop", backend))
        folder.mkdir(parents=True)
        for number in (9, 10):
            lines = (f"{until:.0f}", f"run-{number}", "0a1b 7", "ada@laptop", str(folder))
            (folder / str(number)).write_text("\n".join(lines) + "\n")
        (tmp_path / "run").mkdir()
        started = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19]
        (tmp_path / "run" / str(os.getpid())).write_text(f"{started}\n")
        script = shell.framed("echo looked").replace("/run/relogin", f"{tmp_path}/run")
        script = script.replace('"$n" -lt 100', '"$n" -lt 2')
        with pytest.raises(Cut) as raised:
            unframed(carried_out(script, sh).text)
        return raised.value

    return cut


@every_shell
@pytest.mark.parametrize("place", PLACES)
def test_who_cannot_look_for_a_change_is_told_whose_it_is(sh, place, looked):
    cut = looked(sh, place, time.time() + 60)
    assert (False, True) == (cut.begun, f"(process {os.getpid()})" in str(cut))
    said, run, at = lease.among(cut.held, BACKEND) or ("", "", "")
    assert ("run-10", "0a1b 7") == (run, at)
    assert said.startswith("ada@laptop is changing it now (run run-10, until ")


@every_shell
def test_a_change_that_outlived_its_lease_is_nobodys(sh, looked):
    cut = looked(sh, "root's own place", time.time() - 1)
    assert len(cut.held) > 5
    assert lease.among(cut.held, BACKEND) is None


def test_who_changes_another_backend_there_is_named_with_it(looked):
    cut = looked(("sh",), "a state folder", time.time() + 60, backend="site")
    said, _, _ = lease.among(cut.held, BACKEND) or ("", "", "")
    assert said.startswith("ada@laptop is changing site now (run run-10, until ")


@pytest.mark.parametrize(
    "held",
    [(), ("7",), ("7", "#lease /a/shop/1"), ("", "#lease /a/shop/1", " 9", " r", " a", " w")],
)
def test_leases_that_cannot_be_read_name_nobody(held):
    assert lease.among(held, BACKEND) is None


@pytest.fixture
def record() -> SimpleNamespace:
    return SimpleNamespace(backend=BACKEND, leased=False, holder=None, halted=None)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> object:
    """A host whose channel is a shell here."""
    monkeypatch.setattr(remote, "change", lambda host, script, deadline: carried_out(script))
    return object()


def test_it_is_given_up_for_others_to_have_at_once(as_run, tmp_path, host, record):
    as_run("first")
    assert ("", True) == (lease.take(host, record), record.leased)
    lease.give_up(host, record)
    assert ([], False) == (list(tmp_path.iterdir()), record.leased)
    as_run("second")
    assert "" == lease.take(host, record)


def test_a_run_that_is_alive_is_not_robbed(as_run, host, record):
    carried_out(as_run("first"))
    as_run("second")
    assert "(run first, until " in lease.take(host, record)
    assert not record.leased


def test_a_process_that_died_on_this_machine_holds_nobody_up(as_run, tmp_path, host, record):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    carried_out(as_run("first"))
    (file,) = kept(tmp_path)
    file.write_text(file.read_text().replace(f" {os.getpid()}\n", f" {dead.pid}\n"))
    as_run("second")
    assert ("", True) == (lease.take(host, record), record.leased)


def test_the_dead_of_another_machine_are_waited_for(as_run, tmp_path, host, record):
    carried_out(as_run("first"))
    (file,) = kept(tmp_path)
    until, run, _, by, _, _ = file.read_text().splitlines()
    file.write_text(f"{until}\n{run}\n0a1b2c3d 4194304\n{by}\n")
    as_run("second")
    assert "(run first, until " in lease.take(host, record)


def test_where_none_can_be_kept_nothing_is_changed(as_run, tmp_path, host, record):
    (tmp_path / "relogin").write_text("in the way")
    as_run("first")
    assert lease.take(host, record).startswith("no lease can be kept there: ")
    assert not record.leased


def test_it_is_not_to_be_had_where_somebody_has_disabled_relogin(as_run, host, record):
    as_run("first")
    carried_out(hold.disabled(BACKEND, hold.Hold(0, "ada@laptop", "it's moved")))
    said = "disabled by ada@laptop until it is enabled again: it's moved"
    assert (said, False) == (lease.take(host, record), record.leased)
    carried_out(hold.enabled(BACKEND))
    assert "" == lease.take(host, record)
