"""What the look says of the host itself, on file systems that are made for it."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from relogin import Backend, EnvFile, Secret, Systemd, Unreadable, Venv
from relogin.facts import machine
from relogin.facts.machine import FileSystem, Host, Machine
from relogin.remote import Answer
from tests.facts.answers import SHELLS, run, run_alone

Shell = tuple[str, ...]
SPACE = ("unshare", "--user", "--map-root-user", "--mount")
may_mount = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*SPACE, "true"], capture_output=True, check=False).returncode != 0,
    reason="this machine lets nobody make a mount namespace",
)


@pytest.fixture(params=SHELLS)
def look(request, tmp_path: Path) -> Callable[..., dict[str, FileSystem]]:
    """Look at some places, after a script has mounted there what it wants."""
    shell: Shell = request.param

    def looked(prepare: str, *places: str) -> dict[str, FileSystem]:
        prepared = f"cd {tmp_path} && {{ {prepare}\n}} >&2 && exec {' '.join(shell)} -s"
        answer = run(machine.script(places), (*SPACE, "sh", "-c", prepared))
        found = machine.parse(answer)
        assert isinstance(found, Machine)
        assert isinstance(found.file_systems, tuple)
        return {one.mount: one for one in found.file_systems}

    (tmp_path / "data").mkdir()
    return looked


@may_mount
def test_each_file_system_is_told_once_with_all_that_matters_on_it(look, tmp_path):
    data = f"{tmp_path}/data"
    prepare = "mount -t tmpfs -o size=1m,nr_inodes=50 tmpfs data; mkdir data/a"
    found = look(prepare, data, f"{data}/a", f"{data}/nosuch")
    assert FileSystem(data, (data, f"{data}/a"), 1024, 1024, 50, 48) == found[data]
    at_root = subprocess.run(
        ["df", "-P", "/var/lib"], capture_output=True, text=True, check=True
    ).stdout.split()[-1]
    assert "/var/lib" in found[at_root].places
    assert found[at_root].size > 1024


@may_mount
def test_of_a_full_one_the_largest_are_told_and_none_that_only_holds_others(look, tmp_path):
    data = f"{tmp_path}/data"
    prepare = """mount -t tmpfs -o size=2m tmpfs data; mkdir -p data/logs/old data/uploads
    head -c 1400000 /dev/zero >data/logs/old/1; head -c 300000 /dev/zero >data/uploads/1
    cat /dev/zero >data/fill"""
    full = look(f"{prepare}; true", data)[data]
    assert (2048, 0) == (full.size, full.left)
    largest = [f"{data}/logs/old/1", f"{data}/fill", f"{data}/uploads/1"]
    assert (largest, 1368) == ([path for path, _ in full.largest], full.largest[0][1])


@may_mount
def test_a_mount_with_a_blank_in_its_name_is_read_right(look, tmp_path):
    place = f"{tmp_path}/data/two words"
    found = look("mkdir 'data/two words'; mount -t tmpfs -o size=1m tmpfs 'data/two words'", place)
    assert (1024, (place,)) == (found[place].size, found[place].places)


@may_mount
@pytest.mark.parametrize(
    ("options", "read_only"),
    [
        ("remount,ro", True),
        ("remount,rw", False),
        ("remount,ro,bind", False),  # somebody's wish for this mount alone
    ],
)
def test_read_only_is_what_the_file_system_is(look, tmp_path, options, read_only):
    prepare = f"mount -t tmpfs -o size=1m tmpfs data; mount -o {options} data"
    assert read_only is look(prepare, f"{tmp_path}/data")[f"{tmp_path}/data"].read_only


@may_mount
def test_what_fstab_has_read_only_is_meant_to_be(look, tmp_path):
    data = f"{tmp_path}/data"
    prepare = f"""mount -t tmpfs -o size=1m tmpfs data; mount -o remount,ro data
    echo 'tmpfs {data} tmpfs defaults,ro 0 0' >fstab
    [ -e /etc/fstab ] && mount --bind fstab /etc/fstab"""
    if not Path("/etc/fstab").exists():
        pytest.skip("there is no /etc/fstab to put another in the place of")
    assert not look(prepare, data)[data].read_only


def test_without_df_nothing_is_known_of_the_room():
    answer = run(f"df() {{ return 127; }}\n{machine.script()}")
    found = machine.parse(answer)
    assert isinstance(found, Machine)
    assert isinstance(found.file_systems, Unreadable)


@pytest.mark.parametrize("text", ["", "x\nroot\n0\nLinux", "1\nroot\nx\nLinux", "1\nroot\n0"])
def test_an_answer_that_makes_no_sense_is_unreadable(text):
    assert isinstance(machine.parse(Answer(text.encode(), 0)), Unreadable)


@pytest.mark.parametrize(
    ("clock", "ahead"),
    [
        ("100.5", 0.0),
        ("99", -1.0),
        ("40.25", -59.75),
        ("101", 0.0),
        ("103.5", 2.5),
        ("3700.%N", 3599.0),  # busybox
    ],
)
def test_the_host_is_ahead_by_what_the_look_cannot_have_taken(clock, ahead):
    answer = Answer(f"{clock}\nroot\n0\nLinux".encode(), 0)
    found = machine.parse(answer, (100.0, 101.0))
    assert isinstance(found, Machine)
    assert ahead == found.ahead


def test_a_clock_that_was_not_compared_is_not_ahead_of_anything():
    found = machine.parse(run(machine.script()))
    assert isinstance(found, Machine)
    assert found.ahead is None
    assert abs(found.now - time.time()) < 5


def test_the_places_of_a_backend_are_its_folders():
    backend = Backend(
        "mine",
        service=Systemd("mine", working_directory="/srv/mine"),
        venv=Venv("/opt/venv"),
        env_file=(EnvFile("/srv/mine/.env"), EnvFile("/etc/mine.env", keys={"A": Secret.kept()})),
    )
    assert ("/srv/mine", "/etc", "/opt/venv") == machine.places(backend)
    assert ("/",) == machine.places(Backend("mine", env_file=EnvFile("/env")))


def test_the_fact_works_alone_and_is_json():
    found = Host().process(run_alone(Host().command()))
    assert isinstance(found, Machine)
    told = found.to_json()
    assert found.user == told["user"]
    assert isinstance(found.file_systems, tuple)
    assert [one.mount for one in found.file_systems] == [
        one["mount"] for one in told["file_systems"]
    ]
