"""What tests share: the lab's hosts, and how many examples a property is tried on."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from .lab import engine
from .lab.host import Host
from .lab.image import LabUnavailableError

# The same examples in every run: whoever sees a failure can repeat it.
settings.register_profile(
    "relogin",
    derandomize=True,
    deadline=None,
    print_blob=True,
    max_examples=2000 if os.environ.get("RELOGIN_TEST_ALL") else 200,
)
settings.load_profile("relogin")


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
