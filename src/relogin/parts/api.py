"""What an API is asked, and what it has to answer: deploys/probe_api.py goes by it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from relogin import carried
from relogin.parts.asked import (
    SAFE,
    Schema,
    at_path,
    body_of,
    fields_fillable,
    headers_of,
    schema_of,
    status_of,
)
from relogin.parts.configuration import FromEnv
from relogin.parts.journey import Journey
from relogin.parts.part import fits, listed, part, refuse, refuse_unless, suggest, web_address
from relogin.parts.proof import web_origin
from relogin.secret import Secret

_ATTRIBUTES = ("Secure", "HttpOnly", "SameSite")
_FILLED = ("login", "email", "password")


@part
class Endpoint:
    """Declare one request of the API, and its answer.

    `path` is relative to the API's URL, and may hold a query. `account` is the declared account as
    which it is asked; then it has to be refused (401 or 403) without a token, unless `protected` is
    False. `forbidden` are accounts that may log in, and have to be refused here (403, or a 404 that
    hides it). `schema` is the JSON Schema of the answer's body, or the name of a file with it,
    beside the inventory. A method that can change something is only sent where `safe` says that it
    changes nothing: else it is only looked whether there is such a route. `timed` requests are
    repeated as `Load` says.
    """

    method: str
    path: str
    account: str | None = None
    status: int = 200
    schema: Schema = None
    fields: Mapping[str, Any] | None = None
    body: str = "json"
    headers: Mapping[str, str | Secret | FromEnv] = dataclasses.field(default_factory=dict)
    protected: bool = True
    forbidden: tuple[str, ...] = ()
    safe: bool = False
    timed: bool = True

    def __post_init__(self) -> None:
        listed(self, "forbidden")
        at_path("Endpoint", self.method, self.path)
        status_of("Endpoint", self.status)
        body_of("Endpoint", self.body)
        headers_of("Endpoint", self.headers)
        object.__setattr__(self, "schema", schema_of("Endpoint", self.schema))
        refuse_unless(
            self.account or not self.forbidden,
            f"Endpoint: {self.name} is forbidden to accounts and needs none; give it an account",
        )

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_sent(self) -> bool:
        """Tell whether it may be sent: by its method, or by what is declared (RFC 9110, 9.2.1)."""
        return self.safe or self.method in SAFE


@part
class Load:
    """Say how many requests measure an API, and what is too slow, too many errors, too much memory.

    `requests` are sent for each endpoint that answers as declared, over a connection that is kept;
    `rate` is how many there are in a second at most, and `most` in a whole probe. `p95` is in
    seconds, `errors` a share of the requests, `memory` how many MiB the service may grow meanwhile.
    """

    requests: int = 50
    rate: float = 20.0
    most: int = 2000
    p95: float = 0.2
    errors: float = 0.01
    memory: float = 64.0

    def __post_init__(self) -> None:
        refuse_unless(self.requests >= 0, f"Load: requests {self.requests!r} is less than none")
        for name in ("rate", "most", "p95", "memory"):
            value = getattr(self, name)
            refuse_unless(value > 0, f"Load: {name} {value!r} is not more than nothing")
        refuse_unless(
            0 <= self.errors < 1, f"Load: errors {self.errors!r} is no share; 0.01 is one of 100"
        )


@part
class Logout:
    """Name the route that ends a session; `ends` says that its token is refused from then on.

    `fields` may hold `{refresh}`, the login's refresh token. Any 2xx or 3xx is right.
    """

    path: str
    method: str = "POST"
    fields: Mapping[str, Any] | None = None
    body: str = "json"
    ends: bool = True

    def __post_init__(self) -> None:
        at_path("Logout", self.method, self.path)
        body_of("Logout", self.body)
        fields_fillable("Logout", self.fields, ("refresh",))


@part
class Challenge:
    """Say that an account's right password is not enough: its login is answered by a challenge.

    `schema` is the JSON Schema of that answer, which must not have the token.
    """

    account: str
    status: int = 200
    schema: Schema = None

    def __post_init__(self) -> None:
        status_of("Challenge", self.status)
        object.__setattr__(self, "schema", schema_of("Challenge", self.schema))


@part
class RateLimit:
    """Declare that a request is refused (429) once it was sent more than `count` times.

    It is only tried with `--data limits=true`, by sending it `count` + 1 times: declare one that
    changes nothing and locks nobody out. `fields` may hold `{login}`, `{email}` and `{password}` of
    its account.
    """

    method: str
    path: str
    count: int
    account: str | None = None
    fields: Mapping[str, Any] | None = None
    body: str = "json"

    def __post_init__(self) -> None:
        at_path("RateLimit", self.method, self.path)
        body_of("RateLimit", self.body)
        fields_fillable("RateLimit", self.fields, _FILLED if self.account else ())
        refuse_unless(
            1 <= self.count <= 1000,
            f"RateLimit: count is {self.count!r}; it is a number of requests, 1000 at most",
        )

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


@part
class Api:
    """Describe what is asked of a whole API, as the host itself sees it.

    `url` is what paths are relative to; by default the root of the login's URL. Where no
    `endpoints` are declared, those are asked that the document at `openapi` names: the ones that
    change nothing and need no parameters. `journeys` go to `public_url`, where there is one, as
    `origin` does (by default the login's). `error` is the JSON Schema of every refusal's body.
    `cookies` are the attributes that a session's cookies must have.
    """

    url: str | None = None
    endpoints: tuple[Endpoint, ...] = ()
    journeys: tuple[Journey, ...] = ()
    openapi: str | None = "/openapi.json"
    public_url: str | None = None
    origin: str | None = None
    logout: Logout | None = None
    challenges: tuple[Challenge, ...] = ()
    limits: tuple[RateLimit, ...] = ()
    error: Schema = None
    load: Load = dataclasses.field(default_factory=Load)
    cookies: tuple[str, ...] = _ATTRIBUTES

    def __post_init__(self) -> None:
        listed(self, "endpoints", "journeys", "challenges", "limits", "cookies")
        for name in ("url", "public_url"):
            if (value := getattr(self, name)) is not None:
                web_address(f"Api: {name}", value)
        if self.origin is not None:
            web_origin("Api: origin", self.origin)
        if self.openapi is not None:
            at_path("Api: openapi", "GET", self.openapi)
        self._refuse_other_kinds()
        for one in self.cookies:
            refuse_unless(one in _ATTRIBUTES, f"Api: cookies: {one!r}{suggest(one, _ATTRIBUTES)}")
        object.__setattr__(self, "error", schema_of("Api", self.error))
        fits("Api", carried.text, *(one.name for one in self.endpoints))

    def _refuse_other_kinds(self) -> None:
        kinds: dict[str, type] = {
            **{"endpoints": Endpoint, "journeys": Journey, "challenges": Challenge},
            **{"limits": RateLimit, "logout": Logout, "load": Load},
        }
        for name, kind in kinds.items():
            value = getattr(self, name)
            for one in value if isinstance(value, tuple) else (value,):
                if not isinstance(one, kind) and (one is not None or name != "logout"):
                    refuse(f"Api: {name} has a {type(one).__name__}, expected {kind.__name__}(…)")

    @property
    def accounts(self) -> set[str]:
        """Give the accounts that it names."""
        named = {one.account for one in self.endpoints} | {one.account for one in self.limits}
        named |= {one.account for one in self.journeys} | {one.account for one in self.challenges}
        named |= {login for one in self.endpoints for login in one.forbidden}
        return {login for login in named if login is not None}
