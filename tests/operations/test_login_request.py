"""What the answers of real frameworks to a login mean: one fault each, with its next step."""

import dataclasses
from typing import Any

import pytest

from relogin import Cookie, Login
from relogin.facts import login_answer, openapi
from relogin.facts.login import prove
from relogin.facts.login_answer import LoginAnswer, Problem
from relogin.facts.proof import Check, Proof
from relogin.finding import Finding
from relogin.operations.login import FAULTS
from relogin.operations.login_reading import reading
from relogin.web import Reply
from tests.lab import canaries
from tests.operations.answering import answering
from tests.operations.logins import HOST
from tests.operations.looks import found, halext, look

SEEN = look()


def findings(
    name: str, path: str = "/token", *, documented: bool = False, **login: Any
) -> list[Finding]:
    with answering(name, documented=documented) as url:
        backend = halext(login=Login(f"{url}{path}", "ops", **login))
        proof = prove(HOST, backend, SEEN, refusals=False, patience=0)
    assert proof.check("login") is False
    seen = dataclasses.replace(SEEN, login=proof)
    return [
        dataclasses.replace(
            one, seen=one.seen.replace(url, ""), expected=one.expected.replace(url, "")
        )
        for one in found(FAULTS, seen, backend)
    ]


JSON = {"body": "json"}
ANSWERS: tuple[tuple[str, dict[str, Any], str, str, str], ...] = (
    (
        "fastapi-form-gets-json", JSON, "wrong-content-type",
        "answered 422 because of body.username, body.password", "form, and Login says json",
    ),
    (
        "fastapi-json-gets-form", {}, "wrong-content-type",
        "answered 422 because of body", "json, and Login says form",
    ),
    (
        "fastapi-field-missing", {"fields": {"email": "{email}", "password": "{password}"}},
        "wrong-field-name",
        "answered 422 because of body.username", "fields email, password, as declared",
    ),
    (
        "django-field-missing", {"fields": {"email": "{email}", "password": "{password}"}},
        "wrong-field-name",
        "answered 400 because of body.username", "fields email, password, as declared",
    ),
    (
        "fastapi-not-an-email", JSON, "not-an-email",
        "answered 422 because of body.email", "",
    ),
    (
        "fastapi-header-missing", {}, "header-missing",
        "answered 422 because of header.x-code", "a header x-code",
    ),
    ("fastapi-code-missing", {}, "header-missing", "answered 403", "a header X-Halext-Code"),
    ("fastapi-no-route", {}, "wrong-path", "answered 404", ""),
    ("django-no-route", {}, "wrong-path", "answered 404 with text/html", ""),
    ("fastapi-get-only", {}, "wrong-method", "answered 405 (it allows GET)", ""),
    ("fastapi-slash", {}, "redirected", "answered 307 to http://127.0.0.1:8171/slash/", ""),
    ("django-slash", {}, "redirected", "answered 301 to /token/", ""),
    (
        "fastapi-to-https", {}, "redirected-to-https",
        "answered 307 to https://127.0.0.1:8172/token", "",
    ),
    ("fastapi-error", {}, "server-error", "answered 500", ""),
    (
        "fastapi-host", {"host_header": "org.halext.org"}, "host-refused",
        "answered 400 with text/plain", "org.halext.org among the hosts that it answers for",
    ),
    (
        "django-host", {}, "host-refused",
        "answered 400 with text/html", "127.0.0.1 among the hosts that it answers for",
    ),
    ("django-csrf", {}, "csrf-refused", "answered 403", ""),
    ("django-throttled", {"deadline": 5}, "rate-limited", "answered 429 (Retry-After: 60)", ""),
    ("django-text", {}, "wrong-content-type", "answered 415", "json, and Login says form"),
    ("fastapi-wrong-password", {}, "refused", "answered 401", ""),
    ("fastapi-forgot", {}, "refused", "answered 401", ""),
    ("fastapi-invite-missing", {}, "refused", "answered 403", ""),
    (
        "fastapi-mfa", {}, "challenge",
        "answered 200 without 'access_token': it has mfaRequired, session",
        "a token; it asks for more: mfa",
    ),
    ("fastapi-otp", {}, "challenge", "answered 401", "a token; it asks for more: otp"),
    (
        "fastapi-expired", {}, "challenge", "answered 403",
        "a token; it asks for more: password has expired",
    ),
    ("fastapi-428", {}, "challenge", "answered 428", ""),
    (
        "fastapi-nested-token", JSON, "token-not-found",
        "answered 200 without 'access_token': it has data, data.token, data.type", "",
    ),
    (
        "fastapi-nested-token", {"token": Cookie("sid")}, "token-not-found",
        "answered 200 without Cookie(name='sid'): it has data, data.token, data.type", "",
    ),
    (
        "fastapi-empty", {}, "unexpected-answer",
        "answered 200 without 'access_token': it has no body", "",
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "login", "fault", "seen", "expected"), ANSWERS, ids=[one[0] for one in ANSWERS]
)
def test_each_answer_of_a_framework_is_one_fault(name, login, fault, seen, expected):
    (one,) = findings(name, **login)
    assert (f"login.{fault}", f"POST /token: {seen}", expected) == (
        one.fault,
        one.seen,
        one.expected,
    )
    assert one.by_person
    assert one.remedy


@pytest.mark.parametrize("name", sorted({one[0] for one in ANSWERS}))
def test_no_answer_shows_what_was_sent(name):
    for body in ("form", "json"):
        said = repr(findings(name, body=body))
        assert canaries.OPS_PASSWORD not in said


def test_the_backends_own_document_names_the_login_that_was_meant():
    (one,) = findings("fastapi-no-route", "/api/login", documented=True)
    assert "/openapi.json has POST /token, /json, /email, /header" == one.expected


def test_the_backends_own_document_tells_a_form_from_json():
    (one,) = findings("fastapi-form-gets-json", documented=True, body="json")
    assert "declare the other: Login(body='form')" == one.remedy


@pytest.mark.parametrize("headers", [{}, {"X-Other": "1"}])
def test_a_403_is_laid_to_a_header_that_the_document_has_and_nobody_sent(headers):
    (one,) = findings("fastapi-invite-missing", "/invited", documented=True, headers=headers)
    assert ("login.header-missing", "a header x-invite") == (one.fault, one.expected)
    assert (
        "declare it, and where its value comes from: Login(headers={'x-invite': …})" == one.remedy
    )


def test_a_403_with_every_known_header_sent_is_a_refusal():
    (one,) = findings(
        "fastapi-invite-missing", "/invited", documented=True, headers={"X-Invite": "wrong"}
    )
    assert "login.refused" == one.fault


def read(status: int, json: Any = None, text: str = "", **headers: str) -> LoginAnswer:
    return login_answer.read(Reply(status, 0.1, json=json, text=text, headers=headers))


SOUND = (
    {"access_token": "", "user": {"mfa_enabled": False, "otp": None}},
    {"detail": "Wrong password. You can reset password by mail."},
    {"detail": "No challenge was sent"},
)


@pytest.mark.parametrize("body", SOUND)
def test_what_only_speaks_of_more_factors_is_no_challenge(body):
    assert "" == read(401, body).asks_for


CHALLENGES: tuple[tuple[Any, str], ...] = (
    ({"ChallengeName": "NEW_PASSWORD_REQUIRED"}, "new_password_required"),
    ({"challenge": "c2Vzc2lvbg"}, "challenge"),
    ({"data": {"otpToken": "x"}}, "otp"),
    ({"status": "two_factor_required"}, "two_factor_required"),
    ({"must_change_password": True}, "must_change_password"),
    ({"next": "/change-password"}, "change-password"),
)


@pytest.mark.parametrize(("body", "word"), CHALLENGES)
def test_a_challenge_is_known_by_its_word(body, word):
    assert word == read(200, body).asks_for


def test_what_pydantic_1_said_is_understood():
    detail = [{"loc": ["body", "username"], "msg": "field required", "type": "value_error.missing"}]
    answer = read(422, {"detail": detail})
    assert (Problem("value_error.missing", ("body", "username")),) == answer.problems
    proof = Proof("ops", "http://h/", (Check("login", False, ""),), 422, answer)
    login = Login("http://h/", "ops", body="json")
    assert "wrong-content-type" == getattr(reading(login, proof), "kind", None)


@pytest.mark.parametrize(
    "body", [None, [], 7, {"detail": [1, {"loc": 1}, {"loc": [None]}]}, {"a": {"b": {"c": 1}}}]
)
def test_an_answer_of_any_shape_is_read(body):
    assert read(422, body).asks_for == ""


def test_names_are_told_down_to_where_a_token_may_be_the_outer_ones_first():
    answer = read(200, {"data": {"token": {"access": "t", "expires_in": 9}}, "ok": True})
    told = ("data", "ok", "data.token", "data.token.access", "data.token.expires_in")
    assert told == answer.keys


def test_a_long_hostile_name_is_cut():
    answer = read(200, {"k" * 5000: 1, **{f"k{number}": 1 for number in range(99)}})
    assert (80, 12) == (len(answer.keys[0]), len(answer.keys))


def test_a_location_is_shown_without_what_may_be_secret():
    location = "https://u:pw@h.example:8443/login?next=/token&code=s3cret#x"
    assert "https://h.example:8443/login" == read(302, location=location).location


@pytest.mark.parametrize("document", [None, [], {"paths": 1}, {"paths": {"/token": 3}}])
def test_a_document_of_any_shape_is_read(document):
    known = openapi.read("http://h/openapi.json", "http://h/token", document)
    assert known is None or (known.at, known.logins) == (None, ())


def test_a_document_behind_a_stripping_proxy_has_the_prefix_in_its_own_address():
    assert ("http://h/openapi.json", "http://h/api/openapi.json") == openapi.urls(
        "http://h/api/token"
    )
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}
    document = {
        "paths": {"/token": {"post": {"requestBody": {"content": content}}, "parameters": 3}},
        "components": {"schemas": {"In": {"required": ["user"]}}},
    }
    known = openapi.read("http://h/api/openapi.json", "http://h/api/token", document)
    assert known is not None
    assert known.at == openapi.Route(("POST",), ("application/json",), ("user",))
