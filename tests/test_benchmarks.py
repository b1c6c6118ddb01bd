"""What is drawn and said of the benchmarks is what their page has."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from benchmarks import plots

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "benchmarks/RESULTS.md").read_text()
SMALL = """# What a pass costs beside other tools

| where | what | wall s | x floor | CPU s | x floor |
|---|---|---|---|---|---|
| 1 host, healthy | floor: by <hand> | 0.40 (0.39) | 1.00 (1.00) | 0.10 (0.10) | 1.00 (1.00) |
| 1 host, healthy | relogin drift | 0.60 (0.59) | 1.50 (1.51) | 0.50 (0.50) | 5.00 (5.00) |
| 20 hosts, healthy | relogin drift | 3.00 (2.90) | 1.10 (1.10) | 2.50 (2.50) | 2.00 (2.00) |
"""


def test_the_plots_and_the_readme_are_those_of_the_page(tmp_path):
    plots.draw(PAGE, tmp_path)
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert ["many.svg", "side_by_side.svg"] == drawn
    for name in drawn:
        kept = (ROOT / "benchmarks" / name).read_text()
        assert kept == (tmp_path / name).read_text(), "python -m benchmarks.plots"
        assert f"(benchmarks/{name})" in (ROOT / "README.md").read_text()
    text = (ROOT / "README.md").read_text()
    assert text == plots.filled(text, PAGE), "python -m benchmarks.plots"
    assert plots.readme(PAGE).count("\n") > 2


def test_a_bar_is_as_long_as_its_figure_and_has_it_beside():
    tree = ElementTree.fromstring(plots.bars(plots.table(SMALL, "where")))  # noqa: S314 # our own
    name = "{http://www.w3.org/2000/svg}"
    _, *bars = (float(one.get("width", "")) for one in tree.findall(f"{name}rect"))
    assert [166.7, 50.0, 250.0, 250.0, 250.0, 250.0] == bars
    texts = [one.text for one in tree.findall(f"{name}text")]
    assert {"floor: by <hand>", "0.4", "0.5", "3", "20 hosts, healthy"} <= set(texts)


def test_the_readmes_table_has_a_column_for_each_place():
    assert [
        "| seconds (x the floor) | 1 host, healthy | 20 hosts, healthy |",
        "|---|---|---|",
        "| floor: by <hand> | 0.40 (1.00) |  |",
        "| relogin drift | 0.60 (1.50) | 3.00 (1.10) |",
    ] == plots.readme(SMALL).splitlines()


@pytest.mark.parametrize("page", ["", "# What a pass costs beside other tools\n"])
def test_a_page_without_the_table_draws_nothing(tmp_path, page):
    plots.draw(page, tmp_path)
    assert [] == list(tmp_path.iterdir())
