"""The README is kept true."""

from pathlib import Path

from relogin.operations.catalogue import FAULTS
from relogin.report.faults import markdown

ROOT = Path(__file__).parents[1]


def test_the_table_of_faults_is_the_catalogue() -> None:
    readme = (ROOT / "README.md").read_text()
    table = readme.partition("relogin.report.faults` -->\n")[2].partition("<!-- /faults -->")[0]

    assert markdown() + "\n" == table


def test_every_fault_says_what_is_wrong() -> None:
    assert [] == [fault.id for fault in FAULTS if not fault.about]


def test_every_deploy_file_runs_as_a_file_of_the_pyinfra_command() -> None:
    """pyinfra executes a deploy file with `__name__ == "builtins"`."""
    deploys = [path for path in (ROOT / "deploys").glob("*.py") if "@deploy(" in path.read_text()]

    assert deploys
    for path in deploys:
        last = path.read_text().rstrip().split("\n")[-2:]
        assert ['if __name__ == "builtins":', f"    {path.stem}()"] == last
