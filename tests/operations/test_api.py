"""What a probe finds of an API: it is asked for real, on a backend that has one flaw."""

from typing import Any

import pytest

from relogin import Api, Challenge, Endpoint, Load, Logout
from relogin.facts.api_state import API as OF_API
from relogin.facts.api_state import AUTHENTICATION, INTEGRATION, PERFORMANCE
from relogin.operations.api import FAULTS
from tests.operations import apis
from tests.operations.apis import described, failed, findings, listening, probed, told


def test_a_sound_api_has_no_findings_and_everything_that_is_declared_was_tried():
    with listening() as url:
        backend = described(url)
        found = probed(backend)
    assert [] == failed(found)
    assert [] == findings(backend, found)
    assert {AUTHENTICATION, OF_API, INTEGRATION, PERFORMANCE} == {one.part for one in found.tried}
    untried = [one.said for one in found.tried if one.ok is None]
    assert ["the service's memory: not known (no process of the service is known)"] == untried


FLAWS: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    (
        "method-wrong",
        {"takes": {"/login": "GET"}},
        "POST /login as ops",
        "POST /login as ops: answered 405 (it allows GET)",
    ),
    (
        "method-wrong",
        {"takes": {"/admin": "POST"}},
        "GET /admin as ops",
        "GET /admin as ops: answered 405 (it allows POST) (",
    ),
    ("path-wrong", {"statuses": {"/admin": 404}}, "GET /admin as ops", "answered 404"),
    ("server-error", {"statuses": {"/health": 503}}, "GET /health", "answered 503"),
    (
        "server-error",
        {"without": {"/admin": 500}},
        "GET /admin without a token",
        "GET /admin without a token: answered 500",
    ),
    ("token-refused", {"statuses": {"/admin": 401}}, "GET /admin as ops", "answered 401"),
    ("status-wrong", {"statuses": {"/health": 204}}, "GET /health", "answered 204"),
    (
        "not-protected",
        {"without": {"/me": 200}},
        "GET /me without a token",
        "GET /me without a token: answered 200",
    ),
    (
        "role-not-checked",
        {"as_bob": {"/admin": 200}},
        "GET /admin as bob, who may not",
        "GET /admin as bob, who may not: answered 200",
    ),
    (
        "token-refused",
        {"as_bob": {"/admin": 401}},
        "GET /admin as bob, who may not",
        "GET /admin as bob, who may not: answered 401 with a token",
    ),
    (
        "body-wrong",
        {"bodies": {"/me": {"id": "canary-body", "username": "ops"}}},
        "GET /me as ops",
        'GET /me as ops: $.id: is not type "integer"',
    ),
    (
        "body-wrong",
        {"bodies": {"/me": {"id": 1}}},
        "GET /me as ops",
        "GET /me as ops: $: lacks username",
    ),
    (
        "second-factor-skipped",
        {"factor": False},
        "POST /login as mia",
        "POST /login as mia: answered 200 with a token",
    ),
    (
        "second-factor-broken",
        {"challenge": 409},
        "POST /login as mia",
        "POST /login as mia: answered 409",
    ),
    ("refresh-refused", {"renews": False}, "POST /refresh", "the refresh token: answered 401"),
    (
        "session-survives-logout",
        {"revokes": False},
        "the token after POST /logout",
        "the token is still good after POST /logout",
    ),
    ("logout-refused", {"logout": 400}, "POST /logout", "POST /logout: answered 400"),
    (
        "session-lost",
        {"forgets": 17},
        "the first token",
        "the token of the beginning is refused at the end",
    ),
    (
        "cookie-unsafe",
        {"cookie": "SameSite=None; HttpOnly"},
        "cookie sid",
        "cookie sid lacks Secure, Secure, which SameSite=None needs",
    ),
    ("cookie-unsafe", {"cookie": "Secure"}, "cookie sid", "lacks HttpOnly, SameSite"),
    (
        "cors-refused",
        {"origins": ()},
        f"GET /me for a page of {apis.ORIGIN}",
        "OPTIONS answered 400, Disallowed CORS origin",
    ),
    (
        "cors-open",
        {"origins": "*"},
        "GET /health for a page of https://relogin.invalid",
        "let in, with cookies",
    ),
    (
        "journey-broken",
        {"bodies": {"/chats": {"items": []}}},
        "dashboard, step 3",
        "dashboard, step 3: GET /chats: answered 200",
    ),
    (
        "journey-broken",
        {"readable": False},
        "dashboard, step 1",
        f"a page of {apis.ORIGIN} may not read it: Access-Control-Allow-Origin is not there",
    ),
    (
        "errors",
        {"every": {"/health": 5}},
        "errors",
        "of 36 requests failed",
    ),
    ("slow", {"slow": {"/health": 0.06}}, "GET /health", "GET /health: p50 "),
    ("not-limited", {"limit": None}, "limit of GET /search", "4 requests, and no 429"),
    (
        "limited-early",
        {"limit": 1},
        "limit of GET /search",
        "limit of GET /search: the 2nd request was answered 429",
    ),
)
BESIDE = {"session-lost": {"api.logout-refused"}}  # which needs the session
STRICT = {"slow": Load(requests=12, rate=2000, p95=0.05)}


@pytest.mark.parametrize(("kind", "flaws", "subject", "seen"), FLAWS)
def test_each_flaw_is_found_with_its_evidence(kind, flaws, subject, seen):
    with listening(**flaws) as url:
        backend = described(url, load=STRICT.get(kind, apis.QUICK))
        found = findings(backend, probed(backend))
    mine = [one for one in found if (f"api.{kind}", subject) == (one.fault, one.subject)]
    assert 1 == len(mine), [(one.fault, one.subject, one.seen) for one in found]
    assert seen in mine[0].seen
    others = {one.fault for one in found if one.fault != "api.journey-broken"}
    assert set() == others - {f"api.{kind}"} - BESIDE.get(kind, set())
    assert mine[0].by_person
    assert mine[0].remedy


def test_nobody_listening_is_said_once_and_nothing_more_is_asked():
    with listening() as url:
        pass
    found = probed(described(url))
    assert {"not-answered"} == {kind for kind, _ in failed(found)}
    assert 4 == found.requests  # openapi.json, and three logins


def test_what_can_change_something_is_not_sent_and_its_route_is_looked_for():
    asked: list[str] = []
    with listening(asked=asked) as url:
        endpoints = [Endpoint(method, "/chats") for method in ("POST", "PUT", "DELETE")]
        endpoints.append(Endpoint("POST", "/nowhere"))
        found = probed(apis.backend(url, endpoints=endpoints, load=apis.QUICK))
    assert {"POST /login", "POST /refresh"} == {one for one in asked if one.startswith("POST")}
    assert not [one for one in asked if one.startswith(("PUT", "DELETE"))]
    assert [True] == [one.ok for one in told(found, "POST /chats")]
    assert [None] == [one.ok for one in told(found, "PUT /chats")]
    assert [("path-wrong", "POST /nowhere")] == failed(found)


def test_an_account_that_is_asked_for_more_without_a_challenge_declared_cannot_log_in():
    with listening() as url:
        found = probed(described(url, challenges=(), endpoints=Endpoint("GET", "/me", "mia")))
    assert [("login-refused", "POST /login as mia")] == failed(found)
    assert [None] == [one.ok for one in told(found, "GET /me as mia")]


def test_a_schema_that_is_none_is_not_checked_and_not_wrong():
    endpoints = [
        Endpoint("GET", "/health", schema={"type": "nonsense"}),
        Endpoint("GET", "/me", account="ops", schema={"$ref": "http://127.0.0.1:9/a.json"}),
    ]
    with listening() as url:
        found = probed(apis.backend(url, endpoints=endpoints, load=apis.QUICK))
    assert [] == failed(found)
    assert [
        "GET /health: the body is not checked (the schema is none: $.type)",
        "GET /me as ops: the body is not checked (the schema has no http://127.0.0.1:9/a.json)",
    ] == [one.said for one in found.tried if "not checked" in one.said]


def test_no_secret_is_told_whatever_is_wrong():
    told_of: list[str] = []
    for flaws in ({}, {"revokes": False}, {"bodies": {"/me": {"id": "canary-body-1"}}}):
        with listening(**flaws) as url:
            backend = described(url)
            found = probed(backend)
            told_of += [repr(found), repr(findings(backend, found))]
    said = "".join(told_of)
    for hidden in ("canary-token", "canary-refresh", "canary-password", "canary-body", "m" * 20):
        assert hidden not in said
    assert apis.FACTOR not in said


def test_every_fault_of_the_layer_is_found_by_a_flaw_here_or_in_the_next_file():
    known = {kind for kind, *_ in FLAWS}
    elsewhere = {"not-answered", "login-refused", "memory-grows", "service-restarted"}
    assert {fault.id.partition(".")[2] for fault in FAULTS} == known | elsewhere
    assert {None} == {fault.fix for fault in FAULTS}


def test_without_a_word_of_an_api_only_the_login_is_left_to_ask():
    with listening() as url:
        found = probed(apis.backend(url))
    assert [] == failed(found)
    assert f"no endpoints are declared, and {url} has no openapi.json" in [
        one.said for one in found.tried
    ]


def test_an_api_needs_no_login():
    with listening() as url:
        open_one = apis.Backend("open", api=Api(url, endpoints=Endpoint("GET", "/health")))
        found = probed(open_one)
    assert [] == failed(found)
    assert "GET /health: answered 200" in found.tried[0].said


def test_logouts_and_challenges_are_tried_without_endpoints_too():
    with listening() as url:
        found = probed(apis.backend(url, logout=Logout("/logout"), challenges=Challenge("mia")))
    assert [True] == [one.ok for one in told(found, "the token after POST /logout")]
    assert [True] == [one.ok for one in told(found, "POST /login as mia")]
