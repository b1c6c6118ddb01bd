"""Several faults on one host at once: the first cause is named first, and two runs heal them."""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from queue import Queue

import pytest

from . import pairs
from .cases import MENDED
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
    drawable = tuple({*MENDED, *pairs.CASES})
    assert set() == {case.fault for case in drawable} - RANK.keys()
    assert set(drawable) == set(as_made(drawable))
    assert len(pairs.CASES) == len(set(map(str, pairs.CASES)))


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
        ({"accounts.hash-foreign", "service.stopped"}, {"service.stopped"}),
        ({"accounts.hash-foreign", "env_file.crlf"}, {"accounts.hash-foreign"}),
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

    assert written == pairs.page(*pairs.drawn_by(written), rows)
    assert len(rows) >= 60
    assert f"Of these {len(rows)}, {len(rows)} were as they have to be" in written


def test_the_page_s_command_makes_the_groups_of_its_rows_as_they_stand_there() -> None:
    rows = pairs.rows_of(pairs.PAGE.read_text())
    groups = pairs.groups_of(rows)

    assert rows.keys() == groups.keys()
    for group in groups.values():
        assert group.cases == as_made(group.cases)
        assert can_stand_together(group.cases)


def test_a_draw_that_was_cut_short_goes_on_with_the_groups_that_have_no_right_row() -> None:
    groups = dict(enumerate(pairs.drawn(7, 3), 1))
    made = {number: "<br>".join(map(str, group.cases)) for number, group in groups.items()}
    rows = {
        1: f"| 1 | {made[1]} | `a` | - | run 1 | 30 |",
        2: f"| 2 | {made[2]} | `a` | - | the login does not work | 30 |",
        3: f"| 3 | {made[1]} | `a` | - | run 1 | 30 |",
    }

    assert {1: rows[1]} == pairs.begun(pairs.page(7, len(pairs.CASES), rows), 7, groups)
    assert {} == pairs.begun(pairs.page(7, len(pairs.CASES) - 1, rows), 7, groups)
    assert {} == pairs.begun(pairs.page(8, len(pairs.CASES), rows), 7, groups)
