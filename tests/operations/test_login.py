"""What the login's faults find: the proof is made for real, on a backend that has one flaw."""

import dataclasses
import time
from typing import Any

import pytest

from relogin import Account, Accounts, Jwt, Secret
from relogin.facts.login import prove
from relogin.facts.proof import Check, Proof
from relogin.operations.login import FAULTS
from tests.lab import canaries
from tests.operations.flawed import listening
from tests.operations.logins import HOST, SEEN, described, findings, proven
from tests.operations.looks import HALEXT, found


def test_a_sound_backend_is_proven_and_every_check_made():
    with listening() as url:
        backend = described(url)
        proof = proven(backend)
    assert [] == findings(backend, proof)
    assert proof.proven
    assert {True} == {check.ok for check in proof.checks}
    assert [
        *("login", "algorithm", "signature", "subject", "expiry", "protected", "identity"),
        *("unprotected", f"probe: {url}/api/health", "forged: signed with another secret"),
        *("forged: of algorithm none", "forged: signed with the empty secret"),
        *("forged: that has expired", "wrong-password"),
    ] == [check.name for check in proof.checks]


FLAWS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("proxy-up-backend-down", {"login_status": 502}, "POST {url}/token: answered 502"),
    ("proxy-up-backend-down", {"login_status": 503}, "POST {url}/token: answered 503"),
    ("proxy-up-backend-down", {"login_status": 504}, "POST {url}/token: answered 504"),
    ("server-error", {"login_status": 500}, "POST {url}/token: answered 500"),
    ("refused", {"login_status": 401}, "POST {url}/token: answered 401"),
    ("refused", {"login_status": 400}, "POST {url}/token: answered 400"),
    ("unexpected-answer", {"login_status": 418}, "POST {url}/token: answered 418"),
    ("wrong-path", {"login_status": 404}, "POST {url}/token: answered 404"),
    (
        "token-not-found",
        {"field": "token"},
        "POST {url}/token: answered 200 without 'access_token': it has token",
    ),
    ("token-not-a-jwt", {"token": "opaque-token-of-a-session"}, "the token is not a JWT"),
    ("algorithm-wrong", {"algorithm": "HS512"}, "HS512, declared HS256"),
    (
        "signature-wrong",
        {"signs_with": "s" * 40, "checks_with": "s" * 40},
        "another secret signed it",
    ),
    (
        "signature-wrong",
        dict.fromkeys(("signs_with", "checks_with"), f'"{canaries.SECRET_KEY}"'),
        "the configured secret in double quotes fits",
    ),
    ("subject-wrong", {"claims": {"sub": "7"}}, "sub is '7', expected 'ops'"),
    (
        "expiry-wrong",
        {"lifetime": -60, "leeway": 70},
        "it expired 60 s before it was issued",
    ),
    ("protected-refused", {"checks_with": "s" * 40}, "GET {url}/users/me: 401 with the token"),
    ("protected-refused", {"me_status": 500}, "GET {url}/users/me: 500 with the token"),
    ("identity-wrong", {"identity": "alice"}, "answers as 'alice', not as ops"),
    ("identity-wrong", {"identity": None}, "names nobody at 'username': it has username"),
    ("open-without-token", {"needs_token": False}, "no token (200)"),
    ("wrong-password-accepted", {"checks_password": False}, "a wrong password (200)"),
    (
        "probe-failed",
        {"health": 500},
        "GET {url}/api/health as org.halext.org: 500, expected 200",
    ),
)


@pytest.mark.parametrize(("fault", "flaws", "seen"), FLAWS)
def test_each_flaw_is_one_fault(fault, flaws, seen):
    with listening(**flaws) as url:
        backend = described(url)
        proof = proven(backend)
    wanted = (fault, seen.format(url=url))
    assert [wanted] == findings(backend, proof)
    assert not proof.proven


def test_a_forged_token_that_is_accepted_is_named_by_its_kind():
    with listening(checks_tokens=False) as url:
        backend = described(url)
        said = findings(backend, proven(backend))
    assert ("forged-token-accepted", "a token signed with another secret (200)") in said
    assert {"forged-token-accepted"} == {fault for fault, _ in said}


def test_nobody_listening_is_not_a_refusal():
    with listening() as url:
        pass
    backend = described(url)
    proof = proven(backend)
    assert [("not-reached", f"POST {url}/token: nobody listens there")] == findings(backend, proof)


def test_every_flaw_is_a_persons_or_follows_from_a_layer_below():
    assert {None} == {fault.fix for fault in FAULTS}
    persons = {fault.id.partition(".")[2] for fault in FAULTS if not fault.symptom_of}
    assert {
        *("certificate-refused", "rate-limited", "wrong-content-type", "wrong-field-name"),
        *("not-an-email", "challenge", "token-not-a-jwt", "algorithm-wrong", "subject-wrong"),
        *("identity-wrong", "open-without-token", "forged-token-accepted"),
        *("wrong-password-accepted", "public-dns-missing", "public-dns-elsewhere"),
        *("public-not-listening", "public-filtered", "tls-expired", "tls-not-yet-valid"),
        *("tls-wrong-name", "tls-untrusted", "public-proxy-down", "public-url"),
        "token-url-differs",
    } == persons


def test_a_login_that_was_not_tried_gives_no_finding():
    assert [] == found(FAULTS, SEEN)
    untried = Proof("ops", "http://h/", (Check("login", None, "no tunnel"),))
    assert [] == findings(HALEXT, untried)


def test_the_wrong_declared_password_is_refused():
    people = [Account("ops", password=Secret.seen("not-the-password"))]
    with listening() as url:
        backend = dataclasses.replace(described(url), accounts=Accounts(present=people))
        assert ["refused"] == [fault for fault, _ in findings(backend, proven(backend))]


def test_a_login_in_json_and_a_nested_token_path():
    with listening(field="data") as url:
        backend = described(url, body="json", token="data")
        assert proven(backend).proven


def test_what_the_server_limits_is_not_checked_and_not_wrong():
    with listening(limit=429) as url:
        proof = proven(described(url))
    assert proof.proven
    refusals = [check for check in proof.checks if check.name.startswith(("forged", "wrong"))]
    assert {None} == {check.ok for check in refusals}
    assert "a wrong password: not checked (429)" == proof.said("wrong-password")


def test_refusals_are_only_tried_when_asked_for_and_after_the_right_login():
    for flaws, refusals in (({}, False), ({"login_status": 401}, True)):
        asked: list[str] = []
        with listening(asked=asked, **flaws) as url:
            proven(described(url), refusals=refusals)
        assert "wrong login" not in asked
    assert ["login", "/openapi.json"] == asked


@pytest.mark.parametrize("answers", ["busy", "dropped"])
def test_a_service_that_was_just_started_gets_its_time(answers):
    with listening(**{answers: 2}) as url:
        assert proven(described(url), patience=10).proven
    with listening(**{answers: 2}) as url:
        assert not proven(described(url), patience=0).proven


def test_the_lifetime_is_judged_where_it_is_declared():
    with listening() as url:
        backend = dataclasses.replace(
            described(url), token=dataclasses.replace(HALEXT.token, lifetime=60)
        )
        ((fault, seen),) = findings(backend, proven(backend))
    assert ("expiry-wrong", "s, declared 60 s") == (fault, seen[-16:])


def test_without_a_declared_token_an_opaque_one_is_enough():
    with listening(token="opaque-token-of-a-session") as url:
        backend = dataclasses.replace(described(url), token=None)
        proof = proven(backend)
    assert proof.proven
    assert proof.check("forged: that is invented") is True


def test_a_key_without_a_value_is_said_and_not_guessed():
    token = Jwt(secret=Secret.env("RELOGIN_TEST_NO_SUCH_SECRET"))
    with listening() as url:
        backend = dataclasses.replace(described(url), token=token)
        proof = proven(backend)
    assert (None, "signature not checked: the key has no value") == (
        proof.check("signature"),
        proof.said("signature"),
    )


def test_a_header_without_a_value_leaves_the_login_untried():
    seen = dataclasses.replace(SEEN, env_files=(None,))
    with listening() as url:
        proof = prove(HOST, described(url), seen, refusals=True, patience=0)
    assert (None, "ACCESS_CODE has no value in the env file") == (
        proof.check("login"),
        proof.said("login"),
    )


def test_no_check_says_a_secret():
    with listening() as url:
        proof = proven(described(url))
    assert proof.token is not None
    for hidden in (*canaries.ALL, proof.token.reveal()):
        assert hidden not in repr(proof)


def test_a_token_that_never_arrives_is_the_proxys_doing():
    with listening(checks_with="s" * 40, told="Not authenticated") as url:
        backend = described(url)
        ((fault, said),) = findings(backend, proven(backend))
    assert "authorization-stripped" == fault
    assert f"GET {url}/users/me: 401 with the token, as if none had been sent" == said


def test_a_slow_login_is_told_from_nobody_listening():
    with listening(seconds=1.5) as url:
        backend = described(url, deadline=0.4)
        ((fault, said),) = findings(backend, proven(backend))
    assert ("slow", f"POST {url}/token: no answer in time") == (fault, said)


@pytest.mark.parametrize("after", ["1", "date"])
def test_a_limit_is_waited_for_once_as_long_as_it_says(after, monkeypatch):
    waited: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: (waited.append(seconds), sleep(seconds)))
    with listening(limited=1, after=after) as url:
        assert proven(described(url), refusals=False).proven
    assert 0.5 < sum(waited) < 3


def test_a_limit_that_lasts_longer_than_the_deadline_is_said():
    with listening(limited=9, after="120") as url:
        backend = described(url)
        said = findings(backend, proven(backend))
    assert [("rate-limited", f"POST {url}/token: answered 429 (Retry-After: 120)")] == said
