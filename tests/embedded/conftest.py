"""What these tests share: the running backend of 38 tables, and that of the demo."""

from collections.abc import Iterator

import pytest

from tests.embedded.hub import Hub
from tests.embedded.world import World


@pytest.fixture(scope="session")
def hub() -> Iterator[Hub]:
    """Start it once: a test leaves no row behind that another one minds."""
    with Hub() as running:
        yield running


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Start it once: who breaks it has it sound again at its end."""
    with World() as made:
        yield made
