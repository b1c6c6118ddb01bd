"""Every part of pyinfra 3.10 and paramiko that relogin uses and nobody promises to keep.

Where a test of this folder is red after an upgrade, its name says what has to be looked at.
"""

from typing import Any

import pytest
from pyinfra.api import Config, Inventory, State

DATA = {"one": 1, "shared": "host's"}


@pytest.fixture
def unconnected() -> State:
    groups = {"web": (["@local"], {"shared": "web's", "two": 2}), "other": ([], {})}
    return State(Inventory(([("@local", DATA)], {}), **groups), Config())


@pytest.fixture
def host(unconnected: State) -> Any:
    return unconnected.inventory.get_host("@local")
