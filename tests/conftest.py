"""What tests share: the lab's hosts."""

from collections.abc import Iterator

import pytest

from .lab import engine
from .lab.host import Host
from .lab.image import LabUnavailableError


@pytest.fixture(scope="session")
def lab() -> Iterator[list[Host]]:
    """Two healthy hosts, booted when the first test asks for them; a test heals what it broke."""
    try:
        running = engine.hosts(2)
        booted = running.__enter__()
    except LabUnavailableError as error:
        if engine.required():
            raise
        pytest.skip(f"lab skipped: {error}")
    yield booted
    running.__exit__(None, None, None)
