"""A run that is cut, frozen or killed at any remote command: said, nothing half done, then healed.

RELOGIN_TEST_ALL=1 steps in at each command; otherwise a sample by the seed that pytest prints.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from relogin import shell
from relogin.remote import Answer, answer_in, unframed
from tests.line import Line

from .cases import EVERYTHING
from .cases.case import BACKEND, ENV, UNDO
from .host import Host
from .inventory import block, by, run, through
from .product import Ran, restore
from .steps import SEED, Steps, sample, stepping
from .test_restore import differences, unexpected

pytestmark = pytest.mark.lab

MOST = 20  # a run that mends everything has no more remote commands
HOWS = ("cut before", "cut within", "cut with all its processes", "killed before", "killed within")
GIVEN_UP = 60  # seconds by which a run has ended whose host is silent from its middle on
POINTS = [(how, number) for how in HOWS for number in range(1, MOST + 1)]
LOST = ("the connection was lost", "the connection failed", "no sign of life")
# The shells of the session, the root shell that sudo started, and all that they have started; by
# bash, since the console's own shell is an `sh -s` as well.
KILL_ALL = """
for pid in $(pgrep -u deploy) $(pgrep -fx 'sh -s'); do
  pkill -KILL -s "$(ps -o sid= -p "$pid" | tr -d ' ')"
done 2>/dev/null
true
"""
DECLARED = (
    *(*ENV, *UNDO, "file:/srv/", "distribution:", "env:SECRET_KEY"),
    *("role-verifier:halext_user", "row:halext_org.public.users:"),
    "value:halext_org.public.users_id_seq",
)
KEPT = ("SMTP_HOST=smtp.example.org", 'QUOTED="a b"', "   INDENTED=kept", "LOG_LEVEL=info")


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


def interrupted(host: Host, folder: Path, how: str, at: int) -> tuple[Ran, Steps]:
    """Run the restore through a line of ours; step in at its remote command of that number."""
    chance = random.Random(f"{SEED} {how} {at}")

    def act(name: str, number: int, moment: str, pid: int) -> None:
        if number != at or moment != ("begin" if how.endswith("before") else "sent"):
            return
        if moment == "sent":
            time.sleep(chance.random())
        if how.startswith("killed"):
            os.kill(pid, signal.SIGKILL)
        elif how.startswith("frozen"):
            line.freeze()
        else:
            line.cut()
        if how.endswith("all its processes"):
            host.console(["bash", "-c", KILL_ALL])

    with Line(host.address) as line, stepping(act) as steps:
        timeout = GIVEN_UP if how.startswith("frozen") else 300
        way = through(line, host, folder)
        ran = run(folder, [way], program=steps.program, timeout=timeout)
    return ran, steps


@pytest.mark.parametrize(("how", "at"), sample(POINTS, 2))
def test_a_run_that_ends_in_the_middle_is_finished_by_the_next(host, tmp_path, how, at):
    healthy = host.snapshot()
    host.root(EVERYTHING)
    host.forget_execs()

    ran, steps = interrupted(host, tmp_path, how, at)

    assert_left_whole(host)
    if steps.count(host.name) < at:
        assert 0 == ran.code, ran.output
    elif how.startswith("killed"):
        assert -signal.SIGKILL == ran.code, ran.output
    else:
        assert_stopped(ran, host, steps, at, how)
    assert_converges(host, healthy)


def test_a_run_that_mends_everything_has_no_more_commands_than_are_tried(host, tmp_path):
    host.root(EVERYTHING)
    ran, steps = interrupted(host, tmp_path, "never", 0)
    assert 0 == ran.code, ran.output
    assert MOST - 3 <= steps.count(host.name) <= MOST, steps.count(host.name)


@pytest.mark.parametrize(
    ("how", "at"),
    sample([(f"frozen {w}", n) for w in ("before", "within") for n in range(1, 7)], 1),
)
def test_a_host_that_freezes_is_given_up_in_time_and_finished_by_the_next_run(
    host, tmp_path, how, at
):
    healthy = host.snapshot()
    host.root(EVERYTHING)
    host.forget_execs()

    ran, steps = interrupted(host, tmp_path, how, at)

    assert_left_whole(host)
    assert_stopped(ran, host, steps, at, how)
    assert "no sign of life from the host for 20 s" in block(ran, host)
    assert_converges(host, healthy)


@pytest.mark.parametrize("act", ["cut", "freeze"])
def test_a_host_that_is_lost_while_the_login_is_tried_is_not_called_broken(host, tmp_path, act):
    """The login itself is sent beside the look: what it is proven by comes behind that."""

    def lose(name: str, number: int, moment: str, pid: int) -> None:
        if moment == "request" and (host.name, 1, "done") in steps.seen:
            getattr(line, act)()

    with Line(host.address) as line, stepping(lose) as steps:
        way = through(line, host, tmp_path)
        ran = run(tmp_path, [way], program=steps.program, timeout=GIVEN_UP)

    said = lost(ran, host)
    assert "the login could not be tried" in said
    assert "the connection to the host was lost meanwhile" in said


def test_a_host_that_is_lost_beside_its_look_is_not_called_broken(host, tmp_path):
    def lose(name: str, number: int, moment: str, pid: int) -> None:
        if moment == "request":
            line.cut()

    with Line(host.address) as line, stepping(lose) as steps:
        way = through(line, host, tmp_path)
        ran = run(tmp_path, [way], program=steps.program, timeout=GIVEN_UP)

    assert "the connection was lost before the answer was complete" in lost(ran, host)


def lost(ran: Ran, host: Host) -> str:
    """See that a run without its host found nothing broken; give what it said of it."""
    assert 1 == ran.code, ran.output
    assert "Traceback" not in ran.output, ran.output
    said = block(ran, host)
    assert "people cannot log in" not in said
    assert [] == ran.section("What was wrong first"), said
    return said


def test_an_sshd_that_stops_does_not_hold_up_the_other_host(lab, tmp_path):
    one, two = lab
    try:
        one.root("systemctl stop halext-api")
        two.root("systemctl stop halext-api")

        def act(name: str, number: int, moment: str, pid: int) -> None:
            if (name, number, moment) == (one.name, 1, "begin"):
                one.root("pkill -STOP -f '^sshd: deploy'")

        with stepping(act) as steps:
            ran = run(tmp_path, [by(one), by(two)], program=steps.program, timeout=GIVEN_UP)

        assert 1 == ran.code, ran.output
        assert "no sign of life from the host for " in block(ran, one), ran.output
        assert "people can log in again" in block(ran, two), ran.output
        assert two.login().works
    finally:
        one.root("pkill -CONT -f '^sshd: deploy'; true")
    assert 0 == run(tmp_path, [by(one), by(two)]).code
    assert one.login().works
    for each in lab:
        each.heal()


def test_a_run_waits_for_a_change_that_still_runs_and_acts_on_what_it_left(host):
    change = shell.framed(shell.one("it", "sleep 4; echo done >/root/left"), changes=True)
    running = threading.Thread(target=host.console, args=(["sh", "-s"], change.encode()))
    running.start()
    host.root('until [ -n "$(ls /run/relogin 2>/dev/null)" ]; do sleep 0.1; done')

    look = shell.framed(shell.side_by_side({"it": "cat /root/left"}))
    (line,) = unframed(host.console(["sh", "-s"], look.encode()).stdout)

    running.join()
    assert ("it", Answer(b"done\n", 0)) == answer_in(line)
    host.root("rm /root/left")


def test_a_change_that_goes_on_and_on_is_said_and_nothing_is_done_beside_it(host):
    """A mark counts for none whose process has ended, or is another one of that id."""
    started = "sed 's/.*) //' /proc/$1/stat | cut -d ' ' -f 20"
    host.root(f"""mkdir -p /run/relogin; systemctl stop halext-api
    echo 1 >/run/relogin/1; echo 5 >/run/relogin/99999
    sleep 300 & set -- $!; {started} >/run/relogin/$1""")
    try:
        ran = restore(host)
        assert 1 == ran.code, ran.output
        assert "a change of an earlier run is still running there (process" in block(ran, host)
        assert not host.login().works
    finally:
        host.root("pkill -x sleep; true")
    assert 0 == restore(host).code
    assert "" == host.root("ls /run/relogin")


def assert_left_whole(host: Host) -> None:
    """The env file has every line that nobody wanted changed, to the last; rows are whole."""
    text = host.root(f"cat {BACKEND}/.env")
    lines = text.split("\n")
    assert "" == lines[-1], text
    assert [] == [line for line in KEPT if line not in lines]


def assert_stopped(ran: Ran, host: Host, steps: Steps, at: int, how: str) -> None:
    assert 1 == ran.code, ran.output
    assert "Traceback" not in ran.output
    said = block(ran, host)
    assert any(why in said for why in LOST), said
    assert "people can log in again" not in said
    reached = [(number, moment) for name, number, moment in steps.seen if name == host.name]
    assert [] == [moment for number, moment in reached if number > at and moment == "sent"]


def assert_converges(host: Host, healthy: dict[str, str]) -> None:
    second = restore(host)
    assert 0 == second.code, second.output
    assert host.login().works, second.output
    mended = host.snapshot()
    assert {} == unexpected(differences(healthy, mended), DECLARED), second.output
    assert "" == host.root(f"find {BACKEND} -name '.env?*'")
    # what a killed change noted of itself may stay until the next one, where none is due
    running = '[ ! -e "$one" ] || [ ! -e "/proc/${one##*/}" ] || echo "$one"'
    assert "" == host.root(f"for one in /run/relogin/[1-9]*; do {running}; done")
    third = restore(host)
    assert 0 == third.code, third.output
    assert [] == third.changed(), third.output
    assert {} == differences(mended, host.snapshot())
