"""Backends of other kinds than the example, each described by data alone: found, mended, proven."""

import os
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from relogin import passwords
from tests.lab.backends import canaries
from tests.lab.backends.cases import everything, left, may_differ, mended, persons
from tests.lab.backends.places import EVERY, KEEP, PLACES, Place
from tests.lab.backends.product import diagnose, logs_in, run
from tests.lab.cases.case import Case
from tests.lab.host import Host
from tests.lab.steps import SEED, sample
from tests.lab.test_restore import Product, differences, is_left, is_mended, unexpected

pytestmark = pytest.mark.lab

EACH = [(place, case) for place in EVERY for case in mended(place)]
LAST: dict[str, Place] = {}  # by the environment, whose test was the last one
LEFT = [(place, case) for place in EVERY for case in left(place)]


def some_of_the_layers(made: list[tuple[Place, Case]]) -> list[tuple[Place, Case]]:
    """Give a fault each of four layers, by the seed that pytest prints; all of all by test-all."""
    if os.environ.get("RELOGIN_TEST_ALL"):
        return made
    by_layer: dict[str, list[tuple[Place, Case]]] = {}
    for place, case in made:
        by_layer.setdefault(case.fault.partition(".")[0], []).append((place, case))
    chosen = random.Random(SEED)
    return [chosen.choice(of_layer) for of_layer in chosen.sample(list(by_layer.values()), 4)]


def of_persons() -> list[tuple[Place, Case]]:
    """Give what only these backends have, each fault on one of them, and some of the layers."""
    own = dict.fromkeys(case.fault for place in EVERY for case in persons(place))
    ways = [[made for made in LEFT if made[1].fault == fault] for fault in own]
    once = [chosen for made in ways for chosen in sample(made, 1)]
    return [*once, *(made for made in some_of_the_layers(LEFT) if made not in once)]


@pytest.fixture(scope="module")
def kept(many: Host) -> Host:
    """Give the host, once it is kept how each backend is while it is healthy."""
    many.root(KEEP)
    return many


@pytest.fixture
def host(kept: Host, place: Place) -> Iterator[Host]:
    """Give the host, and put the test's backend back.

    What was installed anew for another one with the same environment is newer than its process.
    """
    if LAST.setdefault(place.venv, place) != place:
        kept.root(place.heal)
    LAST[place.venv] = place
    yield kept
    kept.root(place.heal)


@pytest.mark.parametrize("place", EVERY, ids=lambda place: place.backend)
def test_a_healthy_backend_is_proven_and_has_no_findings(
    tmp_path: Path, kept: Host, place: Place
) -> None:
    looked = diagnose(tmp_path, kept, place.backend)

    assert 0 == looked.code, looked.output
    assert "people can log in; nothing was changed" in looked.verdict, looked.output
    assert ([], []) == (
        looked.section("What was wrong first"),
        looked.section("What could not be seen"),
    ), looked.output
    assert logs_in(kept, place.backend)


OTHER_SCHEMES = ("django-scrypt", "django-argon2", "django-bcrypt-sha256")
ALSO_READ = [(one, name) for name in OTHER_SCHEMES for one in PLACES if one.name == "shop"]


@pytest.mark.parametrize(
    ("place", "scheme"),
    [pytest.param(*each, id=f"{each[0].backend}-{each[1]}") for each in sample(ALSO_READ, 2)],
)
def test_a_hash_of_another_scheme_that_the_backend_reads_as_well_is_not_sick(
    tmp_path: Path, host: Host, place: Place, scheme: str
) -> None:
    stored = passwords.make(canaries.OWNER_PASSWORD, scheme)
    host.root(place.sql(f"UPDATE auth_user SET password = '{stored}' WHERE username = 'owner'"))

    ran = run(tmp_path, host, place.backend)

    assert (0, [], []) == (ran.code, ran.section("What was wrong first"), ran.changed()), ran.output
    assert logs_in(host, place.backend)


@pytest.mark.parametrize("place", sample(PLACES, 2), ids=lambda place: place.backend)
def test_all_layers_broken_at_once_are_healed_by_one_run(
    tmp_path: Path, host: Host, place: Place
) -> None:
    healthy = host.snapshot(*place.only)
    host.root(everything(place))
    host.forget_execs()
    assert not logs_in(host, place.backend)

    ran = run(tmp_path, host, place.backend)

    assert 0 == ran.code, ran.output
    assert logs_in(host, place.backend), ran.output
    left = differences(healthy, host.snapshot(*place.only))
    assert {} == unexpected(left, may_differ(place)), ran.output
    assert [] == run(tmp_path, host, place.backend).changed()


@pytest.mark.parametrize(
    ("place", "case"),
    [pytest.param(*each, id=f"{each[0].backend}-{each[1]}") for each in some_of_the_layers(EACH)],
)
def test_a_fault_is_named_first_mended_and_proven(
    tmp_path: Path, host: Host, place: Place, case: Case
) -> None:
    is_mended(host, case, product(tmp_path, place))


@pytest.mark.parametrize(
    ("place", "case"),
    [pytest.param(*each, id=f"{each[0].backend}-{each[1]}") for each in of_persons()],
)
def test_what_only_a_person_may_mend_is_named_first_and_left(
    tmp_path: Path, host: Host, place: Place, case: Case
) -> None:
    is_left(host, case, product(tmp_path, place))


def product(folder: Path, place: Place) -> Product:
    """Give how a backend is diagnosed and restored by its own example."""
    return Product(
        lambda at, profile="": diagnose(folder, at, place.backend, profile=profile),
        lambda at, profile="": run(folder, at, place.backend, profile=profile),
        partial(logs_in, backend=place.backend),
        place.only,
        place.writes,
    )
