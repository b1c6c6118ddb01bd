"""The backend of 38 tables does what the runbook's backend does, before anything is broken."""

import base64
import hmac
import runpy
import struct
import time
from collections.abc import Iterator

import httpx
import pytest

from relogin import baseline
from relogin.facts.database_state import DatabaseState
from tests.embedded.hub import ORIGIN, Hub
from tests.embedded.wheelhouse import REPOSITORY
from tests.operations.databases import described
from tests.operations.shops import Shop

pytestmark = pytest.mark.embedded
OPEN = ("/", "/health")
OF_EVERYBODY = (
    *("users/me", "users/me/profile", "users/me/sessions", "chat/conversations"),
    *("chat/conversations/1/messages", "oauth/providers", "oauth/accounts", "dashboard"),
)
OF_ADMINS = ("users", "sms/routes", "analytics/sms/usage", "analytics/daily")
FACTOR = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def web(hub: Hub) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{hub.url}/api/v1/", trust_env=False) as client:
        yield client


def login(web: httpx.Client, name: str, password: str) -> httpx.Response:
    return web.post("auth/login", json={"username": name, "password": password})


def bearer(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def code(secret: str) -> str:
    """RFC 6238, from its own words."""
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), "sha1")
    [number] = struct.unpack_from(">I", mac, mac[-1] & 15)
    return str(number & 0x7FFFFFFF)[-6:].zfill(6)


def test_it_has_the_38_tables_of_the_runbook(hub):
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert "38" == hub.server.sql(tables, "hub")


def test_it_is_sound_and_its_baseline_in_git_is_what_its_tables_have(hub):
    """Else: --data learn=inventories/baselines/task_074.json."""
    profile = runpy.run_path(str(REPOSITORY / "inventories/group_data/task_074.py"))["task_074"]
    health = profile.database.health
    shop = Shop(hub.server, "hub", described(hub.server, "hub", "hub", health=health))
    stored = REPOSITORY / health.baseline
    shop.learnt = baseline.read(stored)
    seen = shop.look().database
    assert isinstance(seen, DatabaseState)
    assert ([], ()) == (shop.found(), seen.unasked)
    assert stored.read_text() == baseline.text(baseline.learned(seen))


def test_every_route_answers_its_owner_and_nobody_without_a_token(hub, web):
    known = bearer(login(web, "owner", hub.owner))
    paths = (*OF_EVERYBODY, *OF_ADMINS)
    assert {200} == {web.get(path, headers=known).status_code for path in paths}
    assert {401} == {web.get(path).status_code for path in paths}
    assert {200} == {httpx.get(hub.url + path, trust_env=False).status_code for path in OPEN}
    assert "owner" == web.get("users/me", headers=known).json()["username"]


def test_an_account_without_the_role_gets_403(hub, web):
    known = bearer(login(web, "ada", hub.others))
    assert {403} == {web.get(path, headers=known).status_code for path in OF_ADMINS}
    assert {200} == {web.get(path, headers=known).status_code for path in OF_EVERYBODY}


def test_a_wrong_method_is_405_a_wrong_path_404_and_a_wrong_body_422(web):
    assert 405 == web.get("auth/login").status_code
    assert 404 == web.post("auth/sign-in").status_code
    assert 422 == web.post("auth/login", json={"username": "owner"}).status_code


def test_a_refresh_token_is_good_once_and_only_for_a_refresh(hub, web):
    answer = login(web, "owner", hub.owner)
    web.cookies.clear()
    refresh = {"refresh_token": answer.json()["refresh_token"]}
    again = web.post("auth/refresh", json=refresh)
    web.cookies.clear()
    assert 200 == web.get("users/me", headers=bearer(again)).status_code
    assert 401 == web.post("auth/refresh", json=refresh).status_code
    swapped = {"Authorization": f"Bearer {refresh['refresh_token']}"}
    assert 401 == web.get("users/me", headers=swapped).status_code


def test_who_logged_out_has_no_session_any_more(hub, web):
    answer = login(web, "owner", hub.owner)
    known = bearer(answer)
    assert 204 == web.post("auth/logout", headers=known).status_code
    assert 401 == web.get("users/me", headers=known).status_code
    refresh = {"refresh_token": answer.json()["refresh_token"]}
    assert 401 == web.post("auth/refresh", json=refresh).status_code


def test_a_second_factor_is_asked_for_and_solved_once(hub, web):
    answer = login(web, "grace", hub.others).json()
    assert ["challenge", "mfa_required"] == sorted(answer)
    wrong = {"challenge": answer["challenge"], "code": "000000"}
    assert 401 == web.post("auth/mfa", json=wrong).status_code
    right = {"challenge": answer["challenge"], "code": code(FACTOR)}
    solved = web.post("auth/mfa", json=right)
    assert 200 == web.get("users/me", headers=bearer(solved)).status_code
    assert 401 == web.post("auth/mfa", json=right).status_code


def test_the_refresh_token_s_cookie_is_kept_from_scripts_other_sites_and_plain_http(hub, web):
    kept = login(web, "owner", hub.owner).headers["set-cookie"]
    assert kept.startswith("refresh_token=")
    assert {"HttpOnly", "Secure", "SameSite=strict"} <= {one.strip() for one in kept.split(";")}


def test_the_frontend_s_origin_is_let_in_with_credentials_and_no_other(web):
    asked = {"Access-Control-Request-Method": "POST", "Origin": ORIGIN}
    let = web.options("auth/login", headers=asked)
    assert (ORIGIN, "true") == (
        let.headers["access-control-allow-origin"],
        let.headers["access-control-allow-credentials"],
    )
    assert 400 == web.options(
        "auth/login", headers={**asked, "Origin": "https://evil.example"}
    ).status_code  # fmt: skip


def test_what_fails_too_often_is_told_to_wait_and_the_right_password_still_is_let_in(hub, web):
    codes = [login(web, "alan", "wrong").status_code for _ in range(6)]
    assert [401] * 5 + [429] == codes
    assert 200 == login(web, "alan", hub.others).status_code
