"""What earlier runs leave behind: a copy of a file that is overwritten, and which secret signed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import canaries
from .cases.case import BACKEND, RESTART, env
from .host import Host
from .product import SECRETS, Ran, pyinfra, restore
from .test_restore import differences

pytestmark = pytest.mark.lab

ENV = f"{BACKEND}/.env"
KEPT = "env_file=_keys(ACCESS_CODE=_Secret.kept())"


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


def test_a_value_that_must_be_kept_comes_back_from_the_copy_of_an_earlier_run(host: Host) -> None:
    """The process has it no more, and no other file: only the undo store has."""
    host.root(env("sed -i 's/^DEV_MODE=.*/DEV_MODE=true/' .env"))
    earlier = restore(host, profile=KEPT)
    assert 0 == earlier.code, earlier.output
    host.root(env("sed -i /^ACCESS_CODE=/d .env"))
    assert not host.login().works

    ran = restore(host, profile=KEPT)

    assert 0 == ran.code, ran.output
    assert "env_file.key-missing" in ran.section("What was wrong first")[0], ran.output
    assert canaries.ACCESS_CODE == host.root(f"set -a; . {ENV}; echo $ACCESS_CODE").strip()
    assert host.login().works, ran.output
    assert canaries.ACCESS_CODE not in earlier.output + ran.output
    assert [] == restore(host, profile=KEPT).changed()


def test_a_secret_that_somebody_replaced_is_said_and_stays(host: Host, tmp_path: Path) -> None:
    """Told by the history of the machine that relogin runs on: both secrets are sound."""
    remembering = {**SECRETS, "XDG_STATE_HOME": str(tmp_path)}
    relogin = str(Path(sys.executable).with_name("relogin"))

    def ran() -> Ran:
        return pyinfra([host], program=(relogin, "restore"), secrets=remembering)

    healthy = ran()
    assert (0, []) == (healthy.code, healthy.section("What was wrong first")), healthy.output
    other = "of-a-rotation-by-hand-5c1e0a9b7d3f4826"
    host.root(f"cd {BACKEND}; sed -i 's/^SECRET_KEY=.*/SECRET_KEY={other}/' .env\n{RESTART}")
    broken = host.snapshot()

    changed = ran()

    assert 0 == changed.code, changed.output
    assert "jwt.secret-changed" in changed.section("What was wrong first")[0], changed.output
    assert changed.section("What needs you"), changed.output
    assert [] == changed.section("What was done"), changed.output
    assert {} == differences(broken, host.snapshot())
    assert other not in changed.output
