"""The same healing on hosts as people have them."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

import pytest

from .cases import EVERYTHING, MENDED
from .cases.case import Case
from .host import Host
from .inventory import by
from .product import Ran
from .side_by_side import side_by_side
from .test_restore import differences, is_mended, unexpected
from .variants import VARIANTS
from .variants.variant import MAY_DIFFER, Variant, run

pytestmark = pytest.mark.lab

PROVEN = "people can log in; nothing was changed"
HEALED = "people can log in again"
DIAGNOSE = ("deploys/diagnose.py", "--dry")
CREATE = "create_dev_user.py"


@pytest.fixture(scope="module")
def tried(
    request: pytest.FixtureRequest, hosts_for_cases: "Queue[Host]"
) -> Iterator[dict[str, "Future[float]"]]:
    with side_by_side(
        request, hosts_for_cases, {"test_a_host_of_this_kind_is_healed": is_healed}
    ) as started:
        yield started


@pytest.mark.parametrize("case", VARIANTS, ids=str)
def test_a_host_of_this_kind_is_healed(case, tried, request):
    tried[request.node.nodeid].result()


def test_debian_13_is_healed(patient):
    is_healed(patient, Variant("Debian 13", inject=EVERYTHING))


@pytest.mark.skipif(not os.environ.get("RELOGIN_TEST_ALL"), reason="only by make test-all")
@pytest.mark.parametrize("case", MENDED, ids=str)
def test_every_fault_is_mended_on_debian_13(patient: Host, case: Case) -> None:
    is_mended(patient, case)


@pytest.fixture
def patient(trixie: Host) -> Iterator[Host]:
    yield trixie
    trixie.heal()


def is_healed(host: Host, case: Variant) -> None:
    with TemporaryDirectory() as folder:
        _is_healed(host, case, Path(folder))


def _is_healed(host: Host, case: Variant, folder: Path) -> None:
    host.root(f"set -e\n{case.prepare}")
    assert host.login().works
    way = [(by(host, case.user), case.profile)]

    looked = run(folder, way, *DIAGNOSE)

    assert (0, []) == (looked.code, findings(looked)), looked.output
    assert PROVEN in looked.verdict, looked.output

    healthy, apart = host.snapshot(), host.root(case.apart)
    host.root(case.inject)
    host.forget_execs()
    files = (key.removeprefix("file:") for key in case.differs if key.startswith("file:"))
    host.use.holders, host.use.own = tuple(files), (CREATE,) if case.exported else ()
    assert not host.login().works

    ran = run(folder, way)

    assert 0 == ran.code, ran.output
    assert HEALED in ran.verdict
    assert "✗" not in ran.verdict, ran.output
    assert host.login().works, ran.output
    mended = host.snapshot()
    found = differences(healthy, mended)
    assert {} == unexpected(found, MAY_DIFFER + case.differs), ran.output
    assert apart == host.root(case.apart)

    again = run(folder, way)

    assert (0, []) == (again.code, again.changed()), again.output
    assert {} == differences(mended, host.snapshot())


def findings(ran: Ran) -> list[str]:
    """Give all that a verdict calls wrong, or not to be seen."""
    followed = re.findall("^  (What followed from .*)", ran.verdict, re.MULTILINE)
    titles = ("What was wrong first", "What else was wrong", *followed, "What could not be seen")
    return [line for title in titles for line in ran.section(title)]
