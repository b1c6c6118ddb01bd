"""benchmarks/RESULTS.md, of which each benchmark writes its own part, and what is drawn of it."""

from pathlib import Path

from . import plots

RESULTS = Path(__file__).with_name("RESULTS.md")
PASSES = "# What a pass over healthy hosts costs"
SIDE_BY_SIDE = "# What a pass costs beside other tools"
MANY = "# What each of many hosts costs"
DATABASE = "# What a check of a large database costs"
RESTORE = "# What a restore costs, and what people meet meanwhile"
_PARTS = (PASSES, SIDE_BY_SIDE, MANY, DATABASE, RESTORE)


def write_part(head: str, text: str) -> None:
    """Write the part of the page that begins with this headline; the others stay."""
    RESULTS.write_text(replaced(RESULTS.read_text(), head, text))
    plots.main()


def replaced(whole: str, head: str, text: str) -> str:
    """Give the page with another part under this headline, in the page's order."""
    found = {one: _part(whole, one) for one in _PARTS} | {head: text}
    return "\n\n".join(part.strip() for part in found.values() if part) + "\n"


def _part(whole: str, head: str) -> str:
    """Give a part with its headline, or nothing where the page has none."""
    lines = whole.splitlines()
    if head not in lines:
        return ""
    rest = lines[lines.index(head) :]
    ends = [number for number, line in enumerate(rest) if number and line in _PARTS]
    return "\n".join(rest[: ends[0]] if ends else rest)
