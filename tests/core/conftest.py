"""What the tests of the tunnel share."""

from collections.abc import Iterator

import pytest

from tests.core.far_ends import Transport


@pytest.fixture
def forbidding() -> Iterator[Transport]:
    transport = Transport()
    yield transport
    for channel in transport.opened:
        channel.close()
