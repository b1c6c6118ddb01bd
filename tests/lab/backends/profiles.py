"""The examples' own descriptions of the lab's backends."""

import os
import runpy
from unittest import mock

from relogin import Backend
from tests.lab.backends.places import Place
from tests.lab.product import REPOSITORY

_PROFILES = REPOSITORY / "inventories" / "group_data"


def profile(place: Place) -> Backend:
    """Load a backend's example."""
    with mock.patch.dict(os.environ):
        found = runpy.run_path(str(_PROFILES / f"{place.backend}.py"))[place.backend]
    assert isinstance(found, Backend)
    return found
