"""Keys of the env file for which the backend's own settings refuse to start."""

import dataclasses

import pytest

from relogin.facts.login_answer import LoginAnswer
from relogin.facts.proof import Check, Proof
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.operations.env_file import FAULTS
from tests.operations.looks import ENV, found, look

SAID = (
    "Traceback (most recent call last):",
    "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings",
    "{key}",
    "  Extra inputs are not permitted [type=extra_forbidden, input_value='bar', input_type=str]",
    "    For further information visit https://errors.pydantic.dev/2.12/v/extra_forbidden",
)
PREFIX = "2026-11-22T02:31:00+00:00 uvicorn[812]: "


def seen(key, *, prefix=PREFIX, active=False, more="REPORTS_TO"):
    """Give a look at a service that has said this; the file has one key more."""
    healthy = look()
    (file,) = healthy.env_files
    log = tuple(prefix + line.format(key=key) for line in SAID)
    service = ServiceState(
        "halext-api.service", exists=True, active=active, state="active" if active else "failed",
        log=log, started=1.0,
    )  # fmt: skip
    files = (dataclasses.replace(file, values={**file.values, more: "ada"}),)
    return dataclasses.replace(healthy, service=service, env_files=files)


def told(look):
    return [one for one in found(FAULTS, look) if one.fault == "env_file.extra-key-forbidden"]


@pytest.mark.parametrize("prefix", [PREFIX, ""], ids=["journal", "bare"])
def test_a_key_that_the_settings_forbid_is_named_to_a_person(prefix):
    [finding] = told(seen("reports_to", prefix=prefix))
    assert (f"{ENV}:REPORTS_TO", True, True) == (
        finding.subject,
        finding.by_person,
        finding.critical,
    )
    assert finding.remedy.startswith("take it out of the file, or let the settings know it")


def test_one_that_the_profile_declares_is_taken_out_of_the_profile_too():
    [finding] = told(seen("access_code"))
    assert finding.remedy.startswith("take it out of the profile and the file, or let")


def test_no_value_of_the_log_is_repeated():
    [finding] = told(seen("reports_to"))
    assert "bar" not in f"{finding.what} {finding.seen} {finding.remedy}"


@pytest.mark.parametrize(
    "look",
    [
        seen("phone"),
        seen("reports_to", more="REPORTS"),
        seen("reports_to", active=True),
        dataclasses.replace(seen("reports_to"), service=Unreadable("no answer")),
    ],
    ids=["a request's field", "it was taken out", "it runs", "the service could not be seen"],
)
def test_what_does_not_keep_the_service_from_starting_is_none(look):
    assert [] == told(look)


@pytest.mark.parametrize(
    ("status", "named"), [(500, ["env_file.extra-key-forbidden"]), (401, [])], ids=str
)
def test_settings_that_the_first_request_reads_are_seen_behind_its_500(status, named):
    answer = LoginAnswer(status)
    proof = Proof("ops", "http://h/", (Check("login", False, "no"),), status, answer)
    asked = dataclasses.replace(seen("reports_to", active=True), login=proof)
    assert named == [one.fault for one in told(asked)]
