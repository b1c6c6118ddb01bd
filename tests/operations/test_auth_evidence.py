"""What the backend's own log says stands as evidence beside the finding that it explains."""

import dataclasses

import pytest

from relogin import FromEnv, Jwt
from relogin.facts import auth_log
from relogin.facts.auth_log import AuthLog
from relogin.facts.machine import Machine
from relogin.facts.service_state import ServiceState
from relogin.finding import Finding, Unreadable
from relogin.operations import compose
from relogin.operations.auth_evidence import blocked_by, told_by, told_of_the_secret
from tests.operations import sick
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


def test_what_was_said_since_the_run_began_is_our_own_and_no_evidence():
    """Docker's times have parts of a second, the journal's have none."""
    times = {auth_log.TOKEN_INVALID: (98.9, 100.0, 100.7, 101.2)}
    log = AuthLog({auth_log.TOKEN_INVALID: 5}, times=times)  # of one the time is not known
    ahead = Machine(now=103.0, user="root", uid=0, system="Linux", ahead=50.0)
    look = dataclasses.replace(seen(log), machine=ahead, began=50.5)

    assert ["a row; its log: 2 x token invalid"] == said(
        told_by(finding(), auth_log.TOKEN_INVALID), look
    )
    ours = AuthLog(
        {auth_log.TOKEN_INVALID: 3}, times={auth_log.TOKEN_INVALID: (100.0, 100.7, 101.2)}
    )
    look = dataclasses.replace(look, service=seen(ours).service)
    assert ["a row"] == said(told_by(finding(), auth_log.TOKEN_INVALID), look)


REFUSED = AuthLog({auth_log.TOKEN_INVALID: 4})


def of_tokens(detect):
    token = Jwt(secret=FromEnv("ADMIN_PRIVATE_KEY"), algorithm="HS256")
    backend = dataclasses.replace(sick.described("receptionist"), token=token)
    return [finding.seen for finding in told_of_the_secret(detect)(backend, seen(REFUSED))]


@pytest.mark.parametrize(
    ("detect", "expected"),
    [
        (finding("ADMIN_PRIVATE_KEY"), "a row; its log: 4 x token invalid"),
        (finding("/x/.env"), "a row"),
        (
            lambda backend, look: Finding("older", seen="other values for ENV, ADMIN_PRIVATE_KEY"),
            "other values for ENV, ADMIN_PRIVATE_KEY; its log: 4 x token invalid",
        ),
        (lambda backend, look: Finding("older", seen="NOT_ADMIN_PRIVATE_KEY"), None),
    ],
    ids=["its own", "another's", "among others", "a longer name"],
)
def test_refused_tokens_are_evidence_of_what_is_wrong_with_their_secret(detect, expected):
    assert [expected or "NOT_ADMIN_PRIVATE_KEY"] == of_tokens(detect)


def test_a_container_of_an_older_secret_says_how_many_tokens_it_refuses():
    state = dataclasses.replace(healthy(), auth=REFUSED)
    environ = {**state.environ, "ADMIN_PRIVATE_KEY": "of-yesterday"}
    look = observed(dataclasses.replace(state, environ=environ))
    [found] = compose.ENVIRONMENT_OLDER.found(sick.described("receptionist"), look)

    assert "other values for ADMIN_PRIVATE_KEY; its log: 4 x token invalid" == found.seen


JOURNAL = """\
2026-11-20T05:57:53+0000 api-host uvicorn[2618]: WARNING:  [AUTH] {said}
2026-11-20T05:57:54+0000 api-host uvicorn[2618]: WARNING:  [AUTH] {said}
"""


def journalled(said):
    """Give what the facts make of a host with systemd whose journal says it."""
    answers = sick.recorded("accounts.password-differs")
    log = answers["service.log"]
    more = JOURNAL.format(said=said).encode()
    answers["service.log"] = dataclasses.replace(log, text=log.text.rstrip(b"\n") + b"\n" + more)
    return answers


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ("Login failed: User not found - a@example.com", {"unknown user": 2}),
        ("Login failed: Password mismatch for a@b. Hash length: 60", {"password differs": 2}),
        ("bcrypt.checkpw failed: Invalid salt", {"bcrypt cannot read the hash": 2}),
        ("JWT expired: Signature has expired", {"token expired": 2}),
        ("JWT invalid: Not enough segments", {"token invalid": 2}),
    ],
)
def test_the_journal_is_counted_by_reason_under_systemd_as_well(said, counted):
    before = sick.seen(sick.described(sick.HALEXT), sick.recorded("accounts.password-differs"))
    look = sick.seen(sick.described(sick.HALEXT), journalled(said))
    more = {
        reason: count - before.service.auth.counts.get(reason, 0)
        for reason, count in look.service.auth.counts.items()
        if count != before.service.auth.counts.get(reason, 0)
    }

    assert counted == more


def test_under_systemd_it_stands_beside_the_finding_that_it_explains(monkeypatch):
    monkeypatch.setenv("HALEXT_OPS_PASSWORD", "of-the-test")
    backend = sick.described(sick.HALEXT)
    said = "Login failed: Password mismatch for ops. Hash length: 60"
    leading, _ = sick.judged(backend, journalled(said))

    assert "accounts.password-differs" == leading[0].fault
    assert "x password differs (hashes of 60 characters)" in leading[0].seen


def test_a_start_that_is_refused_under_systemd_names_its_keys():
    blocked = "x] Production startup BLOCKED. Missing required secrets: SECRET_KEY, OPENAI_API_KEY"
    look = sick.seen(sick.described(sick.HALEXT), journalled(blocked))

    assert ("SECRET_KEY", "OPENAI_API_KEY") == look.service.auth.blocked


def test_a_service_says_its_counts_as_json():
    state = dataclasses.replace(healthy(), auth=LOG)
    assert isinstance(state, ServiceState)

    assert {
        "counts": {"unknown user": 3, "password differs": 1},
        "lengths": [59],
        "blocked": ["ADMIN_PRIVATE_KEY"],
    } == state.to_json()["auth"]
