"""The one line with which the description of an API refuses what cannot be."""

from collections.abc import Callable
from typing import Any

import pytest

from relogin import (
    Account,
    Accounts,
    Api,
    Backend,
    Challenge,
    Endpoint,
    Journey,
    Load,
    Login,
    Logout,
    ProfileError,
    RateLimit,
    Secret,
    Step,
)

PEOPLE = Accounts(present=[Account("ops", password=Secret.env("OPS")), Account("mute")])
LOGIN = Login("http://127.0.0.1/token", "ops")
ME = Endpoint("GET", "/me", account="ops")


def backend(api: Api) -> Backend:
    return Backend("a", accounts=PEOPLE, login=LOGIN, api=api)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a method that there is not": (
        lambda: Endpoint("GTE", "/me"),
        "Endpoint: method 'GTE'; did you mean 'GET'?",
    ),
    "a path without its slash": (
        lambda: Endpoint("GET", "me"),
        "Endpoint: path 'me' does not begin with /",
    ),
    "a path with a blank": (
        lambda: Endpoint("GET", "/a b"),
        "Endpoint: path '/a b' has what no URL holds; write it with %",
    ),
    "a status that is none": (
        lambda: Endpoint("GET", "/me", status=20),
        "Endpoint: status 20 is none; expected 200 to 599",
    ),
    "a schema of another kind": (
        lambda: Endpoint("GET", "/me", schema=["id"]),
        "Endpoint: schema is a list, expected a dict or a file's path",
    ),
    "forbidden, and open to all": (
        lambda: Endpoint("GET", "/me", forbidden="bob"),
        "Endpoint: GET /me is forbidden to accounts and needs none; give it an account",
    ),
    "a header that cannot be sent": (
        lambda: Endpoint("GET", "/me", headers={"X-A": "a\nb"}),
        "Endpoint: header: 'a\\nb' has a line break, which no HTTP header holds",
    ),
    "a share above one": (
        lambda: Load(errors=5),
        "Load: errors 5 is no share; 0.01 is one of 100",
    ),
    "a rate of nothing": (
        lambda: Load(rate=0),
        "Load: rate 0 is not more than nothing",
    ),
    "a name in braces that there is not": (
        lambda: Logout("/logout", fields={"a": {"token": "{refersh}"}}),
        "Logout: field 'a.token': there is no {refersh}; did you mean 'refresh'?",
    ),
    "a limit without end": (
        lambda: RateLimit("GET", "/me", 5000),
        "RateLimit: count is 5000; it is a number of requests, 1000 at most",
    ),
    "a cookie's attribute in small letters": (
        lambda: Api(cookies="httponly"),
        "Api: cookies: 'httponly'; did you mean 'HttpOnly'?",
    ),
    "an origin with a path": (
        lambda: Api(origin="https://app.example.com/"),
        "Api: origin 'https://app.example.com/' is none;"
        " expected https://HOST[:PORT], without a path",
    ),
    "a step that may change something": (
        lambda: Step("POST", "/chat"),
        "Step: POST /chat can change something; say safe=True where it may be sent",
    ),
    "a step that takes what none has kept": (
        lambda: Journey("j", "ops", [Step("GET", "/chat/{chat}")]),
        "Journey 'j': GET /chat/{chat}: there is no {chat}; there is email, login, password",
    ),
    "a journey's second factor that is not declared": (
        lambda: Journey("j", "ops", [Step("GET", "/?code={totp}")]),
        "Journey 'j': GET /?code={totp}: there is no {totp}; there is email, login, password",
    ),
    "what is kept by a name that is taken": (
        lambda: Step("GET", "/me", keep={"login": "name"}),
        "Step: keep 'login': 'name'; expected a name and a path in the answer",
    ),
    "an endpoint that is a journey": (
        lambda: Api(endpoints=Journey("j", "ops", Step("GET", "/me"))),
        "Api: endpoints has a Journey, expected Endpoint(…)",
    ),
    "an account that is not there": (
        lambda: backend(Api(endpoints=Endpoint("GET", "/me", account="opps"))),
        "Backend('a'): api: account 'opps' is not in accounts.present; did you mean 'ops'?",
    ),
    "an account without a password": (
        lambda: backend(Api(endpoints=ME, challenges=Challenge("mute"))),
        "Backend('a'): api: account 'mute' has no password declared",
    ),
    "an API that is nowhere": (
        lambda: Backend("a", api=Api(endpoints=Endpoint("GET", "/"))),
        "Backend('a'): api has no url, and there is no login that it could be taken from",
    ),
}


@pytest.mark.parametrize(("make", "line"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_one_line(make: Callable[[], Any], line: str) -> None:
    with pytest.raises(ProfileError) as caught:
        make()
    told = str(caught.value)
    place, _, said = told.partition(": ")
    assert line == said
    assert place.startswith(__file__)


def test_a_step_takes_what_an_earlier_one_has_kept() -> None:
    first = Step("GET", "/chats", keep={"chat": "items.0.id"})
    journey = Journey("j", "ops", [first, Step("GET", "/chats/{chat}?as={login}")])
    assert ("/chats", "/chats/{chat}?as={login}") == tuple(one.path for one in journey.steps)


def test_one_endpoint_stands_for_a_tuple_and_its_accounts_are_known() -> None:
    api = Api(endpoints=Endpoint("GET", "/me", account="ops", forbidden=["bob"]))
    assert {"ops", "bob"} == api.accounts
    assert {"account": "ops", "forbidden": ["bob"]}.items() <= backend_json(api).items()


def backend_json(api: Api) -> dict[str, Any]:
    people = Accounts(present=[Account(one, password=Secret.env("P")) for one in ("ops", "bob")])
    described = Backend("a", accounts=people, login=LOGIN, api=api).to_json()
    return dict(described["api"]["endpoints"][0])
