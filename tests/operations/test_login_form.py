"""A login at a form with a CSRF token, as Django and Flask-WTF have it."""

import dataclasses
import html
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

import pytest

from relogin import Cookie, Csrf, Login
from relogin.facts.login import prove
from relogin.operations.login import FAULTS
from tests.core.certificates import serving
from tests.lab import canaries
from tests.operations.logins import HOST
from tests.operations.looks import found, halext, look

TOKEN = "a&b<c>'\""
PAGE = (
    '<form method="post"><input type="hidden" value="x" name="next">'
    "<INPUT type=hidden name='csrf' value=\"{token}\"><input name=username></form>"
)


class Form(BaseHTTPRequestHandler):
    """Gives a token with its page, wants it back, and sets a cookie for everybody."""

    in_page = True
    again = (200, "")
    wants = TOKEN
    page_status = 200

    def do_GET(self) -> None:
        if self.path == "/me":
            known = "session=ops" in self.sent
            return self.answer(200 if known else 302, "", location="/login")
        shown = PAGE.format(token=html.escape(TOKEN)) if self.in_page else "<form></form>"
        return self.answer(self.page_status, shown, cookies=(f"csrf={TOKEN[:3]}", "session=nobody"))

    @property
    def sent(self) -> str:
        return self.headers.get("Cookie", "")

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        came = self.headers["Referer"] == f"http://{self.headers['Host']}/login"
        both = "csrf=" in self.sent and "session=nobody" in self.sent
        if form.get("csrf") != [self.wants] or not came or not both:
            return self.answer(403, "CSRF verification failed")
        if form["password"] != [canaries.OPS_PASSWORD]:
            status, location = self.again
            return self.answer(status, PAGE, location=location, cookies=("session=flash",))
        return self.answer(302, "", location="/", cookies=("session=ops; HttpOnly",))

    def answer(self, status: int, text: str, location: str = "", cookies: Any = ()) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(text.encode())))
        for header in (("Location", location), *(("Set-Cookie", one) for one in cookies)):
            if header[1]:
                self.send_header(*header)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *words: object) -> None:
        pass


def described(url: str, cookie: str = "session", **changed: Any):
    fields = {"username": "{login}", "password": "{password}"}
    csrf = Csrf(field="csrf", cookie="csrf")
    login = Login(
        f"{url}/login", "ops", fields=fields, csrf=csrf, token=Cookie(cookie), protected=f"{url}/me"
    )
    return halext(login=dataclasses.replace(login, **changed), token=None, probes=[])


def proven(backend: Any, *, refusals: bool = True):
    return prove(HOST, backend, look(), refusals=refusals, patience=0)


def findings(backend: Any) -> list[str]:
    seen = dataclasses.replace(look(), login=proven(backend))
    return [finding.fault for finding in found(FAULTS, seen, backend)]


@pytest.mark.parametrize(
    "flaws",
    [{}, {"in_page": False, "wants": TOKEN[:3]}, {"again": (302, "/login")}],
    ids=["hidden field", "cookie", "redirected back"],
)
def test_the_token_is_fetched_and_sent_along(flaws):
    with serving(type("Flawed", (Form,), flaws)) as url:
        proof = proven(described(url))
    assert proof.proven
    assert [("login", True), ("protected", True), ("wrong-password", True)] == [
        (check.name, check.ok)
        for check in proof.checks
        if check.name in {"login", "protected", "wrong-password"}
    ]


def test_without_a_declared_token_the_login_wants_one():
    with serving(Form) as url:
        assert ["login.csrf-refused"] == findings(described(url, csrf=None))


def test_the_forms_page_may_be_elsewhere():
    with serving(Form) as url:
        backend = described(url, csrf=Csrf(field="csrf", cookie="csrf", page="/elsewhere"))
        assert ["login.csrf-refused"] == findings(backend)  # whose Referer is another page


@pytest.mark.parametrize("again", [(200, ""), (302, "/login")])
def test_the_form_again_is_a_refusal(again):
    flawed = type("Flawed", (Form,), {"again": again})
    with serving(flawed) as url:
        backend = described(url, "sessionid", fields={"username": "x", "password": "wrong"})
        assert ["login.refused"] == findings(backend)


def test_a_page_that_is_not_there_is_what_is_wrong():
    with serving(type("Flawed", (Form,), {"page_status": 404})) as url:
        assert ["login.wrong-path"] == findings(described(url))


ASKS = """<form method=post action='/login'><input type="hidden" name="csrf" value="x">
<INPUT name='mail'><input type=password name=secret><input type=submit name=go></form>"""


class Asking(Form):
    """Has a form with other names, which comes again for whatever else it is sent."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, ASKS)


@pytest.mark.parametrize(
    ("changed", "fault", "expected"),
    [
        ({}, "wrong-field-name", "fields mail, secret, as its form has them"),
        ({"body": "json"}, "wrong-content-type", "form, and Login says json"),
        ({"fields": {"mail": "{login}", "secret": "{password}"}}, "refused", ""),
    ],
)
def test_the_form_that_comes_again_tells_what_it_asks_for(changed, fault, expected):
    with serving(Asking) as url:
        backend = described(url, csrf=None, **changed)
        [finding] = found(FAULTS, dataclasses.replace(look(), login=proven(backend)), backend)
    assert (f"login.{fault}", expected) == (finding.fault, finding.expected)


@pytest.mark.parametrize(
    ("to", "cookies", "fault"),
    [
        ("/", ("csrf=x", "sid=ops; HttpOnly"), "token-not-found"),
        ("/", ("csrf=x",), "redirected"),
        ("/login/", ("sid=anonymous",), "redirected"),
        ("https://127.0.0.1/login", ("sid=anonymous",), "redirected-to-https"),
    ],
)
def test_whoever_is_let_in_by_another_cookie_is_not_redirected(to, cookies, fault):
    class Welcoming(Form):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(302, "", location=to, cookies=cookies)

    with serving(Welcoming) as url:
        backend = described(url)
        [finding] = found(FAULTS, dataclasses.replace(look(), login=proven(backend)), backend)
    assert f"login.{fault}" == finding.fault
    assert ("sid" in f"{finding.expected}{finding.remedy}") == (fault == "token-not-found")
