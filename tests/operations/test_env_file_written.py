"""What the fixes of the env file's faults do to real files."""

import dataclasses
import os
import pwd
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from relogin import Backend, EnvFile, Secret, Unreadable
from relogin.facts.observation import Observation
from relogin.operations.env_file import FAULTS
from tests.lab import canaries
from tests.operations.env_files import (
    PASSWORD,
    TEXT,
    URL,
    described,
    mended,
    names,
    seen,
    undone,
    written,
)
from tests.operations.looks import KEYS, carried_out, changes, found


def test_what_is_wrong_is_mended_in_one_go_and_every_other_byte_kept(folder):
    file = written(folder)
    (answer,) = mended(file)
    assert (0, b"") == (answer.status, answer.text)
    expected = TEXT.replace(b"=true", b"=false").replace(
        b"ACCESS_CODE=", f"ACCESS_CODE='{canaries.ACCESS_CODE}'".encode()
    )
    assert expected == file.read_bytes()
    assert [] == [one for one in found(FAULTS, seen(file), described(file)) if not one.by_person]


def test_what_was_written_is_what_a_reader_of_its_own_reads(folder):
    file = written(folder)
    mended(file)
    assert canaries.ACCESS_CODE == dotenv_values(file)["ACCESS_CODE"]


def test_owner_and_mode_stay_and_nothing_is_left_beside_it(folder):
    file = written(folder, mode=0o600)
    if os.geteuid() == 0:
        os.chown(file, pwd.getpwnam("nobody").pw_uid, 12345)
    before = file.stat()
    mended(file)
    after = file.stat()
    assert (before.st_mode, before.st_uid, before.st_gid) == (
        after.st_mode,
        after.st_uid,
        after.st_gid,
    )
    assert before.st_ino != after.st_ino
    assert [".env"] == names(folder)


def test_a_symlink_stays_and_its_target_is_written(folder):
    (folder / "shared").mkdir()
    target = written(folder / "shared")
    (folder / ".env").symlink_to("shared/.env")
    mended(folder / ".env")
    assert (folder / ".env").is_symlink()
    assert b"DEV_MODE=false" in target.read_bytes()
    assert [".env"] == names(folder / "shared")


def test_what_was_overwritten_is_kept_for_its_owner_alone(folder):
    file = written(folder)
    mended(file)
    files = undone(folder)
    kept = next(path.parent for path in files if path.name == "former")
    assert TEXT == (kept / "former").read_bytes()
    assert str(file) == (kept / "path").read_text()
    assert ("halext", "undo") == kept.parts[-4:-2]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in files}
    assert {0o700} == {path.stat().st_mode & 0o777 for path in (kept, *kept.parents[:4])}


def test_a_file_that_somebody_changed_in_the_meantime_is_left_alone(folder):
    file = written(folder)
    looked = seen(file)
    file.write_bytes(TEXT + b"\nNEW=1\n")
    (answer,) = mended(file, looked)
    assert 9 == answer.status
    assert b"was changed by somebody else" in answer.text
    assert TEXT + b"\nNEW=1\n" == file.read_bytes()
    assert [".env"] == names(folder)
    assert [] == undone(folder)


def test_a_file_that_is_gone_in_the_meantime_is_not_made(folder):
    file = written(folder)
    looked = seen(file)
    file.unlink()
    (answer,) = mended(file, looked)
    assert 0 != answer.status
    assert [] == names(folder)


def test_a_full_disk_leaves_the_old_file(folder):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    file = written(folder)
    (change, *_) = changes(FAULTS, seen(file), described(file))
    full = dataclasses.replace(
        change, script=change.script.replace('cat >"$new"', "cat >/dev/full")
    )
    assert change.script != full.script
    assert 0 != carried_out(full).status
    assert TEXT == file.read_bytes()
    assert [".env"] == names(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_whose_owner_we_cannot_keep_is_left_alone(folder):
    """cp -p does not say that it could not keep the owner (POSIX, cp)."""
    file = written(folder, mode=0o666)
    for path in (folder, *folder.parents[:3]):
        path.chmod(0o777)
    (change, *_) = changes(FAULTS, seen(file), described(file))
    script = f"umask 077\n(\n{change.script}\n)"
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", "sh", "-s"],
        input=script.encode(),
        capture_output=True,
        check=False,
        env={"PATH": os.defpath, "XDG_STATE_HOME": str(folder / "state")},
    )
    assert 0 != done.returncode
    assert b"its owner cannot be kept" in done.stdout
    assert (TEXT, 0) == (file.read_bytes(), file.stat().st_uid)


def test_a_value_that_no_reader_takes_is_refused_without_being_said(folder):
    file = written(folder)
    backend = described(file, ACCESS_CODE=Secret.seen("canary-${HOME}'\"\\"))
    with pytest.raises(ValueError, match="ACCESS_CODE: no form of the value") as raised:
        changes(FAULTS, seen(file), backend)
    assert "canary" not in str(raised.value)


def test_a_lost_key_comes_back_from_another_file_of_the_backend(folder):
    (folder / "old").mkdir()
    one, other = written(folder), written(folder / "old")
    one.write_bytes(b"DEV_MODE=false\nACCESS_CODE=x\n")
    keys = {"DEV_MODE": "false", "DATABASE_URL": KEYS["DATABASE_URL"]}
    files = (EnvFile(str(other)), EnvFile(str(one), keys=keys))
    backend = Backend("halext", env_file=files)
    states = (seen(other).env_files[0], seen(one).env_files[0])
    looked = Observation(machine=Unreadable("not asked"), env_files=states)
    (finding,) = (one_ for one_ in found(FAULTS, looked, backend) if one_.critical)
    assert "it is written: from another env file of the backend" == finding.remedy
    (change, *_) = changes(FAULTS, looked, backend)
    carried_out(change)
    assert URL.format(PASSWORD) == dotenv_values(one)["DATABASE_URL"]
