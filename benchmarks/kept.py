"""benchmarks/RESULTS.md, of which each benchmark writes its own part."""

from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
DATABASE = "# What a check of a large database costs"


def replaced(whole: str, database: str) -> str:
    """Give the page with another part about the database."""
    return f"{whole.partition(DATABASE)[0].rstrip()}\n\n{database}"


def beside(passes: str) -> str:
    """Give the page with another part about passes: what it says of the database stays."""
    _, found, rest = RESULTS.read_text().partition(DATABASE)
    return f"{passes.rstrip()}\n\n{found}{rest}" if found else passes
