"""A user's own fault on a real host: what its fix overwrites is kept, and undo brings it back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .cases.case import BACKEND, UNDO
from .host import Host
from .product import REPOSITORY, diagnose, pyinfra, restore
from .test_restore import at_rest, differences, unexpected

pytestmark = pytest.mark.lab

FAULT = "service.maintenance-left-on"
SWITCH = f"{BACKEND}/MAINTENANCE"
REMOVED = 'f"mv {there} {there}.off"'
KEPT = 'f"{undo.store(backend)}keep {there}; keep {there}.off; mv {there} {there}.off"'


@pytest.fixture
def host(lab: list[Host]) -> Iterator[Host]:
    yield lab[0]
    lab[0].heal()


@pytest.fixture
def profile(tmp_path: Path) -> str:
    """Give the example with the README's own fault, whose fix keeps what it moves away."""
    readme = (REPOSITORY / "README.md").read_text()
    [example] = re.findall(r"```python\n(# own_faults.py.*?)```", readme, re.DOTALL)
    assert REMOVED in example
    path = tmp_path / "own_faults.py"
    path.write_text(f"from relogin import undo\n{example.replace(REMOVED, KEPT)}")
    return f"faults=[_run_path({str(path)!r})['MAINTENANCE']]"


def test_it_is_found_mended_once_and_taken_back(host: Host, profile: str) -> None:
    host.root(f"""cd {BACKEND}
    echo 'until Monday' >MAINTENANCE; echo 'of last year' >MAINTENANCE.off
    chown halext: MAINTENANCE*; chmod 640 MAINTENANCE*""")
    broken = host.snapshot()

    looked = diagnose(host, profile=profile)

    assert FAULT in looked.section("What was wrong first")[0], looked.output
    assert broken == host.snapshot()

    ran = restore(host, profile=profile)

    assert 0 == ran.code, ran.output
    assert FAULT in ran.section("What was wrong first")[0], ran.output
    assert f"✓ move {SWITCH} away" in ran.section("What was done")[0], ran.output
    assert "until Monday\n" == host.root(f"[ ! -e {SWITCH} ] && cat {SWITCH}.off")
    assert [] == restore(host, profile=profile).changed()

    back = pyinfra([host], "deploys/undo.py", "-y", profile=profile)

    assert 0 == back.code, back.output
    left = differences(at_rest(broken), at_rest(host.snapshot()))
    assert {} == unexpected(left, UNDO), back.output
    assert "of last year\n" == host.root(f"cat {SWITCH}.off")
