"""The runbooks' backends come to a bare host each, all in one run.

Only with RELOGIN_TEST_ALL=1: it takes minutes. Three hosts get an engine, from Debian's packages.
"""

import os
from pathlib import Path

import pytest

from tests.lab.backends import canaries as others
from tests.lab.backends.product import logs_in
from tests.lab.bare.described import committed, onboard, with_wheels
from tests.lab.compose import product as composed
from tests.lab.host import Host
from tests.lab.product import SECRETS as HALEXT

pytestmark = pytest.mark.lab
SECRETS = {
    **HALEXT,
    **composed.SECRETS,
    "OWNER_PASSWORD": others.OWNER_PASSWORD,
    "MEMBER_PASSWORD": others.OTHERS_PASSWORD,
}
CURL = "command -v curl || { apt-get update -qq; apt-get install -qqy curl; }"


def exposure(host: Host, unit: str) -> float:
    """Give what systemd makes of the unit's sandbox; 10 is none."""
    said = host.root(f"systemd-analyze security {unit} --no-pager | tail -n 1")
    return float(said.split(f"{unit}:")[1].split()[0])


if os.environ.get("RELOGIN_TEST_ALL"):

    def test_each_host_gets_its_backend(
        bare: Host, bare_trixie: Host, bare_engines: list[Host], tmp_path: Path
    ) -> None:
        one, other, third = bare_engines
        hosts = {
            bare: ("halext",),
            bare_trixie: ("task_074",),
            one: ("receptionist",),
            other: ("agentcaller",),
            third: ("edms",),
        }
        for host, [name] in hosts.items():
            committed(tmp_path, name)
            if host not in bare_engines:
                with_wheels(host, tmp_path / host.suite, (name,))
        ran = onboard(tmp_path, hosts, SECRETS)
        assert 0 == ran.code, ran.output
        for host in hosts:
            host.root(CURL)
        assert bare.login().works
        assert logs_in(bare_trixie, "task_074")
        assert composed.logs_in(one, "receptionist")
        assert composed.logs_in(other, "agentcaller")
        assert composed.logs_in(third, "edms")
        assert 5 > exposure(bare, "halext-api.service")
        assert 5 > exposure(bare_trixie, "hub-api.service")
        again = onboard(tmp_path, hosts, SECRETS)
        assert 0 == again.code, again.output
        assert len(hosts) == again.verdict.count("people can log in; nothing was changed")
