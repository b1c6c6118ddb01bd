"""Several backends in one run: two on a host, and hosts with different ones."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from .cases.case import BACKEND, PSQL
from .host import Host
from .inventory import by
from .product import Ran
from .test_hosts import DIAGNOSE, HEALED, PROVEN, findings
from .variants import second
from .variants.variant import FAULTS, run

pytestmark = pytest.mark.lab

# All that a run may touch of Halext, and whether it was restarted.
OF_HALEXT = f"""
runuser -u postgres -- pg_dump halext_org | grep -v restrict | sha256sum
{PSQL} -At -c "SELECT rolname, rolpassword, rolcanlogin FROM pg_authid WHERE rolname <> 'crm_user'"
stat -c '%n %z' {BACKEND}/.env {BACKEND}/env/lib/python3*/site-packages
sha256sum {BACKEND}/.env; systemctl show -p MainPID,NRestarts,ActiveEnterTimestamp halext-api
"""


@pytest.fixture
def pair(lab: list[Host]) -> Iterator[list[Host]]:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: host.root(second.PREPARE), lab))
        yield lab
        list(pool.map(Host.heal, lab))


def test_two_backends_of_one_host_are_both_healed(pair, tmp_path):
    host = pair[0]
    both = [(by(host), ""), (by(host), second.PROFILE)]

    looked = run(tmp_path, both, *DIAGNOSE)

    assert (0, []) == (looked.code, findings(looked)), looked.output
    assert [True, True] == [PROVEN in block(looked, host, name) for name in ("halext", "crm")]

    host.root(second.BREAK + FAULTS)
    ran = run(tmp_path, both)

    assert 0 == ran.code, ran.output
    assert [True, True] == [HEALED in block(ran, host, name) for name in ("halext", "crm")]
    assert "✗" not in ran.verdict, ran.output
    assert [True, True] == [host.login().works, host.login(at=second.URL).works]
    again = run(tmp_path, both)
    assert (0, []) == (again.code, again.changed()), again.output


def test_what_is_broken_in_one_backend_leaves_the_other_untouched(pair, tmp_path):
    host = pair[0]
    host.root(second.BREAK)
    before = host.root(OF_HALEXT)

    ran = run(tmp_path, [(by(host), ""), (by(host), second.PROFILE)])

    assert 0 == ran.code, ran.output
    assert HEALED in block(ran, host, "crm")
    assert PROVEN in block(ran, host, "halext"), ran.output
    assert before == host.root(OF_HALEXT)
    assert [True, True] == [host.login().works, host.login(at=second.URL).works]


def test_hosts_with_different_backends_are_healed_in_one_run(pair, tmp_path):
    one, two = pair
    one.root(FAULTS)
    two.root(second.BREAK)
    before = two.root(OF_HALEXT)

    ran = run(tmp_path, [(by(one), ""), (by(two), second.PROFILE)])

    assert 0 == ran.code, ran.output
    assert HEALED in block(ran, one, "halext")
    assert HEALED in block(ran, two, "crm")
    assert 2 == ran.verdict.count(" · "), ran.output
    assert [True, True] == [one.login().works, two.login(at=second.URL).works]
    assert before == two.root(OF_HALEXT)


def block(ran: Ran, host: Host, backend: str) -> str:
    blocks = ran.verdict.split("─" * 78)
    [found] = [one for one in blocks if one.strip().startswith(f"{host.name} · {backend}: ")]
    return found
