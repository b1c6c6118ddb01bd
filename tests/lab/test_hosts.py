"""The same healing on hosts as people have them."""

from collections.abc import Iterator

import pytest

from .host import Host
from .inventory import by
from .test_restore import differences, unexpected
from .variants import VARIANTS
from .variants.variant import MENDED, run

pytestmark = pytest.mark.lab

PROVEN = "people can log in; nothing was changed"
HEALED = "people can log in again"
DIAGNOSE = ("deploys/diagnose.py", "--dry")


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_host_of_this_kind_is_healthy_and_is_healed(host, tmp_path, variant):
    host.root(variant.prepare)
    assert host.login().works
    way = [(by(host, variant.user), variant.profile)]

    looked = run(tmp_path, way, *DIAGNOSE)

    assert (0, []) == (looked.code, findings(looked)), looked.output
    assert PROVEN in looked.verdict, looked.output

    healthy, apart = host.snapshot(), host.root(variant.apart)
    host.root(variant.inject)
    assert not host.login().works

    ran = run(tmp_path, way)

    assert 0 == ran.code, ran.output
    assert HEALED in ran.verdict
    assert "✗" not in ran.verdict, ran.output
    assert host.login().works, ran.output
    mended = host.snapshot()
    assert {} == unexpected(differences(healthy, mended), MENDED + variant.differs), ran.output
    assert apart == host.root(variant.apart)

    again = run(tmp_path, way)

    assert (0, []) == (again.code, again.changed()), again.output
    assert {} == differences(mended, host.snapshot())


def findings(ran):
    titles = ("What was wrong first", "What else was wrong", "What followed from it")
    return [line for title in titles for line in ran.section(title)]
