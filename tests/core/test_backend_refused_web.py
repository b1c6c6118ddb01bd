"""The one line with which a login, a token or a URL is refused that cannot be."""

import pytest

from relogin import Cookie, FromEnv, Jwt, Login, Probe

from .refused import Refusals, is_refused

URL = "http://127.0.0.1/token"
WEB = "expected http://HOST[:PORT]/PATH"

REFUSED: Refusals = {
    "origin with a path": (
        lambda: Login(URL, "ops", origin="https://app.example.com/"),
        "Login: origin 'https://app.example.com/' is none;"
        " expected https://HOST[:PORT], without a path",
    ),
    "origin in capitals": (
        lambda: Login(URL, "ops", origin="https://App.example.com"),
        "Login: origin 'https://App.example.com' is none;"
        " expected https://HOST[:PORT], without a path",
    ),
    "public URL without a scheme": (
        lambda: Login(URL, "ops", public_url="api.example.org/token"),
        f"Login: public_url: 'api.example.org/token' is not a web address; {WEB}",
    ),
    "token that is none": (
        lambda: Login(URL, "ops", token=None),
        "Login: token is None; it is a path in the answer, or a Cookie",
    ),
    "cookie with a space": (
        lambda: Login(URL, "ops", token=Cookie("session id")),
        "Cookie: 'session id' is no cookie's name",
    ),
    "other scheme": (
        lambda: Login("ftp://h/", "ops"),
        f"Login: url: 'ftp://h/' is not a web address; {WEB}",
    ),
    "no host": (
        lambda: Login("http:///token", "ops"),
        f"Login: url: 'http:///token' is not a web address; {WEB}",
    ),
    "no scheme": (
        lambda: Probe("127.0.0.1/health"),
        f"Probe: url: '127.0.0.1/health' is not a web address; {WEB}",
    ),
    "port of a word": (
        lambda: Login(URL, "ops", protected="http://h:web/me"),
        f"Login: protected: 'http://h:web/me' has no valid port; {WEB}",
    ),
    "port too large": (
        lambda: Probe("http://h:99999/"),
        f"Probe: url: 'http://h:99999/' has no valid port; {WEB}",
    ),
    "port zero": (
        lambda: Probe("http://h:0/"),
        f"Probe: url: 'http://h:0/' is not a web address; {WEB}",
    ),
    "other body": (
        lambda: Login(URL, "ops", body="xml"),
        "Login: body is 'xml'; it is form or json",
    ),
    "token without a key": (
        lambda: Jwt(algorithm="HS512"),
        "Jwt: declare either secret (HS…) or public_key (RS…, ES…)",
    ),
    "token with both": (
        lambda: Jwt(secret=FromEnv("A"), public_key=FromEnv("B")),
        "Jwt: declare either secret (HS…) or public_key (RS…, ES…)",
    ),
    "unknown subject": (
        lambda: Jwt(secret=FromEnv("A"), subject="uid"),
        "Jwt: subject 'uid' is none of ('username', 'login', 'email', 'id'): it says what the claim"
        " holds, by the name of the field in Columns, not of the column",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_in_one_line_with_the_callers_file_and_line(what):
    is_refused(*REFUSED[what])
