"""A refresh token has to give a new token, and that one has to open the protected route."""

import json
import time
import warnings
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest

from relogin import Cookie, Login, ProfileError, Refresh
from tests.core.certificates import serving
from tests.operations.flawed import Sound
from tests.operations.logins import described, findings, proven


class Refreshing(Sound):
    """Gives a refresh token beside the token, and a new token for it, once."""

    refresh: str | None = "once-canary-refresh"
    by_cookie = False
    renews_with: str | None = None
    used = False

    def _welcome(self, token: str) -> None:
        held = {"Set-Cookie": f"renew={self.refresh}; Path=/; HttpOnly"} if self.by_cookie else {}
        more = {} if self.by_cookie or not self.refresh else {"again": {"token": self.refresh}}
        self._answer(200, {self.field: token, **more}, held)

    def do_POST(self) -> None:  # noqa: N802 # the name that http.server calls
        if self.path != "/renew":
            super().do_POST()
            return
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        as_json = self.headers["Content-Type"] == "application/json"
        sent = json.loads(text) if as_json else {k: v[0] for k, v in parse_qs(text).items()}
        given = (self.headers["Cookie"] or "").partition("renew=")[2] or sent.get("token", "")
        if given != self.refresh or type(self).used:
            self._answer(401, {"detail": f"not {given}"})
            return
        type(self).used = True
        self._answer(200, {self.field: self._renewed()})

    def _renewed(self) -> str:
        if self.renews_with is None:
            return self._token()
        with warnings.catch_warnings(action="ignore"):
            claims = {**self.claims, "exp": int(time.time()) + self.lifetime}
            return jwt.encode(claims, self.renews_with, self.algorithm)


def renewing(**flaws: Any):
    return serving(type("Flawed", (Refreshing,), {"asked": [], **flaws}))


def by(url: str, **how: Any):
    known = {"token": "again.token", "body": "json", "fields": {"token": "{refresh}"}}
    return described(url, refresh=Refresh(f"{url}/renew", **{**known, **how}))


@pytest.mark.parametrize(
    ("flaws", "how"),
    [
        ({}, {}),
        ({}, {"body": "form"}),
        ({"by_cookie": True}, {"token": Cookie("renew"), "fields": {}}),
    ],
)
def test_the_new_token_opens_the_protected_route(flaws, how):
    with renewing(**flaws) as url:
        backend = by(url, **how)
        proof = proven(backend)
    assert (True, []) == (proof.proven, findings(backend, proof))
    asked = f"POST {url}/renew with the refresh token: 200"
    assert f"{asked}, and GET {url}/users/me with the new token: 200" == proof.said("refresh")
    assert "canary-refresh" not in repr(proof)


@pytest.mark.parametrize(
    ("flaws", "how", "said"),
    [
        (
            {"refresh": None},
            {},
            "the login's answer has no 'again.token': it has access_token",
        ),
        (
            {"used": True},
            {},
            "POST {url}/renew with the refresh token: answered 401",
        ),
        (
            {"renews_with": "s" * 40},
            {},
            "POST {url}/renew with the refresh token: 200, and GET {url}/users/me with the new"
            " token: 401",
        ),
        (
            {},
            {"fields": {"refresh": "{refresh}"}},
            "POST {url}/renew with the refresh token: answered 401",
        ),
    ],
)
def test_a_refresh_that_gives_nothing_that_opens_is_one_fault_and_fails_the_proof(flaws, how, said):
    with renewing(**flaws) as url:
        backend = by(url, **how)
        proof = proven(backend)
    assert [("refresh-refused", said.format(url=url))] == findings(backend, proof)
    assert (True, False) == (proof.works, proof.proven)
    assert "canary-refresh" not in repr(proof) + repr(findings(backend, proof))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"refresh": "/refresh"}, r"refresh is a str; it is Refresh\(…\)"),
        ({"refresh": ("http://h/r", {"fields": {"t": "{refersh}"}})}, "did you mean 'refresh'"),
        ({"refresh": ("h/r", {})}, "Refresh: url: 'h/r' is not a web address"),
        ({"refresh": ("http://h/r", {"body": "xml"})}, "Refresh: body is 'xml'; it is form or"),
    ],
)
def test_a_refresh_that_cannot_be_asked_for_is_refused_while_the_profile_loads(given, said):
    def load() -> None:
        how = given["refresh"]
        refresh: Any = how if isinstance(how, str) else Refresh(how[0], **how[1])
        Login("http://h/token", "ops", refresh=refresh)

    with pytest.raises(ProfileError, match=said):
        load()
