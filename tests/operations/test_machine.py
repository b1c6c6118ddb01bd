"""What is found of the host itself, and that nothing is written where nothing can be."""

import dataclasses

import pytest

from relogin import FromEnv, Jwt, Severity, Unreadable
from relogin.facts.machine import Machine
from relogin.fault import NO_ROOM
from relogin.operations.catalogue import FAULTS as ALL
from relogin.operations.machine import FAULTS
from tests.operations.looks import ROOT, Edit, found, halext, look, text

FS = "#fs /\t264212084\t75849560\t16777216\t16195150\trw"


def root_is(size: int, left: int, inodes: int = 1000, free: int = 900, how: str = "rw") -> Edit:
    return text("machine", FS, f"#fs /\t{size}\t{left}\t{inodes}\t{free}\t{how}")


def tmp_is(size: int, left: int) -> Edit:
    return text("machine", "#fs /tmp\t12308480\t12308480", f"#fs /tmp\t{size}\t{left}")


def ahead(seconds: float) -> Edit:
    return text("machine", "1795259233.6", f"{1795259233 + seconds:.0f}.6")


def test_a_sound_host_gives_no_finding():
    assert [] == found(FAULTS, look())


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (root_is(10_000_000, 0), "machine.disk-full"),
        (root_is(10_000_000, -5), "machine.disk-full"),
        (root_is(10_000_000, 16_383), "machine.disk-full"),
        (root_is(10_000_000, 9_000_000, free=0), "machine.inodes-full"),
        (root_is(10_000_000, 9_000_000, 1_000_000, 99), "machine.inodes-full"),
        (root_is(10_000_000, 9_000_000, how="ro"), "machine.filesystem-read-only"),
        (root_is(10_000_000, 0, free=0, how="ro"), "machine.filesystem-read-only"),
        (ahead(61), "machine.clock-skew"),
        (ahead(-62), "machine.clock-skew"),
    ],
)
def test_each_situation_belongs_to_one_fault(edit, fault):
    (finding,) = found(FAULTS, look(edit))
    assert (fault, True, True) == (finding.fault, finding.critical, finding.by_person)


@pytest.mark.parametrize(
    "edit",
    [
        root_is(10_000_000, 16_384),
        root_is(30_000, 2_000),  # a small one that is not full
        root_is(10_000_000, 9_000_000, 1_000_000, 100),
        root_is(10_000_000, 9_000_000, 40, 20),
        root_is(10_000_000, 9_000_000, 0, 0),  # btrfs has no limit
        ahead(59),
        ahead(-60),
    ],
)
def test_what_is_enough_is_no_finding(edit):
    assert [] == found(FAULTS, look(edit))


def test_the_finding_says_what_is_on_it_how_much_is_left_and_where_the_room_went():
    full = text("machine", FS, "#full /\t10485760\t12\t0\t0\trw")
    du = text("machine", "#fs /tmp", "9437184\t/srv/uploads\n512000\t/var/log/old\n#fs /tmp")
    (finding,) = found(FAULTS, look(full, du))
    assert "the file system / is full" == finding.what
    assert finding.seen.startswith(f"12 KiB of 10 GiB left for others than root; on it: {ROOT}")
    assert "the largest there: /srv/uploads 9216 MiB, /var/log/old 500 MiB" in finding.remedy
    assert "never delete anything below pg_wal" in finding.remedy


def test_where_nothing_lies_that_a_start_needs_it_is_a_warning():
    (finding,) = found(FAULTS, look(tmp_is(10_000_000, 0)))
    assert ("machine.disk-full", Severity.WARNING) == (finding.fault, finding.severity)


def test_the_clock_s_finding_says_how_far_and_which_way():
    whats = [found(FAULTS, look(ahead(by)))[0].what for by in (7 * 3600, -600, 100, -3 * 86400)]
    assert [
        "the host's clock is 7 hours ahead of this machine's",
        "the host's clock is 10 minutes behind this machine's",
        "the host's clock is 100 seconds ahead of this machine's",
        "the host's clock is 3 days behind this machine's",
    ] == whats


def test_the_leeway_is_the_token_s():
    patient = halext(token=Jwt(secret=FromEnv("SECRET_KEY"), leeway=3600))
    assert [] == found(FAULTS, look(ahead(3500)), patient)
    assert [] != found(FAULTS, look(ahead(3700)), patient)
    assert [] == found(FAULTS, look(ahead(3700)), halext(token=None))


def test_what_could_not_be_seen_is_no_finding_and_is_said():
    machine = look().machine
    assert isinstance(machine, Machine)
    unseen = dataclasses.replace(machine, file_systems=Unreadable("no df"))
    seen = dataclasses.replace(look(), machine=unseen)
    assert ([], [("disks", "no df")]) == (found(FAULTS, seen), list(seen.unreadable()))
    assert [] == found(FAULTS, dataclasses.replace(look(), machine=Unreadable("cut off")))


def test_only_what_starts_a_thing_is_tried_where_nothing_can_be_written():
    fixes = [fault for fault in ALL if fault.fix is not None]
    free = {fault.id for fault in fixes if not set(NO_ROOM) & fault.held_by}
    assert {"service.stopped", "service.needed-unit-down"} == free
    assert set(NO_ROOM) < {fault.id for fault in FAULTS}
