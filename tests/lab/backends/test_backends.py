"""Backends of other kinds than the example, each described by data alone: found, mended, proven."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.lab.backends import canaries
from tests.lab.backends.places import PLACES, Place, cases, everything
from tests.lab.backends.product import diagnose, logs_in, run
from tests.lab.cases.case import UNDO, Case
from tests.lab.host import Host
from tests.lab.steps import SEED
from tests.lab.test_restore import Product, differences, is_mended, unexpected

pytestmark = pytest.mark.lab

BY_NAME = {place.backend: place for place in PLACES}
ALL = [
    pytest.param(place, case, id=f"{place.backend}-{case}")
    for place in PLACES
    for layer in cases(place).values()
    for case in layer
]


def one_of_each_layer() -> list[object]:
    """Give one fault of each layer, by the seed that pytest prints; all of them by test-all."""
    import os

    if os.environ.get("RELOGIN_TEST_ALL"):
        return list(ALL)
    chosen, by_layer = random.Random(SEED), {}
    for given in ALL:
        by_layer.setdefault(given.values[1].fault.partition(".")[0], []).append(given)
    return [chosen.choice(layer) for layer in by_layer.values()]


@pytest.fixture
def host(many: Host) -> Iterator[Host]:
    yield many
    many.heal()


@pytest.mark.parametrize("backend", BY_NAME)
def test_a_healthy_backend_is_proven_and_has_no_findings(tmp_path, many, backend):
    looked = diagnose(tmp_path, many, backend)

    assert 0 == looked.code, looked.output
    assert "people can log in; nothing was changed" in looked.verdict, looked.output
    assert ([], []) == (
        looked.section("What was wrong first"),
        looked.section("Could not be seen"),
    ), looked.output
    assert "?" not in looked.verdict, looked.output
    assert logs_in(many, backend)


@pytest.mark.parametrize("backend", BY_NAME)
def test_all_layers_broken_at_once_are_healed_by_one_run(tmp_path, host, backend):
    place = BY_NAME[backend]
    healthy = host.snapshot()
    host.root(everything(place))
    assert not logs_in(host, backend)

    ran = run(tmp_path, host, backend)

    assert 0 == ran.code, ran.output
    assert logs_in(host, backend), ran.output
    left = differences(healthy, host.snapshot())
    assert {} == unexpected(left, may_differ(place)), ran.output
    assert [] == [one for one in canaries.ALL if one in ran.output]
    assert [] == run(tmp_path, host, backend).changed()


def may_differ(place: Place) -> tuple[str, ...]:
    in_database = (f"{kind}:{place.name}." for kind in ("row", "table", "value", "sequence"))
    env = (f"file:{place.env}", f"env-text:{place.env}")
    role = (f"role:{place.name}", f"role-verifier:{place.name}")
    return (*in_database, *env, *role, f"file:{place.venv}", f"file:/srv/{place.name}/", *UNDO)


@pytest.mark.parametrize(("place", "case"), one_of_each_layer())
def test_a_fault_is_named_first_mended_and_proven(
    tmp_path: Path, host: Host, place: Place, case: Case
) -> None:
    backend = place.backend
    product = Product(
        partial(_on, diagnose, tmp_path, backend),
        partial(_on, run, tmp_path, backend),
        partial(logs_in, backend=backend),
    )
    is_mended(host, case, product)


def _on(what, folder, backend, host):
    return what(folder, host, backend)
