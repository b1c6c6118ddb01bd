"""The pages in docs/ are kept true."""

import re
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


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_says_what_is_done_and_how_to_look_for_it_by_hand(fault: Fault) -> None:
    assert fault.remedy
    assert fault.check


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_check_changes_nothing_and_has_no_password_in_an_argument(fault: Fault) -> None:
    changing = r"\b(sudo|rm|mv|restart|stop|kill|install|alter|update|delete|insert|drop|chmod)\b"
    words = " ".join(fault.check).replace("--dry-run", "").replace("pip install", "")
    assert [] == re.findall(changing, words, re.IGNORECASE)
    assert not re.search(r"password=\S|:\S+@", words)


@pytest.mark.parametrize("name", [path.name for path in (ROOT / "docs/runbooks").glob("*.md")])
def test_a_runbook_names_faults_and_files_that_there_are(name: str) -> None:
    text = (ROOT / "docs/runbooks" / name).read_text()
    known = {fault.id for fault in FAULTS}
    layers = "|".join({fault.layer for fault in FAULTS})
    named = set(re.findall(rf"`((?:{layers})\.[a-z-]+)`", text))
    linked = re.findall(r"\]\(([^)]+)\)", text)

    assert named
    assert set() == named - known
    assert [] == [one for one in linked if not (ROOT / "docs/runbooks" / one).exists()]
