"""What a page does, step by step, as a probe does it: journeys, cookies, second factors."""

import base64

import pytest

from relogin import Endpoint, Journey, Load, Secret, Step
from relogin.facts.api_journeys import totp
from tests.operations import apis
from tests.operations.apis import described, failed, listening, probed


def test_a_wrong_second_factor_ends_its_journey():
    steps = (apis.SECOND[0], Step("POST", "/mfa", {"mfa_token": "{half}", "code": "1"}, safe=True))
    with listening() as url:
        found = probed(described(url, journeys=Journey("second factor", "mia", steps)))
    assert [("journey-broken", "second factor, step 2")] == failed(found)


def test_journeys_go_to_the_public_url_with_their_origin_and_the_rest_stays_inside():
    inside: list[str] = []
    outside: list[str] = []
    with listening(asked=inside) as url, listening(asked=outside) as public:
        api = described(url).api
        journeys = api.journeys
        endpoints = Endpoint("GET", "/health")
        found = probed(
            apis.backend(
                url, endpoints=endpoints, journeys=journeys, public_url=public,
                origin=apis.ORIGIN, load=Load(requests=0),
            )
        )  # fmt: skip
    assert [] == failed(found)
    assert {"GET /chats", "GET /chats/a%2F7"} == {one for one in outside if "/chats" in one} - {
        one for one in outside if one.startswith("OPTIONS")
    }
    assert "OPTIONS /chats" in outside
    assert "OPTIONS /health" in outside
    assert not [one for one in inside if "/chats" in one or one.startswith("OPTIONS")]


def test_a_page_of_the_api_s_own_origin_needs_no_preflight():
    asked: list[str] = []
    with listening(asked=asked, readable=False) as url:
        journeys = Journey("dashboard", "ops", apis.DASHBOARD)
        found = probed(apis.backend(url, journeys=journeys, origin=url, load=Load(requests=0)))
    assert [] == failed(found)
    assert not [one for one in asked if one.startswith("OPTIONS")]


def test_cookies_go_where_their_path_lets_them_and_not_once_they_are_taken_away():
    sent: list[tuple[str, str]] = []
    jar = {
        "/a/in": ("one=1; Path=/a", "two=2; Path=/", "three=3"),
        "/a/out": ("one=; Max-Age=0; Path=/a",),
    }

    def do_get(handler: apis.Sound) -> None:
        sent.append((handler.path, handler.headers["Cookie"] or ""))
        handler.send_response(200)
        for one in jar.get(handler.path, ()):
            handler.send_header("Set-Cookie", one)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    paths = ("/a/in", "/a/b", "/ab", "/a/out", "/a/b")
    with listening(do_GET=do_get) as url:
        journey = Journey("cookies", "ops", [Step("GET", path) for path in paths])
        found = probed(apis.backend(url, journeys=journey, openapi=None, load=Load(requests=0)))
    assert [] == [one for one in failed(found) if one[0] == "journey-broken"]
    mine = [(path, cookies) for path, cookies in sent if path in paths]
    assert [
        ("/a/in", ""),
        ("/a/b", "one=1; two=2; three=3"),
        ("/ab", "two=2"),
        ("/a/out", "one=1; two=2; three=3"),
        ("/a/b", "two=2; three=3"),
    ] == mine


@pytest.mark.parametrize(
    ("moment", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]
)
def test_a_second_factor_s_code_is_that_of_rfc_6238_appendix_b(moment, code):
    key = base64.b32encode(b"12345678901234567890").decode()
    assert code == totp(key.lower(), moment)


def test_a_second_factor_whose_key_is_none_is_not_tried_and_never_told():
    journey = Journey("factor", "mia", apis.SECOND, totp=Secret.seen("canary-1-no-base32"))
    with listening() as url:
        found = probed(apis.backend(url, journeys=journey, load=Load(requests=0)))
    said = "factor: the key of the second factor is no base32"
    assert [said] == [one.said for one in found.tried if one.subject == "factor"]
