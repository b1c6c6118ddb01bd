"""The pages in docs/ are kept true."""

import subprocess
from pathlib import Path

import pytest

from relogin.fault import Fault
from relogin.operations.catalogue import FAULTS
from relogin.report.faults import page, placeholders

ROOT = Path(__file__).parents[1]


def test_the_page_of_faults_is_the_catalogue() -> None:
    """Else: make docs."""
    assert page() == (ROOT / "docs/faults.md").read_text()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_the_commands_of_a_check_are_a_shell_s(fault: Fault) -> None:
    for line in fault.check:
        subprocess.run(["sh", "-n", "-c", line], check=True)


def test_what_stands_for_a_name_is_explained() -> None:
    assert ["UNIT"] == list(placeholders(("systemctl status UNIT -p MainPID",)))
