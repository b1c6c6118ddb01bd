"""The units of a schedule: what they hold, what they are refused for, and what is removed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from relogin import Backend, ProfileError, Schedule, Secret, undo
from relogin.facts.timer import TimerState, script
from relogin.operations import timer
from relogin.operations.timer_units import MARK, texts, unit_paths
from relogin.shell import PRELUDE
from tests.facts.answers import run

SERVICE, TIMER = unit_paths("relogin-drift")
REPOSITORY = Path(__file__).parents[2]
DEPLOY = "deploys/schedule_drift.py"
COMMAND = "/opt/relogin/bin/relogin"
ROOT = {"uid": "0", "systemd": "yes", "command": COMMAND}
ON = {"enabled": "enabled", "active": "active"}


def schedule(**fields: Any) -> Schedule:
    return Schedule("/srv/ops/prod.py", **fields)


def settings(text: str) -> list[str]:
    return [line for line in text.split("\n") if "=" in line]


def written(one: Schedule, **more: str) -> TimerState:
    """What is seen where all of a schedule is there as it was written."""
    units = texts(one, COMMAND)
    values = {
        f"/etc/relogin/{one.name}/{key}": it.reveal() for key, it in one.credentials().items()
    }
    files = {f"file {path}": f"{timer._sum(text)} 644 root:root" for path, text in units.items()}
    files |= {f"file {path}": f"{timer._sum(text)} 600 root:root" for path, text in values.items()}
    first = {f"first {path}": text.split("\n")[0] for path, text in units.items()}
    rest = {f"rest {path}": text.split("\n")[0].removeprefix(MARK) for path, text in units.items()}
    return TimerState({**ROOT, **ON, **files, **first, **rest, **more}, (*values,))


def whys(one: Schedule, seen: TimerState) -> list[str]:
    return [change.why for change in timer._changes(one, seen)]


def test_what_is_there_as_it_was_written_is_left_alone() -> None:
    one = schedule(secrets={"A": Secret.seen("the-secret-of-a")})
    assert [] == whys(one, written(one))


def test_only_what_differs_is_written_and_then_switched_on() -> None:
    one = schedule(secrets={"A": Secret.seen("the-secret-of-a")})
    other = schedule(on_calendar="daily", secrets={"A": Secret.seen("another-secret")})
    path = "/etc/relogin/relogin-drift/A: write the secret, for root"
    on = "systemctl enable --now relogin-drift.timer"
    assert [path, f"write {TIMER}", on] == whys(other, written(one))
    assert [on] == whys(one, written(one, active="inactive"))
    assert [on] == whys(one, written(one, **{"reload relogin-drift.service": "yes"}))


def test_a_secret_that_is_not_declared_any_more_is_removed_and_nothing_else() -> None:
    one = schedule(secrets={"A": Secret.seen("the-secret-of-a")})
    seen = written(one)
    foreign = TimerState({**seen.said, "file /etc/passwd": "x"}, (*seen.given, "/etc/passwd"))
    gone = "/etc/relogin/relogin-drift/A: remove it, for it is not used"
    assert [f"write {SERVICE}", gone] == whys(schedule(), foreign)[:2]
    assert 3 == len(whys(schedule(), foreign))
    assert "/etc/passwd" not in timer._removal("relogin-drift", foreign).script


def test_a_unit_that_somebody_has_edited_is_kept_before_it_is_removed() -> None:
    one = schedule()
    edited = written(one, **{f"rest {TIMER}": "another sum"})
    kept = [
        line
        for line in timer._removal("relogin-drift", edited).script.split("\n")
        if line.startswith("keep /")
    ]
    assert [f"keep {TIMER}"] == kept


def test_a_removal_leaves_no_former_secret_in_the_undo_store(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "etc").mkdir()
    for name in ("secret", "unit"):
        (tmp_path / name).write_text(f"former {name}")
    kept = f"{undo.store(Backend('relogin-drift'))}mkdir {tmp_path}/etc/it\n"
    kept += f"cp {tmp_path}/secret {tmp_path}/etc/it/A; keep {tmp_path}/etc/it/A\n"
    assert 0 == run(f"( {kept} keep {tmp_path}/unit\n)").status
    assert {"former secret", "former unit"} == stored(tmp_path)
    gone = timer._FORGOTTEN.format(folder=f"{tmp_path}/etc/it")
    assert 0 == run(f"( {undo.store(Backend('relogin-drift'))}{gone}\n)").status
    assert {"former unit"} == stored(tmp_path)


def stored(folder: Path) -> set[str]:
    return {one.read_text() for one in folder.glob("state/relogin/relogin-drift/undo/*/*/former")}


def test_nothing_of_another_maker_is_touched() -> None:
    ours, theirs = written(schedule()), written(schedule(), **{f"first {TIMER}": "[Timer]"})
    assert "" == timer._problem(schedule(), ours)
    assert f"{TIMER} is not of our making" in timer._problem(schedule(), theirs)
    packaged = TimerState({**ROOT, "from relogin-drift.timer": "/lib/systemd/system/x.timer"}, ())
    assert "/lib/systemd/system/x.timer" in timer._problem(schedule(), packaged)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"uid": "1000"}, "root is needed there"),
        ({"systemd": ""}, "systemd does not run there"),
        ({"command": ""}, "there is no relogin there"),
        ({"old": "yes"}, "is too old"),
        ({"wrong on_calendar": "Failed to parse"}, "on_calendar '*:0/15': Failed to parse"),
    ],
)
def test_what_makes_it_useless_is_said_with_the_next_step(said, expected) -> None:
    assert expected in timer._problem(schedule(), TimerState({**ROOT, **said}, ()))


def test_a_container_that_would_give_the_unit_no_secret_is_refused_one_for_a_schedule() -> None:
    there = TimerState({**ROOT, "private": "yes"}, ())
    one = schedule(secrets={"A": Secret.seen("the-secret-of-a")})
    assert "mount --make-rshared /" in timer._problem(one, there)
    assert "" == timer._problem(schedule(), there)


def test_a_secret_is_in_no_unit_and_each_is_a_credential() -> None:
    one = schedule(secrets={"A": Secret.seen("the-secret-of-a")}, ping=Secret.seen("http://b/see"))
    whole = "".join(texts(one, COMMAND).values())
    assert "LoadCredential=A:/etc/relogin/relogin-drift/A" in settings(whole)
    assert "the-secret-of-a" not in whole
    assert "http://b/see" not in whole
    assert "--ping env:RELOGIN_PING" in whole


def test_words_mean_themselves_to_systemd() -> None:
    odd = ["--limit", 'a b"c\\', "50%$HOME", "it's;"]
    [line] = [
        one
        for one in settings(texts(schedule(options=odd), COMMAND)[SERVICE])
        if one.startswith("ExecStart=")
    ]
    assert '--limit "a b\\"c\\\\" "50%%$$HOME" "it\'s;" --healed-ok' in line


def test_a_run_over_ssh_may_write_nowhere_else_and_one_that_mends_its_machine_may() -> None:
    over_ssh = settings(texts(schedule(writes=["/var/lib/node exporter"]), COMMAND)[SERVICE])
    local = settings(texts(schedule(local=True), COMMAND)[SERVICE])
    by_sudo = settings(texts(schedule(local=True, user="ops"), COMMAND)[SERVICE])
    assert {"ProtectSystem=strict", 'ReadWritePaths="/var/lib/node exporter"'} < {*over_ssh}
    for one in (local, by_sudo):
        assert {"ProtectSystem=yes", "ReadWritePaths=-/usr/local"} < {*one}
        assert [] == [line for line in one if line.startswith(("ProtectHome", "PrivateTmp"))]
    assert "NoNewPrivileges=yes" in local
    assert [] == [line for line in by_sudo if line.startswith(IMPLYING)]


def test_what_a_local_run_may_write_to_besides_is_declared() -> None:
    lines = settings(texts(schedule(local=True, writes=["/usr/share/it"]), COMMAND)[SERVICE])
    assert "ReadWritePaths=-/usr/local /usr/share/it" in lines


# Those that systemd.exec(5) says imply NoNewPrivileges=yes for a user: sudo would fail.
IMPLYING = (
    "NoNewPrivileges", "PrivateDevices", "ProtectClock", "ProtectHostname", "ProtectKernel",
    "Restrict", "SystemCall", "LockPersonality", "MemoryDenyWriteExecute", "DynamicUser",
)  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "a/b"},
        {"name": "x\nExecStart=/bin/true"},
        {"user": "a b"},
        {"on_calendar": "daily\n[Service]"},
        {"options": ["--limit", "a\nb"]},
        {"options": ["--ping=http://127.0.0.1/"]},
        {"directory": "srv"},
        {"writes": ["srv"]},
        {"secrets": {"A B": Secret.env("A")}},
        {"secrets": {"A": Secret.generated()}},
        {"secrets": {"A": "in clear"}},
        {"calendar": "daily"},
    ],
    ids=str,
)
def test_what_no_unit_could_hold_is_refused_while_it_is_described(fields) -> None:
    with pytest.raises(ProfileError, match="Schedule"):
        schedule(**fields)


def test_a_schedule_is_shown_as_data_without_a_secret() -> None:
    one = schedule(secrets={"A": Secret.seen("the-secret-of-a")}, ping=Secret.env("URL"))
    shown = json.dumps(one.to_json())
    assert "the-secret-of-a" not in shown
    assert "Secret.env('URL')" in shown


@pytest.mark.parametrize("inventory", ["prod.py", "@local"])
def test_an_inventory_has_a_folder(inventory) -> None:
    with pytest.raises(ProfileError):
        Schedule(inventory)


def test_systemd_verifies_both_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze on this machine")
    one = schedule(secrets={"A": Secret.seen("the-secret-of-a")}, options=["a b", "50%"])
    for path, text in texts(one, "/bin/true").items():
        (tmp_path / Path(path).name).write_text(text.replace("/srv/ops", "/"))
    units = [str(tmp_path / Path(path).name) for path in (SERVICE, TIMER)]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [] == [line for line in done.stderr.split("\n") if "relogin-drift" in line]


def test_the_look_runs_under_a_plain_shell_and_says_what_is_wrong_there(tmp_path: Path) -> None:
    """Here there is no such user, nor such an inventory; nothing is changed."""
    one = Schedule(f"{tmp_path}/none.py", user="no-such-user", command="/no/such/relogin")
    done = subprocess.run(
        ["sh", "-s"], input=f"{PRELUDE}{script('relogin-none', one)}",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = dict(line.split("\t", 1) for line in done.stdout.split("\n") if "\t" in line)
    assert {"wrong user", "wrong inventory"} <= said.keys()
    assert "" == said["command"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "no host's data holds a Schedule; say --data inventory="),
        (["inventory=prod.py", "user=a b"], "--data: user 'a b' is no user's name"),
        (["inventory=prod.py", "options=--ping=x"], "--data: options has --ping, which is ours"),
    ],
)
def test_what_cannot_be_described_so_is_one_line_of_the_deploy(words, expected) -> None:
    data = [part for word in words for part in ("--data", word)]
    done = subprocess.run(
        [Path(sys.executable).with_name("pyinfra"), "-y", "@local", DEPLOY, *data],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert 1 == done.returncode
    assert 1 == (done.stdout + done.stderr).count(expected)
    assert "Traceback" not in done.stderr
