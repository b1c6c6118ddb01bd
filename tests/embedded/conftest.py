"""What these tests share: the running backend of 38 tables."""

from collections.abc import Iterator

import pytest

from tests.embedded.hub import Hub


@pytest.fixture(scope="session")
def hub() -> Iterator[Hub]:
    """Start it once: a test leaves no row behind that another one minds."""
    with Hub() as running:
        yield running
