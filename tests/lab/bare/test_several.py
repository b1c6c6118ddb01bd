"""Two hosts, one with Debian 12 and one with 13, get two backends each, in one run.

Only with RELOGIN_TEST_ALL=1: it takes minutes.
"""

import os
from pathlib import Path

import pytest

from tests.lab.backends import canaries
from tests.lab.backends.product import logs_in
from tests.lab.bare.described import committed, onboard, with_wheels
from tests.lab.host import Host

pytestmark = pytest.mark.lab
NAMES = ("django_session", "fastapi_argon")
SECRETS = {"OWNER_PASSWORD": canaries.OWNER_PASSWORD}


if os.environ.get("RELOGIN_TEST_ALL"):

    def test_two_hosts_get_two_backends_each(bare: Host, bare_trixie: Host, tmp_path: Path) -> None:
        hosts = [bare, bare_trixie]
        for name in NAMES:
            committed(tmp_path, name)
        for host in hosts:
            with_wheels(host, tmp_path / host.suite, NAMES)
        ran = onboard(tmp_path, dict.fromkeys(hosts, NAMES), SECRETS)
        assert 0 == ran.code, ran.output
        for host in hosts:
            host.root("command -v curl || { apt-get update -qq; apt-get install -qqy curl; }")
            assert dict.fromkeys(NAMES, True) == {name: logs_in(host, name) for name in NAMES}
        again = onboard(tmp_path, dict.fromkeys(hosts, NAMES), SECRETS)
        assert 0 == again.code, again.output
        assert 4 == again.verdict.count("people can log in; nothing was changed")
