"""For how long nobody could log in while a release or a restore went on: printed at the end."""

import os

SEEN: dict[str, float] = {}


def note(seconds: float) -> None:
    """Note it for the test that runs now."""
    name = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("/")[2].rpartition(" ")[0]
    SEEN[name] = max(seconds, SEEN.get(name, 0.0))


def lines() -> list[str]:
    """Give one line for each test, the longest time first."""
    longest = sorted(SEEN.items(), key=lambda item: -item[1])
    return [f"{seconds:6.2f} s  {name}" for name, seconds in longest]
