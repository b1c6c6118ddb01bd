"""How much a probe of the API sends, how fast, and when it tries a limit."""

import math
import random
import re
import time
from typing import Any

from relogin import Endpoint, Load, RateLimit
from tests.lab.steps import SEED
from tests.operations import apis
from tests.operations.apis import described, listening, probed, told


def test_no_more_is_sent_than_declared_and_what_was_left_is_said():
    asked: list[str] = []
    with listening(asked=asked) as url:
        found = probed(described(url, load=Load(requests=100, rate=2000, most=25)))
    assert 25 == found.requests == len(asked)
    said = "what follows was not asked: it would be more than 25 requests"
    assert (None, said) == (found.tried[-1].ok, found.tried[-1].said)


def test_it_is_asked_no_faster_than_declared():
    with listening() as url:
        endpoints = Endpoint("GET", "/health")
        found = probed(apis.backend(url, endpoints=endpoints, load=Load(requests=9, rate=25)))
    assert found.requests >= 10
    assert found.seconds >= (found.requests - 1) / 25


def test_the_measured_requests_go_over_one_connection_and_are_counted():
    connections: set[Any] = set()

    def setup(handler: apis.Sound) -> None:
        connections.add(handler.client_address)
        super(apis.Sound, handler).setup()

    with listening(setup=setup) as url:
        endpoints = [Endpoint("GET", "/health")]
        sent = apis.backend(url, endpoints=endpoints, load=Load(requests=40, rate=5000))
        found = probed(sent)
    [_, measured] = told(found, "GET /health")
    assert measured.said.endswith("of 40 requests")
    assert found.requests - 40 == len(connections)


DELAYS = [0.01] * 12 + [0.06] * 7 + [0.4]  # of 20: the 10th, the 19th and the last in order


def test_the_times_that_are_said_lie_between_those_that_the_server_itself_has_measured():
    """No bound is the test's own: how long an answer took at least and at most, the server knows.

    It took no less than from the request's arrival to its answer, and no longer than from the
    answer before it to the arrival of the request behind it, on a connection that is kept.
    """
    moments: dict[Any, list[tuple[float, float]]] = {}
    delays = [*random.Random(SEED).sample(DELAYS[:-1], len(DELAYS) - 1), DELAYS[-1]]

    def measuring(handler: apis.Sound) -> None:
        arrived, of = time.monotonic(), moments.setdefault(handler.client_address, [])
        time.sleep(delays[len(of) - 1] if of else 0)  # what opens the connection is not counted
        of.append((arrived, time.monotonic()))
        handler._answer(200, {})

    with listening(do_GET=measuring) as url:
        load = Load(requests=len(DELAYS), rate=2000, p95=600)
        found = probed(apis.backend(url, endpoints=[Endpoint("GET", "/health")], load=load))
    [_, measured] = told(found, "GET /health")
    kept = max(moments.values(), key=len)
    least = sorted(answered - arrived for arrived, answered in kept[1:])
    befores, behinds = kept[:-2], kept[2:]
    most = [later[0] - former[1] for former, later in zip(befores, behinds, strict=True)]
    most = sorted([*most, math.inf])  # no request came behind the last one, the slowest
    said = re.findall(r"(?:p50|p95|max) (\S+) ms", measured.said)
    for number, shown in zip((10, 19, 20), said, strict=True):
        seconds, rounded = float(shown) / 1000, 0.0005
        assert sorted(DELAYS)[number - 1] <= seconds + rounded
        assert least[number - 1] - rounded <= seconds <= most[number - 1] + rounded


def test_a_rate_limit_is_tried_only_where_that_is_asked_for():
    asked: list[str] = []
    with listening(asked=asked) as url:
        found = probed(described(url), limits=False)
    assert "GET /search" not in asked
    assert "limit of GET /search: not tried without --data limits=true" in [
        one.said for one in found.tried
    ]


def test_requests_before_it_count_for_a_rate_limit():
    with listening(limit=3) as url:
        endpoints = Endpoint("GET", "/search", timed=False)
        found = probed(described(url, endpoints=endpoints, limits=RateLimit("GET", "/search", 3)))
    [limit] = told(found, "limit of GET /search")
    assert (True, "the 3rd request was answered 429, and 1 were sent before") == (
        limit.ok,
        limit.said.partition(": ")[2],
    )
