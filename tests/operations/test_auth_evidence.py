"""What the backend's own log says stands as evidence beside the finding that it explains."""

import dataclasses

import pytest

from relogin.facts import auth_log
from relogin.facts.auth_log import AuthLog
from relogin.facts.service_state import ServiceState
from relogin.finding import Finding, Unreadable
from relogin.operations.auth_evidence import blocked_by, told_by
from tests.operations.composed import BACKEND, healthy, observed

LOG = AuthLog(
    {auth_log.UNKNOWN_USER: 3, auth_log.PASSWORD_DIFFERS: 1}, (59,), ("ADMIN_PRIVATE_KEY",)
)


def seen(log=LOG):
    return observed(dataclasses.replace(healthy(), auth=log))


def said(detect, look):
    return [finding.seen for finding in detect(BACKEND, look)]


def finding(subject=""):
    return lambda backend, look: Finding("it is wrong", subject=subject, seen="a row")


def test_a_finding_says_what_the_log_counts_of_its_own_reasons():
    assert ["a row; its log: 3 x unknown user"] == said(
        told_by(finding(), auth_log.UNKNOWN_USER), seen()
    )


def test_of_passwords_the_length_of_the_stored_hash_is_said():
    assert ["a row; its log: 1 x password differs (hashes of 59 characters)"] == said(
        told_by(finding(), auth_log.PASSWORD_DIFFERS), seen()
    )


@pytest.mark.parametrize("look", [seen(AuthLog()), observed(Unreadable("no engine"))])
def test_a_log_that_says_nothing_or_cannot_be_seen_adds_nothing(look):
    assert ["a row"] == said(told_by(finding(), auth_log.UNKNOWN_USER), look)
    assert ["a row"] == said(blocked_by(finding(), any_key=True), look)


def test_where_nothing_is_wrong_the_log_makes_no_finding():
    assert [] == said(told_by(lambda backend, look: None, auth_log.UNKNOWN_USER), seen())


def test_a_refused_start_is_evidence_of_the_key_that_it_names_and_of_no_other():
    blocked = "a row; its log: startup BLOCKED for lack of ADMIN_PRIVATE_KEY"

    assert [blocked] == said(blocked_by(finding("/x/.env:ADMIN_PRIVATE_KEY")), seen())
    assert ["a row"] == said(blocked_by(finding("/x/.env:OPENAI_API_KEY")), seen())
    assert [blocked] == said(blocked_by(finding("app"), any_key=True), seen())


def test_a_service_says_its_counts_as_json():
    state = dataclasses.replace(healthy(), auth=LOG)
    assert isinstance(state, ServiceState)

    assert {
        "counts": {"unknown user": 3, "password differs": 1},
        "lengths": [59],
        "blocked": ["ADMIN_PRIVATE_KEY"],
    } == state.to_json()["auth"]
