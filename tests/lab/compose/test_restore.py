"""Faults of backends in containers: named first, mended, proven; no volume and no row is lost."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import cases
from tests.lab.compose.case import AGENTCALLER, RECEPTIONIST, Case
from tests.lab.compose.cases import MENDED, TOGETHER
from tests.lab.compose.persons import PERSONS
from tests.lab.compose.product import (
    diagnose,
    logs_in,
    opens,
    run,
    state,
    token,
    what_holds_data,
    what_there_is,
)
from tests.lab.host import Host
from tests.lab.steps import sample
from tests.lab.test_restore import assert_next_step_said

pytestmark = pytest.mark.lab
OTHER = {RECEPTIONIST: AGENTCALLER, AGENTCALLER: RECEPTIONIST}


# What a host without containers tries as well is tried here by a sample; `make test-all`: all.
ELSEWHERE = {case.fault for case in (*cases.MENDED, *cases.PERSONS)}


IMAGE = "docker inspect --format '{{.Image}}' infra-backend-1"
FORMER_IMAGES = (
    "docker image ls --no-trunc --format '{{.ID}} {{.Tag}}' infra-backend"
    " | sed -n 's/ before-.*//p'"
)


def wanted(*found: Case, samples: int) -> list[Case]:
    """Give each fault's chain once, of those that are tried elsewhere too so many."""
    own = [one for one in found if one.fault not in ELSEWHERE and not one.again]
    return [*own, *sample([one for one in found if one not in own], samples)]


RESTORED = wanted(*MENDED, samples=3)
# Taking back what was mended is tried for both runbooks, and for every fault by `make test-all`.
TAKEN_BACK = {*TOGETHER, *sample(RESTORED, 0)}


@pytest.fixture
def host(containers: Host) -> Iterator[Host]:
    yield containers
    containers.heal()


@pytest.mark.parametrize("case", [*RESTORED, *TOGETHER], ids=str)
def test_a_fault_is_named_first_mended_and_proven(tmp_path: Path, host: Host, case: Case) -> None:
    others = OTHER[case.backend] if case.of_rows else ""
    healthy, old = what_holds_data(host, others), token(host, case.backend)
    host.root(case.inject)
    image = host.root(IMAGE).strip()
    broken = state(host, case.backend)
    host.root(case.stop)
    host.forget_execs()

    looked = diagnose(tmp_path, host, case.backend)

    assert case.fault in looked.section("What was wrong first")[0], looked.output
    assert case.says in looked.verdict, looked.output

    first = run(tmp_path, host, case.backend)

    assert 0 == first.code, first.output
    assert case.fault in first.section("What was wrong first")[0], first.output
    assert logs_in(host, case.backend), first.output
    assert healthy == what_holds_data(host, others)
    if case.fault.startswith("image."):
        assert image in host.root(FORMER_IMAGES).split(), "the former image has a name"
    assert opens(host, case.backend, old) != case.void, "a token from before"

    second = run(tmp_path, host, case.backend)

    assert 0 == second.code, second.output
    assert [] == second.changed(), second.output
    if case in TAKEN_BACK:
        assert_taken_back(tmp_path, host, case, broken)


def assert_taken_back(folder: Path, host: Host, case: Case, broken: list[str]) -> None:
    """What the run overwrote is as it was; rows that it made stay, and so do containers."""
    holding = what_holds_data(host, OTHER[case.backend])
    ran = run(folder, host, case.backend, "deploys/undo.py", "-y")
    assert 0 == ran.code, ran.output
    back = state(host, case.backend)
    assert [] == [line for line in broken if line not in back], ran.output
    assert holding == what_holds_data(host, OTHER[case.backend])


@pytest.mark.parametrize("case", wanted(*PERSONS, samples=1), ids=str)
def test_what_only_a_person_may_mend_is_named_first_and_left(
    tmp_path: Path, host: Host, case: Case
) -> None:
    host.root(case.whole)
    left = what_there_is(host)
    host.forget_execs()

    ran = run(tmp_path, host, case.backend)

    assert (0 if case.works else 1) == ran.code, ran.output
    assert case.fault in ran.section("What was wrong first")[0], ran.output
    assert case.says in ran.verdict, ran.output
    assert_next_step_said(ran)
    assert [] == ran.section("What was done"), ran.output
    assert left == what_there_is(host)


@pytest.mark.skipif(not os.environ.get("RELOGIN_TEST_ALL"), reason="by make test-all")
def test_the_way_back_to_a_project_s_own_volumes_is_what_a_person_is_told(
    tmp_path: Path, host: Host
) -> None:
    [case] = [case for case in PERSONS if case.fault == "volumes.project-name-changed"]
    host.root(case.whole)
    ran = run(tmp_path, host, case.backend)
    assert not logs_in(host, case.backend)

    told = re.search("(cd [^;]* up -d);", "\n".join(ran.section("What needs you")))

    assert told is not None, ran.output
    host.root(f"{told[1]} --wait 2>&1")
    assert logs_in(host, case.backend)
