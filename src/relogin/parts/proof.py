"""What proves that people can log in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from relogin import carried
from relogin.parts.configuration import FromEnv
from relogin.parts.part import (
    absolute,
    fillable,
    fits,
    mapped,
    part,
    refuse,
    refuse_unless,
    web_address,
)
from relogin.secret import Secret, inventory_folder


@part
class Cookie:
    """Name the cookie that a login sets, and that is sent back in place of a bearer token."""

    name: str

    def __post_init__(self) -> None:
        refuse_unless(
            carried.header_name(self.name) is None, f"Cookie: {self.name!r} is no cookie's name"
        )


@part
class Csrf:
    """Say that a login form wants a CSRF token: its page is asked first, and gives it.

    `field` is the form's hidden one; where the page has none, the token is the `cookie`'s. It is
    sent as `header` as well, for logins by JSON. `page` is the form's path, where it is not that of
    the login. The names are Django's; in Flask-WTF the field is `csrf_token`.
    """

    field: str = "csrfmiddlewaretoken"
    cookie: str = "csrftoken"
    header: str = "X-CSRFToken"
    page: str | None = None

    def __post_init__(self) -> None:
        fits("Csrf", carried.header_name, self.cookie, self.header)
        refuse_unless(
            self.page is None or self.page.startswith("/"),
            f"Csrf: page is {self.page!r}; it is a path, such as /accounts/login/",
        )


@part
class Refresh:
    """Name the route that gives a new token for the refresh token of a login.

    `token` is where the login's answer has the refresh token: a dotted path in its JSON, or a
    `Cookie`, which is sent back as one. `fields` may hold `{refresh}`; by default they are OAuth2's
    (RFC 6749, 6). The new token is where the login's own is.
    """

    url: str
    token: str | Cookie = "refresh_token"  # noqa: S105 # a path in an answer
    body: str = "form"
    fields: Mapping[str, str] = dataclasses.field(
        default_factory=lambda: {"grant_type": "refresh_token", "refresh_token": "{refresh}"}
    )

    def __post_init__(self) -> None:
        web_address("Refresh: url", self.url)
        refuse_unless(
            self.token and isinstance(self.token, str | Cookie),
            f"Refresh: token is {self.token!r}; it is a path in the login's answer, or a Cookie",
        )
        refuse_unless(
            self.body in {"form", "json"}, f"Refresh: body is {self.body!r}; it is form or json"
        )
        mapped("Refresh: fields", self.fields, '{"refresh": "{refresh}"}')
        for name, template in self.fields.items():
            fillable(f"Refresh: field {name!r}", template, ("refresh",))


@part
class Login:
    """Describe the login request and the protected route that proves it.

    `url` and `protected` are asked as the host itself sees them; `public_url`, where the same login
    is reached by everybody, from the control machine. `fields` may hold `{login}`, `{email}` and
    `{password}`; `token` is a dotted path in the JSON answer, or a `Cookie`, and `identity` the one
    in the protected route's. `refresh` is where a refresh token gives a new one. `csrf` says that
    the login is a form with a CSRF token. `origin` is that of the web
    page that logs people in (https://app.example.com): the backend has to let its scripts in
    (CORS). `ca` is a PEM file on the control machine, beside the inventory, with
    certificates that are trusted besides the system's. `documented` says that its own openapi.json
    names this login as tokenUrl, by which its page of documentation logs people in. `deadline` is
    in seconds, for each request and for how long a service that was just started may take.
    """

    url: str
    account: str
    body: str = "form"
    fields: Mapping[str, str] = dataclasses.field(
        default_factory=lambda: {
            "username": "{login}",
            "password": "{password}",
            "grant_type": "password",
        }
    )
    headers: Mapping[str, str | Secret | FromEnv] = dataclasses.field(default_factory=dict)
    host_header: str | None = None
    token: str | Cookie = "access_token"  # noqa: S105 # a path in an answer
    protected: str | None = None
    identity: str | None = None
    refresh: Refresh | None = None
    csrf: Csrf | None = None
    public_url: str | None = None
    origin: str | None = None
    ca: str | None = None
    documented: bool = False
    refusals: bool = True
    deadline: float = 30.0

    def __post_init__(self) -> None:
        for name in ("url", "protected", "public_url"):
            if getattr(self, name) is not None:
                web_address(f"Login: {name}", getattr(self, name))
        if self.origin is not None:
            web_origin("Login: origin", self.origin)
        if self.ca is not None:
            path = (inventory_folder() or Path()) / Path(self.ca).expanduser()
            object.__setattr__(self, "ca", str(path.absolute()))
        refuse_unless(
            self.token and isinstance(self.token, str | Cookie),
            f"Login: token is {self.token!r}; it is a path in the answer, or a Cookie",
        )
        for name, kind in {"csrf": Csrf, "refresh": Refresh}.items():
            given = getattr(self, name)
            refuse_unless(
                given is None or isinstance(given, kind),
                f"Login: {name} is a {type(given).__name__}; it is {kind.__name__}(…)",
            )
        refuse_unless(
            self.body in {"form", "json"}, f"Login: body is {self.body!r}; it is form or json"
        )
        mapped("Login: headers", self.headers, '{"X-Code": "…"}')
        mapped("Login: fields", self.fields, '{"username": "{login}", "password": "{password}"}')
        fits("Login: headers", carried.header_name, *self.headers)
        texts = {name: value for name, value in self.headers.items() if isinstance(value, str)}
        for name, value in {"Host": self.host_header, **texts}.items():
            if value is not None and (problem := carried.header(value)):
                refuse(f"Login: header {name} {problem}")
        for name, template in self.fields.items():
            fillable(f"Login: field {name!r}", template, ("login", "email", "password"))


def web_origin(what: str, origin: str) -> None:
    """Refuse what no browser sends as Origin: it is compared letter by letter (RFC 6454, 6.2)."""
    web_address(what, origin)
    pieces = urlsplit(origin)
    if origin != f"{pieces.scheme}://{pieces.netloc}".lower() or "@" in pieces.netloc:
        refuse(f"{what} {origin!r} is none; expected https://HOST[:PORT], without a path")


@part
class KeyFile:
    """Name the host's file with the public key (PEM), and the one with the private key, if any.

    Of a private key nothing leaves the host but a hash of its public part. With `generated`,
    deploys/onboard.py makes the pair on the host, where neither file is there; no repair does.
    """

    path: str
    private: str | None = None
    generated: bool = False

    def __post_init__(self) -> None:
        absolute("KeyFile", self.path, self.private)
        refuse_unless(
            self.private or not self.generated,
            "KeyFile: generated asks for private=…, where the key that signs is to be",
        )


@part
class Jwt:
    """Describe the tokens: who signs them how, and which claim names the account.

    `subject` is the account's column that the claim holds (username, email, id), or None.
    `lifetime` is in seconds, and so is `leeway`: how far apart the clocks of those who make and
    check them may be ("no more than a few minutes", RFC 7519, 4.1.4). `former` is the key of a list
    of secrets, separated by commas, by which the backend checks tokens as well, but signs none
    (Django's SECRET_KEY_FALLBACKS): a rotation puts the former secret there for that long.
    """

    secret: FromEnv | Secret | None = None
    public_key: FromEnv | Secret | KeyFile | None = None
    algorithm: str = "HS256"
    claim: str = "sub"
    subject: str | None = "username"
    lifetime: float | None = None
    leeway: float = 60.0
    former: FromEnv | None = None

    def __post_init__(self) -> None:
        refuse_unless(
            self.former is None
            or (isinstance(self.former, FromEnv) and isinstance(self.secret, FromEnv)),
            "Jwt: former must be FromEnv(KEY), beside a secret that is FromEnv(KEY)",
        )
        refuse_unless(
            (self.secret is None) is not (self.public_key is None),
            "Jwt: declare either secret (HS…) or public_key (RS…, ES…)",
        )
        refuse_unless(
            isinstance(self.public_key, FromEnv | Secret | KeyFile | None),
            "Jwt: public_key must be a KeyFile, FromEnv(KEY) or a Secret",
        )
        refuse_unless(self.leeway >= 0, f"Jwt: leeway {self.leeway!r} is less than no time")
        known = (None, "username", "login", "email", "id")
        refuse_unless(
            self.subject in known,
            f"Jwt: subject {self.subject!r} is none of {known[1:]}: it says what the claim holds,"
            " by the name of the field in Columns, not of the column",
        )


@part
class Probe:
    """Describe one more URL that must answer with a status, and a body that holds a text.

    `fields` are what its JSON must say: dotted paths, and the values there.
    """

    url: str
    expect: int = 200
    body: str | None = None
    host_header: str | None = None
    fields: Mapping[str, str | int | bool] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        web_address("Probe: url", self.url)
        fits("Probe: host_header", carried.header, self.host_header)
