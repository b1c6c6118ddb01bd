"""What probes and a backend's own document prove: pure judgements of answers."""

import pytest

from relogin import Probe
from relogin.facts import openapi
from relogin.facts.proof import Proof, documented, probed
from relogin.web import Reply

HEALTH = Probe(
    "http://127.0.0.1:8002/health",
    fields={"status": "ok", "env": "production", "db.state": "connected"},
)
LOGIN = "http://127.0.0.1:8000/v1/auth/login"


def reply(**fields: object) -> Reply:
    known = {"status": "ok", "env": "production", "db": {"state": "connected"}}
    return Reply(200, 0.01, json=known | fields)


def document(token_url: str | None) -> object:
    flows = {"password": {"scopes": {}, "tokenUrl": token_url}} if token_url else {}
    schemes = {"Bearer": {"type": "http"}, "OAuth2": {"type": "oauth2", "flows": flows}}
    return {"paths": {"/v1/auth/login": {"post": {}}}, "components": {"securitySchemes": schemes}}


def of(token_url: str | None, url: str = "http://127.0.0.1:8000/openapi.json") -> bool | None:
    return documented(LOGIN, openapi.read(url, LOGIN, document(token_url))).ok


def test_a_health_body_is_judged_by_its_fields():
    assert probed(HEALTH, reply(version="1.2")).ok


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"env": "staging"}, "env is 'staging', expected 'production'"),
        ({"db": {"state": "disconnected"}}, "db.state is 'disconnected', expected 'connected'"),
        ({"db": "connected"}, "db.state is 'None', expected 'connected'"),
    ],
)
def test_a_field_that_says_something_else_is_named_with_what_it_says(fields, said):
    check = probed(HEALTH, reply(**fields))

    assert check.ok is False
    assert f"GET http://127.0.0.1:8002/health: 200, {said}" == check.said


def test_a_status_counts_before_any_field():
    check = probed(HEALTH, Reply(503, 0.01, json={}))

    assert check.said.endswith("503, expected 200")


@pytest.mark.parametrize(
    "token_url",
    ["/v1/auth/login", "v1/auth/login", "http://127.0.0.1:8000/v1/auth/login", "/auth/login"],
)
def test_a_document_that_names_the_login_is_right_however_it_writes_it(token_url):
    """Behind a proxy that strips a prefix the document lacks it, too."""
    assert of(token_url) is True


@pytest.mark.parametrize("token_url", ["/login", "/v1/auth/token", "token"])
def test_a_document_that_names_another_path_is_wrong_and_keeps_nobody_out(token_url):
    assert of(token_url) is False
    check = documented(LOGIN, openapi.read("http://h/openapi.json", LOGIN, document("/token")))

    assert "login.token-url-differs" == check.fault
    assert not check.failed
    assert "names /token as tokenUrl" in check.said
    assert Proof("a", LOGIN, (check,)).check("token-url") is False


@pytest.mark.parametrize(
    "routes", [None, openapi.read("http://h/openapi.json", LOGIN, document(None))]
)
def test_a_backend_that_publishes_none_is_not_judged(routes):
    assert documented(LOGIN, routes).ok is None
