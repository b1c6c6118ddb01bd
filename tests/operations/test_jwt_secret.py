"""How good the JWT secret is, and whether all that runs has the same: none of it is replaced."""

import dataclasses

import pytest

from relogin import FromEnv, Jwt, Severity
from relogin.facts.source import Source
from relogin.operations.jwt import FAULTS
from tests.lab import canaries
from tests.operations.looks import ENV, ROOT, changes, env, found, halext, look, said, text

TUTORIAL = "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"


def with_secret(value: str):
    """Give a look at a host that has this secret, in the file and in the process."""
    part = text("service.environ", canaries.SECRET_KEY, value)
    return look(env(canaries.SECRET_KEY, value), part)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (TUTORIAL, "it is the one of FastAPI's tutorial: whoever knows it can be anybody"),
        ("changeme", "it is a placeholder: whoever knows it can be anybody"),
        ("secret", "it is among the first that anybody tries: whoever knows it can be anybody"),
    ],
)
def test_a_secret_that_everybody_knows_is_said_and_stays(value, why):
    (finding,) = found(FAULTS, with_secret(value))
    assert f"the JWT secret SECRET_KEY in {ENV} is known to everybody" == finding.what
    assert ("jwt.known-default", Severity.WARNING, True, why) == (
        finding.fault,
        finding.severity,
        finding.by_person,
        finding.seen,
    )
    assert finding.remedy.startswith("it stays, for another one throws everybody out")
    assert [] == changes(FAULTS, with_secret(value))
    assert TUTORIAL not in str(finding)


@pytest.mark.parametrize(
    ("algorithm", "size", "least"),
    [("HS256", 31, 32), ("HS384", 47, 48), ("HS512", 63, 64)],
)
def test_a_secret_that_is_shorter_than_its_hash_is_weak(algorithm, size, least):
    value = "kQ7zXw2mVb9LrT4c" * 4
    backend = halext(token=Jwt(secret=FromEnv("SECRET_KEY"), algorithm=algorithm))
    assert [] == found(FAULTS, with_secret(value[:least]), backend)
    (finding,) = found(FAULTS, with_secret(value[:size]), backend)
    assert ("jwt.secret-weak", Severity.WARNING, True) == (
        finding.fault,
        finding.severity,
        finding.by_person,
    )
    assert finding.seen.startswith(f"{size} bytes: ")
    assert f"{least} bytes at least (RFC 7518, 3.2)" == finding.expected
    assert value[:size] not in str(finding)


def test_a_secret_is_measured_in_bytes():
    assert [] == found(FAULTS, with_secret("ä" * 16))


def test_what_is_not_signed_with_a_secret_has_none_that_is_weak():
    backend = halext(token=Jwt(public_key=FromEnv("SECRET_KEY"), algorithm="RS256"))
    assert [] == found(FAULTS, with_secret("short"), backend)


OTHER = text("service.environ", canaries.SECRET_KEY, "another-secret-that-nobody-knows-of-here")


def test_a_process_that_has_its_secret_from_elsewhere_is_a_persons():
    (finding,) = found(FAULTS, look(OTHER))
    assert f"the running backend has another JWT secret than {ENV}" == finding.what
    assert ("jwt.running-on-other-secret", True, True) == (
        finding.fault,
        finding.critical,
        finding.by_person,
    )
    assert "decide which one is right" in finding.remedy
    assert "systemctl cat halext-api.service" in finding.remedy
    assert "another-secret" not in str(finding)


def test_a_process_that_is_merely_older_than_its_file_is_the_service_s_business():
    newer = env("11:06:40.307317066", "11:06:59.000000000")
    assert [] == found(FAULTS, look(OTHER, newer))


def test_a_unit_that_reads_another_file_is_the_service_s_business():
    edit = text("service.show", f"{ENV} (ignore", "/etc/other.env (ignore")
    backend = halext(service=dataclasses.replace(halext().service, environment_files=(ENV,)))
    assert [] == found(FAULTS, look(OTHER, edit), backend)
    assert [] != found(FAULTS, look(OTHER), backend)


def test_processes_with_other_secrets_are_named():
    (finding,) = found(FAULTS, look(said("secrets", "612 0\n845 0\n901 65")))
    assert "the processes of halext-api.service do not all have the same JWT secret" == finding.what
    assert finding.seen.startswith("2 values of SECRET_KEY: pid 612, 845; pid 901; main pid ")
    assert (True, True) == (finding.critical, finding.by_person)
    assert [] == found(FAULTS, look(said("secrets", "612 0\n845 0\n901 0")))


def test_a_secret_in_the_code_is_said_with_file_and_line():
    seen = look(said("source", "./app/main.py:17\n./app/settings.py:3\n#rc 0"))
    findings = found(FAULTS, seen)
    assert [("jwt.hard-coded-fallback", Severity.WARNING, True)] * 2 == [
        (one.fault, one.severity, one.by_person) for one in findings
    ]
    assert f"line 17 of {ROOT}/app/main.py" in findings[0].what
    assert 'os.environ["SECRET_KEY"]' in findings[0].remedy


def test_a_source_that_could_not_be_seen_is_no_fault():
    assert [] == found(FAULTS, dataclasses.replace(look(), source=None, secrets=None))
    assert isinstance(look().source, Source)
