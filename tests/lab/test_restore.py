"""Every fault that a machine mends, on a real host: named first, mended, proven, no more."""

from collections.abc import Iterator

import pytest

from .cases import MENDED, Case
from .host import Host
from .product import diagnose, restore

pytestmark = pytest.mark.lab


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


@pytest.mark.parametrize("case", MENDED, ids=str)
def test_a_fault_is_named_first_mended_and_proven(host: Host, case: Case) -> None:
    healthy = host.snapshot()
    host.root(case.inject)
    broken = host.snapshot()

    looked = diagnose(host)

    assert case.fault in looked.section("What was wrong first")[0]
    assert {} == differences(broken, host.snapshot())

    first = restore(host)

    assert 0 == first.code, first.output
    assert case.fault in first.section("What was wrong first")[0], first.output
    assert host.login().works, first.output
    mended = host.snapshot()
    assert {} == unexpected(differences(healthy, mended), case.differs), first.output

    second = restore(host)

    assert 0 == second.code, second.output
    assert [] == second.changed(), second.output
    assert {} == differences(mended, host.snapshot())


def differences(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str, str]]:
    keys = before.keys() | after.keys()
    pairs = {key: (before.get(key, "-"), after.get(key, "-")) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def unexpected(
    found: dict[str, tuple[str, str]], allowed: tuple[str, ...]
) -> dict[str, tuple[str, str]]:
    return {key: pair for key, pair in found.items() if not key.startswith(tuple(allowed) or "\0")}
