"""What the env file's faults find in a recorded look, and what they would write."""

import pytest

from relogin import Backend, DatabaseUrl, EnvFile, Secret, Severity, Systemd, Unreadable
from relogin.facts.env_file import EnvFileState
from relogin.facts.service import ServiceState
from relogin.operations.env_file import FAULTS
from tests.lab import canaries
from tests.operations.looks import (
    ENV,
    HALEXT,
    KEYS,
    changes,
    env,
    everywhere,
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
    assert finding.seen.startswith("the password has a % that no two hex digits follow")
    assert ("env_file.database-url-unparsable", True) == (finding.fault, finding.by_person)


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
    findings = found(FAULTS, look(everywhere(before, after)))
    assert ([seen] if seen else []) == [finding.seen for finding in findings]


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
