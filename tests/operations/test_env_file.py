"""What the env file's faults find in a recorded look, and what their fixes do to real files."""

import dataclasses
import os
import pwd
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from relogin import (
    Backend,
    DatabaseUrl,
    EnvFile,
    FromEnv,
    Jwt,
    Secret,
    Severity,
    Systemd,
    Unreadable,
)
from relogin.facts import env_file as fact
from relogin.facts.env_file import EnvFileState
from relogin.facts.observation import Observation
from relogin.facts.service import ServiceState
from relogin.operations.env_file import FAULTS
from relogin.remote import Answer
from tests.facts.answers import run
from tests.lab import canaries
from tests.operations.looks import (
    ENV,
    HALEXT,
    KEYS,
    carried_out,
    changes,
    env,
    found,
    halext,
    look,
    said,
    stopped,
    without,
)

URL = "postgresql://halext_user:{}@127.0.0.1:5432/halext_org"
PASSWORD = "canary-database-p7%40Wd%2F2%3AXs%3F9%2BLn"


def declaring(**keys: object) -> Backend:
    """Declare other values for some keys of the recorded backend."""
    return halext(env_file=EnvFile(ENV, keys={**KEYS, **keys}))


def test_a_sound_file_gives_no_finding():
    assert [] == found(FAULTS, look())


@pytest.mark.parametrize(
    ("fault", "edit", "what"),
    [
        ("missing", said("env_0", f"none\n{ENV}\n", 1), f"{ENV} does not exist"),
        ("missing", said("env_0", "dangling\n/gone\n", 1), f"{ENV} does not exist"),
        ("key-missing", without("ACCESS_CODE"), f"ACCESS_CODE is missing in {ENV}"),
        ("key-missing", env("DEV_MODE=", "#DEV_MODE="), f"DEV_MODE is missing in {ENV}"),
        ("key-empty", env("DEV_MODE=false", "DEV_MODE="), f"DEV_MODE is empty in {ENV}"),
        ("key-empty", env("DEV_MODE=false", "DEV_MODE"), f"DEV_MODE is empty in {ENV}"),
        (
            "key-not-declared-value",
            env("=false", "=true"),
            f"DEV_MODE in {ENV} is not the declared value",
        ),
        (
            "key-not-declared-value",
            env("canary-code", "other-code"),
            f"ACCESS_CODE in {ENV} is not the declared value",
        ),
        (
            "key-not-declared-value",
            env("/halext_org\n", "/halext_dev\n"),
            f"DATABASE_URL in {ENV} is not the declared value",
        ),
        (
            "readable-by-others",
            env("|600|", "|604|"),
            f"{ENV} can be read by every user of the host",
        ),
    ],
)
def test_each_situation_belongs_to_one_fault(fault, edit, what):
    (finding,) = found(FAULTS, look(edit))
    assert (f"env_file.{fault}", what) == (finding.fault, finding.what)


@pytest.mark.parametrize(
    "edit",
    [
        said("env_0", "", 0),
        said("env_0", "hidden\n\n", 1),
        said("env_0", "directory|755|root|root|0|0|1|" + "2026-11-21 10:00:00 +0000|" * 2, 0),
        env("LOG_LEVEL=info", "\udcff"),
    ],
)
def test_nothing_is_guessed_of_a_file_that_could_not_be_read(edit):
    seen = look(edit)
    assert isinstance(seen.env_files[0], Unreadable)
    assert [] == found(FAULTS, seen)


def test_keys_that_are_not_declared_are_nobodys_business():
    assert [] == found(FAULTS, look(env("LOG_LEVEL=info", "LOG_LEVEL=debug"), without("EMPTY")))


def test_a_key_that_is_declared_empty_may_be_empty():
    assert [] == found(FAULTS, look(), declaring(EMPTY=""))


def test_the_jwt_secret_is_left_to_its_own_layer():
    assert [] == found(FAULTS, look(without("SECRET_KEY")))


def test_an_accepted_fault_is_a_note():
    (finding,) = found(
        FAULTS,
        look(without("DEV_MODE")),
        halext(accepted={"env_file.key-missing": "set by the container"}),
    )
    assert (Severity.NOTE, False) == (finding.severity, finding.critical)


def test_no_finding_holds_a_value():
    edits = (env("canary-code", "other-code"), env("canary-database", "other-database"))
    findings = found(FAULTS, look(*edits), declaring(DATABASE_URL=_declared("a-new-password")))
    assert 2 == len(findings)
    for value in ("other-code", "other-database", "a-new-password", *canaries.ALL):
        assert value not in str(findings)


def _declared(password: str) -> DatabaseUrl:
    return DatabaseUrl(user="halext_user", database="halext_org", password=Secret.seen(password))


@pytest.mark.parametrize(
    ("key", "edits", "remedy"),
    [
        ("ACCESS_CODE", (), "it is written: from Secret.seen()"),
        ("DEV_MODE", (), "it is written: the declared value"),
        ("DATABASE_URL", (), "it is written: from the running process"),
        ("DATABASE_URL", (stopped,), "it is written: made anew"),
    ],
)
def test_a_lost_value_comes_from_where_it_is_still_known(key, edits, remedy):
    (finding,) = found(FAULTS, look(without(key), *edits))
    assert (remedy, False) == (finding.remedy, finding.by_person)


def test_a_password_that_must_be_kept_and_is_nowhere_is_a_persons():
    kept = DatabaseUrl(user="halext_user", database="halext_org", password=Secret.kept())
    (finding,) = found(FAULTS, look(without("DATABASE_URL"), stopped), declaring(DATABASE_URL=kept))
    assert (True, "nobody but you knows it: set DATABASE_URL") == (
        finding.by_person,
        finding.remedy,
    )


def test_a_password_that_must_be_kept_is_not_made_anew_where_the_url_has_none():
    kept = DatabaseUrl(user="halext_user", database="halext_org", password=Secret.kept())
    (finding,) = found(FAULTS, look(env(f":{PASSWORD}@", "@")), declaring(DATABASE_URL=kept))
    assert ("no password", True) == (finding.seen, finding.by_person)


def test_a_url_whose_password_nobody_knows_and_that_cannot_be_parsed_is_a_persons():
    (finding,) = found(FAULTS, look(env("%40", "%4")))
    assert finding.seen.startswith("it cannot be parsed: the password has a %")
    assert finding.by_person


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        ("/halext_org\n", "/halext_dev\n", "database halext_dev"),
        ("//halext_user", "//halext", "user halext"),
        ("127.0.0.1:5432", "10.0.0.9:5433", "host 10.0.0.9, port 5433"),
        (f":{PASSWORD}@", "@", "no password"),
        ("127.0.0.1:5432", "127.0.0.1", None),
        ("postgresql://", "postgresql+asyncpg://", None),
    ],
)
def test_how_a_url_differs_is_said_by_its_parts(before, after, seen):
    findings = found(FAULTS, look(env(before, after)))
    assert ([seen] if seen else []) == [finding.seen for finding in findings]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "backend it's").mkdir()
    return tmp_path / "backend it's"


TEXT = f"""\
# Halext\r
DEV_MODE=true
DATABASE_URL={URL.format(PASSWORD)}
ODD='a "b' \\
QUOTED="x y"
ACCESS_CODE=
no newline at the end=1""".encode()


def written(folder: Path, raw: bytes = TEXT, mode: int = 0o640) -> Path:
    file = folder / ".env"
    file.write_bytes(raw)
    file.chmod(mode)
    return file


def described(path: Path, **keys: object) -> Backend:
    return Backend(
        "halext",
        env_file=EnvFile(str(path), keys={**KEYS, **keys}),
        token=Jwt(secret=FromEnv("SECRET_KEY")),
    )


def seen(path: Path) -> Observation:
    state = fact.parse(str(path), run(fact.script(str(path))))
    return Observation(machine=Unreadable("not asked"), env_files=(state,))


def mended(path: Path, looked: Observation | None = None) -> list[Answer]:
    """Run the fixes of what is found, each but once though several findings ask for it."""
    backend = described(path)
    wanted = changes(FAULTS, looked or seen(path), backend)
    scripts = {change.script: change for change in wanted}
    return [carried_out(change) for change in list(scripts.values())[:1]]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def undone(folder: Path) -> list[Path]:
    return sorted(path for path in (folder.parent / "state").rglob("*") if path.is_file())


def test_what_is_wrong_is_mended_in_one_go_and_every_other_byte_kept(folder):
    file = written(folder)
    (answer,) = mended(file)
    assert (0, b"") == (answer.status, answer.text)
    expected = TEXT.replace(b"=true", b"=false").replace(
        b"ACCESS_CODE=", f"ACCESS_CODE='{canaries.ACCESS_CODE}'".encode()
    )
    assert expected == file.read_bytes()
    assert [] == found(FAULTS, seen(file), described(file))


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
    kept, paths = undone(folder)
    assert (".env", TEXT) == (kept.name, kept.read_bytes())
    assert ("paths", f"{file}\n") == (paths.name, paths.read_text())
    assert 0o700 == kept.parent.stat().st_mode & 0o777
    assert ("halext", "undo") == kept.parent.parts[-4:-2]


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
    files = (EnvFile(str(one), keys=keys), EnvFile(str(other)))
    backend = Backend("halext", env_file=files)
    states = (seen(one).env_files[0], seen(other).env_files[0])
    looked = Observation(machine=Unreadable("not asked"), env_files=states)
    (finding,) = (one_ for one_ in found(FAULTS, looked, backend) if one_.critical)
    assert "it is written: from another env file of the backend" == finding.remedy
    (change, *_) = changes(FAULTS, looked, backend)
    carried_out(change)
    assert URL.format(PASSWORD) == dotenv_values(one)["DATABASE_URL"]


def test_what_the_process_still_has_is_what_is_put_back():
    looked = look(without("DATABASE_URL"))
    assert isinstance(looked.service, ServiceState)
    (change,) = changes(FAULTS, looked)
    assert f"DATABASE_URL={URL.format(PASSWORD)}" in change.script
    assert "DATABASE_URL" in change.why
    assert canaries.PREFIX not in change.why
    assert isinstance(looked.env_files[0], EnvFileState)


def test_a_url_is_corrected_in_its_wrong_part_alone():
    edits = (env("postgresql://", "postgresql+asyncpg://"), env("/halext_org\n", "/dev?ssl=a\n"))
    (change,) = changes(FAULTS, look(*edits))
    url = URL.format(PASSWORD).replace("postgresql:", "postgresql+asyncpg:") + "?ssl=a"
    assert url in change.script


def test_two_env_files_may_be_given_as_a_list():
    files = [EnvFile("/a", keys=KEYS), EnvFile("/b")]
    assert ("/a", "/b") == tuple(file.path for file in halext(env_file=files).env_files)


def test_the_systemd_unit_of_the_recorded_backend_is_the_declared_one():
    assert isinstance(HALEXT.service, Systemd)
    looked = look()
    assert isinstance(looked.service, ServiceState)
    assert HALEXT.service.full_name == looked.service.name
