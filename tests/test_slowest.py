"""A run that tried cases on lab hosts ends with the ones that took longest."""

import re
import subprocess
import sys
from pathlib import Path

from tests.__main__ import taken
from tests.lab.side_by_side import all_seconds, in_all

REPOSITORY = Path(__file__).parents[1]
MODULE = """
import time
from queue import Queue

import pytest

from tests.lab.cases.case import Case
from tests.lab.side_by_side import side_by_side


class Host:
    def heal(self):
        pass


@pytest.fixture(scope="module")
def tried(request):
    free = Queue()
    free.put(Host())
    chain = lambda host, case: time.sleep(float(case.name))
    with side_by_side(request, free, {"test_chain": chain}) as started:
        yield started


@pytest.mark.parametrize("case", [Case("a", "true", name=n) for n in ("0", "0.2")], ids=str)
def test_chain(case, tried, request):
    tried[request.node.nodeid].result()
"""


def test_the_slowest_cases_are_said_last_of_all(tmp_path: Path) -> None:
    (tmp_path / "test_cases.py").write_text(MODULE)
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-c", "/dev/null"]

    done = subprocess.run(
        [*pytest, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert re.search(r"\n\d+ s in all for 2 cases on lab hosts\n", done.stdout)
    said = done.stdout.partition("slowest cases on lab hosts, with healing")[2].splitlines()[1:3]
    assert ["test_cases.py::test_chain[0.2]", "test_cases.py::test_chain[0]"] == [
        line.split(" s  ")[1] for line in said
    ], done.stdout


def test_a_whole_run_ends_with_the_minutes_of_its_parts_beside_their_budget() -> None:
    cases = all_seconds(f"12 s in a line\n{in_all({'a': 1000, 'b': 860.4})}\n")

    said = taken({"without-hosts": (7.25, 0), "cases": (15.04, cases)}, 31.5)

    assert [
        "######## 31.5 of 50 minutes",
        "  without-hosts: 7.2 minutes",
        "  cases: 15.0 of 18 minutes; its cases, side by side, sum up to 31.0",
    ] == said.strip().split("\n")
