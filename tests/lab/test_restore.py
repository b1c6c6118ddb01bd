"""Every fault that a machine mends, on a real host: named first, mended, proven, no more."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

import pytest

from tests import next_steps

from .cases import EVERYTHING, MENDED, PERSONS, supervised
from .cases.case import ENV, RESTART, UNDO, Case
from .host import Host
from .product import Ran, diagnose, restore, undo
from .side_by_side import side_by_side, taken
from .steps import SEED, sample

pytestmark = pytest.mark.lab


def each_fault_once(cases: tuple[Case, ...]) -> list[Case]:
    """Give one of the ways in which each fault is made; `make test-all` has them all."""
    faults = dict.fromkeys(case.fault for case in cases)
    ways = [[case for case in cases if case.fault == fault] for fault in faults]
    return [chosen for made in ways for chosen in sample(made, 1)]


# What a real supervisord shows without a host too is tried here by `make test-all` alone.
OF_A_MACHINE = [*each_fault_once(MENDED), *sample(supervised.MENDED, 0)]
OF_A_PERSON = [*each_fault_once(PERSONS), *sample(supervised.PERSONS, 0)]
# Beginnings of the snapshot's keys of what PostgreSQL holds.
OF_POSTGRES = (
    *("postgres", "role:", "role-verifier:", "database:", "schema:"),
    *("table:", "sequence:", "row:", "value:", "locked:"),
)
# What a person's fault looks like to diagnose, which says it as restore does: a few of them.
DIAGNOSED = set(sample(OF_A_PERSON, 3))
# Taking back what was mended is tried for a sample of the faults, and for all by `make test-all`.
TAKEN_BACK = set(sample(OF_A_MACHINE, len(OF_A_MACHINE) // 6))


@pytest.fixture
def host(hosts_for_cases: "Queue[Host]") -> Iterator[Host]:
    """Give a healthy host, and heal it."""
    with taken(hosts_for_cases) as host:
        yield host


@pytest.fixture(scope="module")
def tried(
    request: pytest.FixtureRequest, hosts_for_cases: "Queue[Host]"
) -> Iterator[dict[str, "Future[float]"]]:
    """Every chosen case's chain, on whichever host is free."""
    chains = {
        "test_a_fault_is_named_first_mended_and_proven": is_mended,
        "test_what_only_a_person_may_mend_is_named_first_and_left": is_left,
    }
    with side_by_side(request, hosts_for_cases, chains) as started:
        yield started


@pytest.mark.parametrize("case", OF_A_MACHINE, ids=str)
def test_a_fault_is_named_first_mended_and_proven(
    case: Case, tried: dict[str, "Future[float]"], request: pytest.FixtureRequest
) -> None:
    tried[request.node.nodeid].result()


@pytest.mark.parametrize("case", OF_A_PERSON, ids=str)
def test_what_only_a_person_may_mend_is_named_first_and_left(
    case: Case, tried: dict[str, "Future[float]"], request: pytest.FixtureRequest
) -> None:
    tried[request.node.nodeid].result()


@dataclass(frozen=True)
class Product:
    """How a backend is diagnosed and restored, how an independent client logs in to it.

    `only` is what a snapshot is narrowed to; nothing: it is of all the host. `writes` begin the
    snapshot keys that every login changes: the session that it makes.
    """

    diagnose: Callable[..., Ran]
    restore: Callable[..., Ran]
    logs_in: Callable[[Host], bool]
    only: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


EXAMPLE = Product(diagnose, restore, lambda host: host.login().works)


def is_mended(host: Host, case: Case, product: Product = EXAMPLE) -> None:
    described = {"profile": case.profile} if case.profile else {}
    seen = partial(host.snapshot, *product.only)
    healthy = seen() if product.only else healthy_before(host)
    case.make(host)
    host.forget_execs()
    broken = seen()

    looked = product.diagnose(host, **described)

    assert case.fault in looked.section("What was wrong first")[0], looked.output
    assert {} == unexpected(differences(broken, seen()), (*case.restless, *product.writes))

    first = product.restore(host, **described)

    assert 0 == first.code, first.output
    assert case.fault in first.section("What was wrong first")[0], first.output
    assert product.logs_in(host), first.output
    mended = seen()
    allowed = (*case.differs, *UNDO, *product.writes)
    assert {} == unexpected(differences(healthy, mended), allowed), first.output

    second = product.restore(host, **described)

    assert 0 == second.code, second.output
    assert [] == second.changed(), second.output
    assert {} == unexpected(differences(mended, seen()), product.writes)

    if product is EXAMPLE and case in TAKEN_BACK:
        assert_taken_back(host, case, broken)


@cache
def healthy_before(host: Host) -> dict[str, str]:
    """Give the snapshot of a host before the first of its cases: healing always leads back to it.

    So what healing should leave behind is seen too, by the next case.
    """
    return host.snapshot()


def is_left(host: Host, case: Case, product: Product = EXAMPLE) -> None:
    seen = partial(host.snapshot, *product.only)
    case.make(host)
    host.forget_execs()
    broken = seen()

    with TemporaryDirectory() as folder:
        described = case.described(host, Path(folder))
        if case in DIAGNOSED:
            assert_diagnosed(host, case, product, described)
        ran = product.restore(host, **described)

    assert (0 if case.works else 1) == ran.code, ran.output
    assert case.fault in ran.section("What was wrong first")[0], ran.output
    assert_next_step_said(ran)
    assert [] == ran.section("What was done"), ran.output
    assert {} == unexpected(differences(broken, seen()), (*case.restless, *product.writes))


def assert_next_step_said(ran: Ran) -> None:
    """The next step has names in it: of what to look at, to run or to change."""
    what = ran.section("What was wrong first")[0].partition(" ")[2].rpartition("  ")[0]
    steps = [line.removeprefix(f"{what}: ") for line in ran.section("What needs you")]
    assert steps, ran.output
    assert [] == [step for step in steps if not next_steps.named(step)], ran.output


def assert_diagnosed(host: Host, case: Case, product: Product, described: dict[str, str]) -> None:
    looked = product.diagnose(host, **described)
    assert case.fault in looked.section("What was wrong first")[0], looked.output


def assert_taken_back(host: Host, case: Case, broken: dict[str, str]) -> None:
    ran = undo(host)
    assert 0 == ran.code, ran.output
    left = differences(at_rest(broken), at_rest(host.snapshot()))
    unseen = OF_POSTGRES if "postgres" in broken else ()  # the server did not run
    allowed = (*UNDO, *case.restless, *case.stays, *unseen)
    assert {} == unexpected(left, allowed), f"seed {SEED}\n{ran.output}"


def at_rest(snapshot: dict[str, str]) -> dict[str, str]:
    """Leave out what runs at the moment: a service that was started is not stopped again."""
    return {
        key: re.sub(r"ActiveState=\S+", "", text) if key.startswith("unit:") else text
        for key, text in snapshot.items()
    }


def test_the_whole_runbook_at_once_is_healed_by_one_run(host: Host) -> None:
    healthy = host.snapshot()
    host.root(EVERYTHING)
    host.forget_execs()
    assert not host.login().works

    ran = restore(host)

    assert 0 == ran.code, ran.output
    assert host.login().works, ran.output
    found = unexpected(
        differences(healthy, host.snapshot()),
        (
            *(*ENV, *UNDO, "file:/srv/", "distribution:", "env:SECRET_KEY"),
            *("role-verifier:halext_user", "row:halext_org.public.users:"),
            "value:halext_org.public.users_id_seq",
        ),
    )
    assert {} == found
    assert [] == restore(host).changed()


def test_a_token_from_before_stays_good_when_its_secret_is_put_back(host: Host) -> None:
    before = host.login()
    host.root("sed -i /^SECRET_KEY=/d /srv/halext.org/halext-org/backend/.env")

    ran = restore(host)

    assert 0 == ran.code, ran.output
    host.root(RESTART)
    assert 200 == host.me(before.token)[0]


def differences(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str, str]]:
    keys = before.keys() | after.keys()
    pairs = {key: (before.get(key, "-"), after.get(key, "-")) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def unexpected(
    found: dict[str, tuple[str, str]], allowed: tuple[str, ...]
) -> dict[str, tuple[str, str]]:
    return {key: pair for key, pair in found.items() if not key.startswith(tuple(allowed) or "\0")}
