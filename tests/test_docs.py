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


def named(page: Path) -> str:
    return page.name


def named_faults(page: Path) -> set[str]:
    """Give what a page names as faults; all of it, and all that it links, has to be there."""
    text = page.read_text()
    layers = "|".join({fault.layer for fault in FAULTS})
    found = set(re.findall(rf"`((?:{layers})\.[a-z-]+)`", text))
    linked = re.findall(r"\]\(([^)]+)\)", text)
    assert set() == found - {fault.id for fault in FAULTS}
    assert [] == [one for one in linked if not (page.parent / one).exists()]
    return found


@pytest.mark.parametrize("page", [*(ROOT / "docs/runbooks").glob("*.md")], ids=named)
def test_a_runbook_names_faults_and_files_that_there_are(page: Path) -> None:
    assert named_faults(page)


@pytest.mark.parametrize("page", [*(ROOT / "docs/backends").glob("*.md")], ids=named)
def test_a_page_of_a_backend_names_faults_and_files_that_there_are(page: Path) -> None:
    named_faults(page)
    assert f"docs/backends/{page.name}" in (ROOT / "README.md").read_text()


def test_every_backend_of_the_lab_has_a_page_that_links_its_profile() -> None:
    pages = "".join(path.read_text() for path in (ROOT / "docs").rglob("*.md"))
    profiles = [path.name for path in (ROOT / "inventories/group_data").glob("*.py")]
    example = {"halext.py", "all.py"}  # README.md has the first; the other one is of no backend
    assert [] == [name for name in profiles if f"/{name})" not in pages and name not in example]
