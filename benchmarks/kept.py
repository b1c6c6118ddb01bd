"""benchmarks/RESULTS.md, of which each benchmark writes its own part."""

from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
DATABASE = "# What a check of a large database costs"
RESTORE = "# What a restore costs, and what people meet meanwhile"


def replaced(whole: str, database: str) -> str:
    """Give the page with another part about the database."""
    before, _, rest = whole.partition(DATABASE)
    _, found, restore = rest.partition(RESTORE)
    page = f"{before.rstrip()}\n\n{database}"
    return f"{page.rstrip()}\n\n{found}{restore}" if found else page


def with_restore(whole: str, restore: str) -> str:
    """Give the page with another part about restores, its last."""
    return f"{whole.partition(RESTORE)[0].rstrip()}\n\n{restore}"


def beside(passes: str) -> str:
    """Give the page with another part about passes: what it says of the database stays."""
    _, found, rest = RESULTS.read_text().partition(DATABASE)
    return f"{passes.rstrip()}\n\n{found}{rest}" if found else passes
