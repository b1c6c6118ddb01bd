"""No fix is tried while another fault makes it harmful, and the verdict says so."""

from collections.abc import Iterator

import pytest

from .cases import NEVER_TOGETHER
from .cases.together import Pair
from .host import Host
from .product import restore

pytestmark = pytest.mark.lab


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


@pytest.mark.parametrize("pair", NEVER_TOGETHER, ids=str)
def test_what_would_do_harm_is_not_done_and_that_is_said(host: Host, pair: Pair) -> None:
    host.root(pair.inject)

    ran = restore(host)

    assert "t" == host.psql(pair.asked, database=pair.database).strip(), ran.output
    assert pair.said in ran.verdict, ran.output
    assert pair.mendable in ran.verdict, ran.output
    assert (0 if pair.works else 1) == ran.code, ran.output
