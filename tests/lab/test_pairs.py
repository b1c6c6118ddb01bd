"""Several faults on one host at once: the first cause is named first, and two runs heal them."""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from queue import Queue

import pytest

from . import pairs
from .cases import MENDED, PERSONS
from .cases.apart import as_made, can_stand_together
from .cases.order import RANK
from .host import Host
from .pairs import Group
from .side_by_side import side_by_side
from .steps import SEED

DRAWN = pairs.drawn(SEED, pairs.COUNT if os.environ.get("RELOGIN_TEST_ALL") else 4)


@pytest.fixture(scope="module")
def tried(request: pytest.FixtureRequest, lab: list[Host]) -> Iterator[dict[str, "Future[float]"]]:
    free: Queue[Host] = Queue()
    for host in lab:
        free.put(host)
    chains = {"test_the_first_cause_is_named_first_and_two_runs_heal_all": is_healed}
    with side_by_side(request, free, chains) as started:
        yield started


@pytest.mark.lab
@pytest.mark.parametrize("case", DRAWN, ids=str)
def test_the_first_cause_is_named_first_and_two_runs_heal_all(
    case: Group, tried: dict[str, "Future[float]"], request: pytest.FixtureRequest
) -> None:
    tried[request.node.nodeid].result()


def is_healed(host: Host, group: Group) -> None:
    outcome = pairs.tried(host, group)
    assert () == outcome.wrong, f"RELOGIN_TEST_SEED={SEED} draws it again\n{outcome.wrong[0]}"


def test_every_fault_that_a_machine_mends_has_its_place_in_the_order_and_its_turn() -> None:
    drawable = (*MENDED, *(case for case in PERSONS if str(case) in pairs.BESIDE))
    assert set() == {case.fault for case in drawable} - RANK.keys()
    assert set(drawable) == set(as_made(drawable))


def test_the_same_seed_draws_the_same_groups_none_of_which_holds_what_excludes_another() -> None:
    groups = pairs.drawn(5, 64)
    assert list(map(str, groups)) == list(map(str, pairs.drawn(5, 64)))
    assert all(can_stand_together(group.cases) for group in groups)
