"""An env file that is gone: where each value comes from, and what is written, for real."""

import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from relogin import Backend, DatabaseUrl, EnvFile, FromEnv, Jwt, Secret, Systemd, Unreadable
from relogin.facts import env_file as fact
from relogin.facts.env_file import EnvFileState, MissingEnvFile
from relogin.facts.observation import Observation
from relogin.facts.service import ServiceState
from relogin.finding import Finding
from relogin.operations import jwt
from relogin.operations.env_file import FAULTS
from tests.facts.answers import SHELLS, run
from tests.lab import canaries
from tests.operations.looks import KEYS, carried_out, changes, found

URL = "postgresql://halext_user:{}@127.0.0.1:5432/halext_org"
RUNNING = {"DATABASE_URL": URL.format("of-the-process"), "SECRET_KEY": "in-force" * 5}
ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def folder(tmp_path: Path, undo: Path) -> Path:
    (tmp_path / "backend it's").mkdir()
    return tmp_path / "backend it's"


def described(path: Path, keys: dict[str, Any] = KEYS, **more: Any) -> Backend:
    return Backend(
        "halext",
        service=Systemd("halext-api"),
        env_file=EnvFile(str(path), keys=keys, **more),
        token=Jwt(secret=FromEnv("SECRET_KEY")) if "SECRET_KEY" in keys else None,
    )


def seen(backend: Backend, running: dict[str, str] | None = None, user: str = "") -> Observation:
    """Look at the file as the one look does; the service is what we say."""
    (declared,) = backend.env_files
    state = fact.parse(declared.path, run(fact.script(declared.path)))
    assert not isinstance(state, Unreadable)
    if fact.must_be_kept(declared):
        state = fact.with_kept(state, declared, run(fact.kept_script(backend, declared)))
    service = ServiceState("halext-api", True, bool(running), "", user=user, environ=running)
    return Observation(machine=Unreadable("not asked"), env_files=(state,), service=service)


def the_finding(backend: Backend, running: dict[str, str] | None = None) -> Finding:
    (finding,) = found(FAULTS, seen(backend, running), backend)
    assert "env_file.missing" == finding.fault
    return finding


def mended(backend: Backend, running: dict[str, str] | None = None, user: str = "") -> Path:
    """Mend it; give the file, of which nothing more is found."""
    (change,) = changes(FAULTS, seen(backend, running, user), backend)
    answer = carried_out(change)
    assert (0, b"") == (answer.status, answer.text)
    assert [] == found((*FAULTS, *jwt.FAULTS), seen(backend, running, user), backend)
    return Path(backend.env_files[0].path)


def test_it_is_said_where_each_value_comes_from(folder):
    (folder / ".env.away").touch()
    (folder / "other").touch()
    finding = the_finding(described(folder / ".env"), RUNNING)
    assert (f"{folder}/.env does not exist", "beside it: .env.away") == (finding.what, finding.seen)
    assert "DEV_MODE, DATABASE_URL, ACCESS_CODE, SECRET_KEY" == finding.expected
    assert finding.remedy == (
        "it is made anew: DEV_MODE the declared value; DATABASE_URL, SECRET_KEY from the running"
        " process; ACCESS_CODE from Secret.seen(); keys that are not declared are in a backup, if"
        " anywhere"
    )


def test_what_the_process_still_has_stays_in_force(folder):
    file = mended(described(folder / ".env"), RUNNING)
    assert dict(dotenv_values(file)) == {
        "DEV_MODE": "false",
        "ACCESS_CODE": canaries.ACCESS_CODE,
        **RUNNING,
    }


def test_what_is_nowhere_is_made_anew(folder):
    values = dotenv_values(mended(described(folder / ".env")))
    assert 86 == len(values["SECRET_KEY"] or "")
    assert values["DATABASE_URL"].startswith("postgresql://halext_user:")
    assert values["DATABASE_URL"].endswith("@127.0.0.1:5432/halext_org")


def test_no_value_is_said(folder):
    backend = described(folder / ".env")
    (change,) = changes(FAULTS, seen(backend, RUNNING), backend)
    for value in (*RUNNING.values(), canaries.ACCESS_CODE, "of-the-process"):
        assert value not in change.why + str(the_finding(backend, RUNNING))
    assert "make it anew with DEV_MODE, DATABASE_URL, ACCESS_CODE, SECRET_KEY" in change.why


def test_it_is_its_folders_owners_alone(folder):
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
    status = mended(described(folder / ".env")).stat()
    assert (0o600, folder.stat().st_uid) == (status.st_mode & 0o777, status.st_uid)
    assert [folder / ".env"] == list(folder.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_it_is_the_service_users_where_that_is_known(folder):
    file = mended(described(folder / ".env"), user="nobody")
    assert ("nobody", "nogroup") == (file.owner(), file.group())


def test_it_has_the_declared_owner_and_mode(folder):
    file = mended(described(folder / ".env", owner=ME, mode=0o640))
    assert (ME, 0o640) == (file.owner(), file.stat().st_mode & 0o777)


def test_an_owner_who_is_not_there_leaves_nothing_behind(folder):
    backend = described(folder / ".env", owner="nosuch")
    (change,) = changes(FAULTS, seen(backend), backend)
    answer = carried_out(change)
    assert 9 == answer.status
    assert answer.text.endswith(b".env was not written\n")
    assert [] == list(folder.iterdir())


def test_a_file_that_somebody_made_in_the_meantime_is_left_alone(folder):
    backend = described(folder / ".env")
    (change,) = changes(FAULTS, seen(backend), backend)
    (folder / ".env").write_text("MINE=1\n")
    answer = carried_out(change)
    assert (9, b"is there by now; run again\n") == (answer.status, answer.text[-27:])
    assert "MINE=1\n" == (folder / ".env").read_text()


def test_of_a_link_that_leads_nowhere_the_target_is_said_and_made(folder):
    (folder / "shared").mkdir()
    (folder / ".env").symlink_to("shared/env")
    backend = described(folder / ".env")
    assert "a link to shared/env, which is not there" == the_finding(backend).seen
    mended(backend)
    assert (True, True) == ((folder / ".env").is_symlink(), (folder / "shared/env").is_file())


@pytest.mark.parametrize("link", [True, False])
def test_a_file_whose_folder_is_gone_too_is_a_persons(folder, link):
    (folder / "releases").mkdir()
    path = folder / ("releases/.env" if link else "gone/.env")
    if link:
        path.symlink_to("nosuch/.env")
    finding = the_finding(described(path))
    assert finding.by_person
    assert f"put {path} back from a backup: its folder is not there either" == finding.remedy


def test_a_file_of_which_nothing_is_declared_is_a_persons(folder):
    finding = the_finding(described(folder / ".env", {}))
    assert (True, f"put {folder}/.env back from a backup: none of its keys is declared") == (
        finding.by_person,
        finding.remedy,
    )


KEPT = {**KEYS, "MAIL": Secret.kept()}


def test_a_value_that_must_be_kept_and_is_nowhere_makes_it_a_persons(folder):
    finding = the_finding(described(folder / ".env", KEPT))
    assert (
        True,
        f"put {folder}/.env back from a backup, or make it with MAIL: nobody but you",
    ) == (
        finding.by_person,
        finding.remedy.removesuffix(" knows that"),
    )


def keep(backend: Backend, text: str) -> None:
    """Let a run of ours overwrite the file while it had this text."""
    path = Path(backend.env_files[0].path)
    path.write_text(text)
    path.chmod(0o600)
    (change, *_) = changes(FAULTS, seen(backend), backend)
    assert 0 == carried_out(change).status
    path.unlink()


SOUND = f"DATABASE_URL={RUNNING['DATABASE_URL']}\nACCESS_CODE='{canaries.ACCESS_CODE}'\n"


@pytest.mark.parametrize("sh", SHELLS)
def test_a_value_that_must_be_kept_comes_from_the_newest_copy_that_has_it(folder, sh):
    backend = described(folder / ".env", KEPT)
    for number, mail in enumerate(("MAIL=of-before", "export MAIL='of today'", "MAIL=''", "A=1")):
        keep(backend, f"{SOUND}SECRET_KEY=x\nDEV_MODE=true\n{mail}\n")
        os.utime(max((folder.parent / "state").glob("relogin/*/undo/*/*")), (number, number))
    state = fact.parse(str(folder / ".env"), run(fact.script(str(folder / ".env"))))
    (declared,) = backend.env_files
    answer = run(fact.kept_script(backend, declared), sh)
    assert isinstance(state, MissingEnvFile)
    assert {"MAIL": "of today"} == fact.with_kept(state, declared, answer).kept
    assert "MAIL from the copy that an earlier run kept" in the_finding(backend).remedy
    assert "of today" == dotenv_values(mended(backend))["MAIL"]


def test_the_process_knows_better_than_a_copy(folder):
    backend = described(folder / ".env", KEPT)
    keep(backend, f"{SOUND}SECRET_KEY=x\nDEV_MODE=true\nMAIL=of-before\n")
    assert "in force" == dotenv_values(mended(backend, {"MAIL": "in force"}))["MAIL"]


def test_a_kept_key_that_is_lost_from_its_file_comes_back_too(folder):
    backend = described(folder / ".env", KEPT)
    keep(backend, f"{SOUND}SECRET_KEY=x\nDEV_MODE=true\nMAIL=of-before\n")
    (folder / ".env").write_text(f"{SOUND}SECRET_KEY=x\nDEV_MODE=false\nMAIL=\n")
    (folder / ".env").chmod(0o600)
    (finding,) = found(FAULTS, seen(backend), backend)
    assert ("env_file.key-empty", "it is written: from the copy that an earlier run kept") == (
        finding.fault,
        finding.remedy,
    )
    (change,) = changes(FAULTS, seen(backend), backend)
    carried_out(change)
    assert "of-before" == dotenv_values(folder / ".env")["MAIL"]


def test_the_database_of_a_kept_url_is_the_declared_one(folder):
    url = DatabaseUrl(user="halext_user", database="halext_org", password=Secret.kept())
    backend = described(folder / ".env", {"DATABASE_URL": url})
    keep(backend, f"DATABASE_URL={URL.format('kept')}_of_last_year\n")
    assert URL.format("kept") == dotenv_values(mended(backend))["DATABASE_URL"]


def test_a_copy_of_another_file_of_that_name_is_not_taken(folder):
    (folder / "other").mkdir()
    keep(described(folder / "other/.env", KEPT), f"{SOUND}SECRET_KEY=x\nDEV_MODE=true\nMAIL=y\n")
    assert the_finding(described(folder / ".env", KEPT)).by_person


def test_no_copy_is_read_while_the_file_has_all_that_must_be_kept(folder):
    backend = described(folder / ".env", {"MAIL": Secret.kept(), "A": "1"})
    keep(backend, "MAIL=of-before\nA=2\n")
    (folder / ".env").write_text("A=1\nexport MAIL = of-today\n")
    (state,) = seen(backend).env_files
    assert isinstance(state, EnvFileState)
    assert b"" == run(fact.kept_script(backend, backend.env_files[0])).text
    assert {} == state.kept


def test_a_file_that_is_there_is_not_missing(folder):
    (folder / ".env").touch(mode=0o600)
    backend = described(folder / ".env", {})
    assert [] == found(FAULTS, seen(backend), backend)
