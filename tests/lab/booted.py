"""Hosts for a test, which is skipped where there is no lab."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from . import engine
from .base import LabUnavailableError
from .host import Host


@contextmanager
def booted(counts: Mapping[str, int]) -> Iterator[list[Host]]:
    """Give `engine.hosts`, or skip the test with the reason, unless the lab is required.

    Raises:
        LabUnavailableError: it is required, and not to be had.
    """
    try:
        with engine.hosts(counts) as hosts:
            yield hosts
    except LabUnavailableError as error:
        if engine.required():
            raise
        pytest.skip(f"lab skipped: {error}")
