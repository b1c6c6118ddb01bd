"""Several faults on one host at once: the first cause is named first, and two runs heal them."""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from queue import Queue

import pytest

from . import pairs
from .cases import MENDED, PERSONS
from .cases.apart import as_made, can_stand_together
from .cases.case import Case
from .cases.order import RANK, earliest
from .host import Host
from .pairs import Group
from .side_by_side import side_by_side
from .steps import SEED

DRAWN = pairs.drawn(SEED, pairs.COUNT if os.environ.get("RELOGIN_TEST_ALL") else 4)


@pytest.fixture(scope="module")
def tried(
    request: pytest.FixtureRequest, hosts_for_cases: "Queue[Host]"
) -> Iterator[dict[str, "Future[float]"]]:
    chains = {"test_the_first_cause_is_named_first_and_two_runs_heal_all": is_healed}
    with side_by_side(request, hosts_for_cases, chains) as started:
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


@pytest.mark.parametrize(
    ("made", "first"),
    [
        ({"accounts.missing", "postgres.role-expired"}, {"postgres.role-expired"}),
        ({"service.stopped", "venv.moved", "jwt.secret-empty"}, {"venv.moved"}),
        ({"env_file.readable-by-others", "accounts.inactive"}, {"accounts.inactive"}),
        ({"jwt.known-default", "service.disabled"}, {"jwt.known-default"}),
        (
            {"env_file.key-empty", "env_file.key-missing"},
            {"env_file.key-empty", "env_file.key-missing"},
        ),
    ],
)
def test_what_has_to_be_named_first_is_the_earliest_that_keeps_people_out(
    made: set[str], first: set[str]
) -> None:
    assert first == earliest(tuple(Case(fault, "") for fault in made))


def test_the_page_is_what_its_command_writes_and_all_in_it_is_as_it_has_to_be() -> None:
    written = pairs.PAGE.read_text()
    rows = pairs.rows_of(written)

    assert written == pairs.page(pairs.SEED, rows)
    assert len(rows) >= 60
    assert f"Of {len(rows)} (seed {pairs.SEED}) {len(rows)} were as they have to be" in written
