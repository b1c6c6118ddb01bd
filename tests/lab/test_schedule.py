"""Drift corrected by a systemd timer on a control machine: healed between ticks, seen, told."""

import dataclasses
import re
import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from .cases.case import BACKEND
from .host import Host
from .inventory import by, run, written
from .leaks import SIGNS, given_to_programs, held_by_files, leaks
from .product import REPOSITORY
from .schedules import (
    DEPLOY,
    NIGHTLY,
    OPS,
    SHARED,
    UNIT,
    USER,
    as_user,
    changed,
    described,
    files,
    journal,
    name_of,
    scheduled,
    undone,
)
from .test_killed import UP
from .test_restore import differences, unexpected
from .watching import TOKEN, Watching, watching
from .wheel import HOME, install

pytestmark = pytest.mark.lab

BREAK = f"sed -i s/^DEV_MODE=.*/DEV_MODE=true/ {BACKEND}/.env; systemctl stop halext-api"
SLOW = """
cd /run/systemd/system; mkdir halext-api.service.d
printf '[Service]\\nExecStartPre=/bin/sleep 12\\n' >halext-api.service.d/slow.conf
systemctl daemon-reload
"""
# Of systemd, beside what the deploy makes; and the history, which is the user's.
KEPT = ("file:/var/lib/relogin",)


@pytest.fixture(scope="module")
def control(lab: list[Host], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Give a machine with relogin and an inventory of another one, reached by its user's key."""
    one, two = lab
    house = tmp_path_factory.mktemp("control")
    near = dataclasses.replace(
        two,
        key=Path(f"/home/{USER}/.ssh/id_ed25519"),
        known_hosts=Path(f"/home/{USER}/.ssh/known_hosts"),
    )
    written(house, by(near))
    for name, text in {
        "id_ed25519": two.key.read_text(),
        "known_hosts": two.known_hosts.read_text(),
    }.items():
        (house / name).write_text(text)
    (house / "halext.py").write_text((REPOSITORY / "inventories/group_data/halext.py").read_text())
    install(one)
    one.root(SHARED)
    one.install(house, ["hosts.py", "halext.py", "id_ed25519", "known_hosts"], PLACED)
    yield one
    one.root("systemctl disable shared; mount --make-rprivate /")
    one.root(
        f"systemctl stop {UNIT}.timer {NIGHTLY}.timer {UNIT}.service || true; rm -rf {HOME}"
        " /var/lib/relogin-* /var/lib/systemd/timers/stamp-relogin*"
    )
    for host in lab:
        host.heal()


PLACED = f"""
mkdir -p {OPS}/group_data ~{USER}/.ssh; cd {OPS}; tar -x
mv id_ed25519 known_hosts ~{USER}/.ssh; mv halext.py group_data
chmod 700 ~{USER}/.ssh ~{USER}; chmod 600 ~{USER}/.ssh/*; chown -R {USER}: ~{USER}
"""


@pytest.fixture
def watcher() -> Iterator[Watching]:
    with watching() as server:
        yield server


def test_a_host_that_breaks_between_two_ticks_is_healed_at_the_next(
    lab, control, watcher, tmp_path
):
    target = lab[1]
    before = files(control)
    control.forget_execs()

    ran = scheduled(tmp_path, control, watcher, on_calendar="'*:*:0/10'")
    assert 0 == ran.code, ran.output
    assert 6 == len(changed(ran)), ran.output
    again = scheduled(tmp_path, control, watcher, on_calendar="'*:*:0/10'")
    assert (0, []) == (again.code, changed(again)), again.output
    judged(control)

    assert watcher.wait(lambda: "" in watcher.told()), journal(control)
    assert watcher.wait(lambda: "/start" != watcher.told()[-1]), journal(control)
    target.root(BREAK)
    broken = time.time()
    assert watcher.wait(lambda: len(watcher.told(broken)) >= 2), journal(control)
    assert ["/start", ""] == watcher.told(broken)[:2], journal(control)
    assert target.login().works
    told(control)

    target.root(f"{SLOW}{BREAK}")
    slow = time.time()
    assert watcher.wait(lambda: len(watcher.told(slow)) >= 4), journal(control)
    assert ["/start", ""] * 2 == watcher.told(slow)[:4], journal(control)
    assert target.login().works
    told_of = [what == "/start" for _, what in watcher.heard]
    assert [n % 2 == 0 for n in range(len(told_of))] == told_of, watcher.heard
    starts = [at for at, what in watcher.heard if what == "/start"]
    assert any(later - sooner > 12 for sooner, later in pairwise(starts))

    made_up(tmp_path, control, watcher)
    leaves_no_secret(control)
    is_removed(tmp_path, control, before)


def judged(control: Host, most: float = 2) -> None:
    """systemd's own tools find nothing wrong with the units, and little that they could do."""
    control.root(f"systemd-analyze verify {UNIT}.service {UNIT}.timer 2>&1 | (! grep relogin)")
    said = control.root(f"systemd-analyze security {UNIT}.service --no-pager | tail -n 1")
    assert float(re.findall(r"\d+\.\d+", said)[0]) < most, said


def told(control: Host) -> None:
    """The history and the report of the control machine say what, when and why."""
    ours = f"RELOGIN_STATE=/var/lib/{UNIT} {HOME}/env/bin/relogin"
    history = as_user(control, f"{ours} history")
    what = f"DEV_MODE in {BACKEND}/.env is not the declared value"
    assert what in history, history
    [healed] = re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d .* by .*, run (\S+)\n", history)
    report = as_user(control, f"{ours} report {healed} --markdown")
    words = [
        what,
        "changed by: `something on the host",
        "write DEV_MODE",
        "people can log in again",
    ]
    assert [] == [one for one in words if one.lower() not in report.lower()], report


def made_up(folder: Path, control: Host, watcher: Watching) -> None:
    """A tick that was missed while the machine was off comes when it is on again, and only then.

    The machine's power is cut, and it boots; how long it was off is what its timer has noted.
    """
    control.root(f"systemctl disable --now {UNIT}.timer")
    assert watcher.wait(lambda: "" == watcher.told()[-1], 60), journal(control)
    hour = (time.gmtime().tm_hour + 12) % 24
    fields = {"name": repr(NIGHTLY), "on_calendar": repr(f"*-*-* {hour:02}:00:00 UTC")}
    ran = scheduled(folder, control, watcher, **fields)
    assert 0 == ran.code, ran.output
    quiet = len(watcher.heard)
    stamp = f"/var/lib/systemd/timers/stamp-{NIGHTLY}.timer"
    control.root(f"touch -d '2 days ago' {stamp}")
    assert quiet == len(watcher.heard)
    assert [] == leaks(journal(control), (*SIGNS, TOKEN))  # a reboot may empty it
    subprocess.run(["docker", "restart", "--time", "0", control.name], check=True, timeout=120)
    assert watcher.wait(lambda: ["/start", ""] == watcher.told()[quiet:]), journal(control)
    assert "people can log in" in journal(control)
    control.root(UP)


def leaves_no_secret(control: Host) -> None:
    """Only root reads the secrets, where they are kept for it: nobody is told them, nor shown."""
    signs = (*SIGNS, TOKEN)
    shown = control.root(
        f"systemctl show {UNIT}.service {NIGHTLY}.service; cat /etc/systemd/system/relogin-*"
    )
    assert [] == leaks(shown + journal(control), signs)
    assert [] == given_to_programs(control.execs(), signs)
    held = [
        path for path in held_by_files(control, signs, new=True) if not path.startswith("/srv/")
    ]
    assert [] == [path for path in held if not path.startswith("/etc/relogin/")]
    modes = control.root("stat -c '%a %U' /etc/relogin /etc/relogin/* /etc/relogin/*/*").split("\n")
    assert {"700 root", "600 root", ""} == {*modes}
    looked = control.root(f"runuser -u {USER} -- ls /etc/relogin/ || echo closed")
    assert "closed" == looked.strip()


def is_removed(folder: Path, control: Host, before: dict[str, str]) -> None:
    """What was made is gone, what is the user's is there, and an edited unit is kept first."""
    control.root(
        f"cd /etc/systemd/system; mkdir {UNIT}.service.d"
        f"; echo '[Service]' >{UNIT}.service.d/mine.conf"
        f"; echo '# mine' >>{UNIT}.timer; systemctl daemon-reload"
    )
    for name in (UNIT, NIGHTLY):
        ran = scheduled(folder, control, None, "--data", "remove=true", name=repr(name))
        assert 0 == ran.code, ran.output
        assert 1 == len(changed(ran)), ran.output
    again = scheduled(folder, control, None, "--data", "remove=true")
    assert (0, []) == (again.code, changed(again)), again.output
    assert "# mine" in control.root(f"cat /var/lib/relogin/{UNIT}/undo/*/*/former")
    assert "" == control.root("systemctl list-timers --all --no-legend 'relogin-*'").strip()
    left = unexpected(differences(before, files(control)), KEPT)
    mine = f"file:/etc/systemd/system/{UNIT}.service.d"
    assert {mine, f"{mine}/mine.conf"} == {key for key in left if key.startswith("file:")}
    control.root(f"rm -r /etc/systemd/system/{UNIT}.service.d; systemctl daemon-reload")


def test_a_change_of_a_schedule_is_taken_back_and_at_last_all_of_it(control, tmp_path):
    before = files(control)
    made = name_of(scheduled(tmp_path, control, None, on_calendar="'*-01-01'"))
    first = files(control)
    fields = {"on_calendar": "'*-07-01'", "secrets": "{}"}
    changed_since = name_of(scheduled(tmp_path, control, None, **fields))

    back = undone(tmp_path, control, changed_since)
    assert 0 == back.code, back.output
    assert {} == unexpected(differences(first, files(control)), KEPT)
    assert "-01-01 00:00:00" in state(control), state(control)
    gone = undone(tmp_path, control, made)
    assert 0 == gone.code, gone.output
    assert {"file:/etc/relogin"} == {*unexpected(differences(before, files(control)), KEPT)}
    assert state(control).startswith("inactive\n"), state(control)
    assert "" == control.root("systemctl list-timers --all --no-legend 'relogin-*'").strip()
    control.root("rmdir /etc/relogin")


def state(control: Host) -> str:
    """Give whether the timer is on, and when it comes next."""
    return control.root(
        f"systemctl is-active {UNIT}.timer; systemctl is-enabled {UNIT}.timer"
        f"; systemctl show -P NextElapseUSecRealtime {UNIT}.timer || true"
    )


WRONG = {
    "on_calendar 'every tuesday-ish': Failed to parse": {"on_calendar": "'every tuesday-ish'"},
    "on_calendar '2020-01-01': it never comes again": {"on_calendar": "'2020-01-01'"},
    "delay 'a while': Failed to parse time span": {"delay": "'a while'"},
    "user 'nobody-here': id: 'nobody-here': no such user": {"user": "'nobody-here'"},
    "directory '/srv/no': it cannot be entered": {"inventory": "'/srv/no/such.py'"},
    f"inventory '{OPS}/such.py': unreadable": {"inventory": repr(f"{OPS}/such.py")},
    "there is no /srv/no/relogin there; install it": {"command": "'/srv/no/relogin'"},
    "Secret.env('NO_SUCH') has no value": {"secrets": "{'NO_SUCH': Secret.env('NO_SUCH')}"},
    "there is a unit /lib/systemd/system/nginx.service already": {"name": "'nginx'"},
}


def test_what_cannot_be_is_one_line_and_changes_nothing(control, tmp_path):
    """Each is a control machine of its own in the inventory, and all of them are this one."""
    before = files(control)
    machines = [dataclasses.replace(control, name=f"case-{n}") for n in range(len(WRONG))]
    ways = [
        by(machine, drift=described(**fields))
        for machine, fields in zip(machines, WRONG.values(), strict=True)
    ]
    ran = run(tmp_path, ways, *DEPLOY)
    assert 1 == ran.code, ran.output
    assert "Traceback" not in ran.output
    for machine, expected in zip(machines, WRONG, strict=True):
        said = [line for line in ran.output.split("\n") if f"[{machine.name}]" in line]
        assert 1 == len([line for line in said if expected in line]), ran.output
    assert {} == differences(before, files(control))


@pytest.mark.parametrize(("user", "most"), [("root", 5), ("deploy", 8)])
def test_a_machine_heals_itself_on_a_schedule(control, tmp_path, user, most):
    control.root(f"mkdir -p {OPS}/itself; echo 'halext = [\"@local\"]' >{OPS}/itself/hosts.py")
    control.root(f"cp -r {OPS}/group_data {OPS}/itself; chmod -R a+rX {OPS}/itself ~{USER}")
    there = {"inventory": repr(f"{OPS}/itself/hosts.py"), "user": repr(user), "local": "True"}
    ran = scheduled(tmp_path, control, None, on_calendar="'yearly'", **there)
    assert 0 == ran.code, ran.output
    judged(control, most)
    control.root(f"systemctl stop {UNIT}.service; {BREAK}")
    control.root(f"systemctl start {UNIT}.service", check=False)
    assert control.login().works, journal(control)
    assert "success" == control.root(f"systemctl show -P Result {UNIT}.service").strip()
    assert 0 == scheduled(tmp_path, control, None, "--data", "remove=true").code
