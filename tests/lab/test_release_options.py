"""What a release can be told, on a real host.

Only with RELOGIN_TEST_ALL=1: it takes minutes.
"""

import os
from collections.abc import Iterator

import pytest

from .cases.case import BACKEND, RESTART
from .host import Host
from .releases import (
    BETTER,
    BROKEN,
    MIGRATION,
    SET_UP,
    TEAR_DOWN,
    TOP,
    at,
    columns,
    committed,
    release,
    stands,
)

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not os.environ.get("RELOGIN_TEST_ALL"), reason="RELOGIN_TEST_ALL=1 has it"),
]

RAISES = MIGRATION.replace("STEP", "").replace(
    'op.execute("ALTER TABLE users DROP COLUMN nickname")', "raise NotImplementedError"
)


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    lab[0].root(SET_UP)
    yield lab[0]
    lab[0].root(TEAR_DOWN)
    lab[0].heal()


def test_a_release_that_is_the_repair_is_asked_for(host):
    host.root(f"cd {BACKEND}; {BROKEN}; cd {TOP}; runuser -u halext -- git add -A")
    host.root(f"cd {TOP}; runuser -u halext -- git -c user.name=x -c user.email=x@x commit -qm x")
    host.root(f"cd {TOP}; runuser -u halext -- git push -q origin HEAD:main; {RESTART}")
    broken = at(host)
    assert not host.login().works
    new = committed(host, f"git -c safe.directory='*' checkout -q {broken}~1 .\n{BETTER}")

    refused = release(host)

    assert 1 == refused.code, refused.output
    assert "refused before anything was changed: login" in refused.output
    assert broken == at(host)

    ran = release(host, words=["--data", "repair=true"])

    assert 0 == ran.code, ran.output
    assert new == at(host)
    assert host.login().works


def test_a_migration_that_cannot_be_undone_is_allowed_only_by_name(host):
    before = stands(host)
    new = committed(host, BETTER + RAISES)

    refused = release(host)

    assert 1 == refused.code, refused.output
    said = "\n".join(refused.section("Stopped"))
    assert "0002 deletes, or has no way back: needs --data allow_irreversible=true" in said
    assert before == stands(host)
    assert 0 == columns(host)

    ran = release(host, words=["--data", "allow_irreversible=true"])

    assert 0 == ran.code, ran.output
    assert (new, 1) == (at(host), columns(host))
    assert host.login().works
