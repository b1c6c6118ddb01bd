"""A route that several workers answer: each request may meet another one of them."""

import dataclasses
import re

from relogin.facts.login import prove
from tests.operations.flawed import listening
from tests.operations.logins import HOST, SEEN, described, findings, proven


def test_a_route_that_opens_now_and_then_is_some_workers():
    with listening(others={2, 5, 7}) as url:
        backend = described(url)
        seen = dataclasses.replace(SEEN, service=dataclasses.replace(SEEN.service, workers=2))
        proof = prove(HOST, backend, seen, refusals=False, patience=0)
    ((fault, said),) = findings(backend, proof)
    assert ("works-by-some-workers", False) == (fault, proof.proven)
    assert re.fullmatch(rf"GET {url}/users/me: 401 with the token, 3 of 20 times", said)


def test_a_route_that_refuses_is_asked_again_to_tell_one_worker_from_all():
    for others, fault in ((range(99), "protected-refused"), ({1}, "works-by-some-workers")):
        with listening(others=others) as url:
            backend = described(url)
            proof = proven(backend, refusals=False)
        assert [fault] == [named for named, _ in findings(backend, proof)]


def test_several_workers_that_all_refuse_are_asked_once_more():
    """One that has nothing else to do may well get all of the first requests."""
    with listening(others=range(1, 21)) as url:
        backend = described(url)
        seen = dataclasses.replace(SEEN, service=dataclasses.replace(SEEN.service, workers=2))
        proof = prove(HOST, backend, seen, refusals=False, patience=0)
    assert ["works-by-some-workers"] == [named for named, _ in findings(backend, proof)]


def test_one_process_is_asked_for_its_route_once():
    asked: list[str] = []
    with listening(asked=asked) as url:
        proven(described(url), refusals=False)
    assert 2 == asked.count("/users/me")  # with the token, and without it


def test_many_workers_of_one_mind_are_proven():
    with listening() as url:
        seen = dataclasses.replace(SEEN, service=dataclasses.replace(SEEN.service, workers=4))
        proof = prove(HOST, described(url), seen, refusals=False, patience=0)
    assert proof.proven
    assert f"GET {url}/users/me: 200 with the token, 40 times" == proof.said("protected")
