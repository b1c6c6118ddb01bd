"""Faults of backends in containers: named first, mended, proven; no volume and no row is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compose.cases import AGENTCALLER, MENDED, PERSONS, RECEPTIONIST, Case
from tests.lab.compose.product import diagnose, logs_in, run, what_holds_data
from tests.lab.host import Host

pytestmark = pytest.mark.lab
OTHER = {RECEPTIONIST: AGENTCALLER, AGENTCALLER: RECEPTIONIST}


@pytest.fixture
def host(containers: Host) -> Iterator[Host]:
    yield containers
    containers.heal()


@pytest.mark.parametrize("case", MENDED, ids=str)
def test_a_fault_is_named_first_mended_and_proven(tmp_path: Path, host: Host, case: Case) -> None:
    others = OTHER[case.backend] if case.of_rows else ""
    healthy = what_holds_data(host, others)
    host.root(case.inject)

    looked = diagnose(tmp_path, host, case.backend)

    assert case.fault in looked.section("What was wrong first")[0], looked.output

    first = run(tmp_path, host, case.backend)

    assert 0 == first.code, first.output
    assert case.fault in first.section("What was wrong first")[0], first.output
    assert logs_in(host, case.backend), first.output
    assert healthy == what_holds_data(host, others)

    second = run(tmp_path, host, case.backend)

    assert 0 == second.code, second.output
    assert [] == second.changed(), second.output


@pytest.mark.parametrize("case", PERSONS, ids=str)
def test_what_only_a_person_may_mend_is_named_first_and_left(
    tmp_path: Path, host: Host, case: Case
) -> None:
    host.root(case.inject)

    ran = run(tmp_path, host, case.backend)

    assert (0 if case.works else 1) == ran.code, ran.output
    assert case.fault in ran.section("What was wrong first")[0], ran.output
    assert ran.section("What needs you"), ran.output
    assert [] == ran.section("What was done"), ran.output
