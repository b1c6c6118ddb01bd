"""What proves that people can log in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from relogin.parts.configuration import FromEnv
from relogin.parts.part import fillable, part, refuse_unless, web_address
from relogin.secret import Secret


@part
class Login:
    """Describe the login request and the protected route that proves it.

    `fields` may hold `{login}`, `{email}` and `{password}`; `token` and `identity` are dotted paths
    in the JSON answers. `deadline` is in seconds, for each request and for how long
    a service that was just started may take.
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
    token: str = "access_token"  # noqa: S105 # a path in an answer
    protected: str | None = None
    identity: str | None = None
    refusals: bool = True
    deadline: float = 30.0

    def __post_init__(self) -> None:
        web_address("Login: url", self.url)
        if self.protected is not None:
            web_address("Login: protected", self.protected)
        refuse_unless(
            self.body in {"form", "json"}, f"Login: body is {self.body!r}; it is form or json"
        )
        for name, template in self.fields.items():
            fillable(f"Login: field {name!r}", template, ("login", "email", "password"))


@part
class Jwt:
    """Describe the tokens: who signs them how, and which claim names the account.

    `subject` is the account's column that the claim holds (username, email, id), or None.
    `lifetime` is in seconds, and so is `leeway`: how far apart the clocks of those who make and
    check them may be ("no more than a few minutes", RFC 7519, 4.1.4).
    """

    secret: FromEnv | Secret | None = None
    public_key: FromEnv | Secret | None = None
    algorithm: str = "HS256"
    claim: str = "sub"
    subject: str | None = "username"
    lifetime: float | None = None
    leeway: float = 60.0

    def __post_init__(self) -> None:
        refuse_unless(
            (self.secret is None) is not (self.public_key is None),
            "Jwt: declare either secret (HS…) or public_key (RS…, ES…)",
        )
        refuse_unless(self.leeway >= 0, f"Jwt: leeway {self.leeway!r} is less than no time")
        known = (None, "username", "login", "email", "id")
        refuse_unless(
            self.subject in known, f"Jwt: subject {self.subject!r} is none of {known[1:]}"
        )


@part
class Probe:
    """Describe one more URL that must answer with a status, and a body that holds a text."""

    url: str
    expect: int = 200
    body: str | None = None
    host_header: str | None = None

    def __post_init__(self) -> None:
        web_address("Probe: url", self.url)
