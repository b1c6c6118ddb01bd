"""Ensure that the virtual environment works, and holds what its requirements ask for."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin.mend import mend
from relogin.operations.venv_installed import BROKEN_SET, FILES_MISSING, PASSLIB_WITHOUT_BCRYPT
from relogin.operations.venv_modules import MODULE_WITHOUT_REQUIREMENT, OWNED_BY_ANOTHER
from relogin.operations.venv_moved import MOVED
from relogin.operations.venv_rebuild import INTERPRETER_GONE, MINOR_VERSION_CHANGED, MISSING
from relogin.operations.venv_requirements import (
    REQUIREMENT_MISSING,
    REQUIREMENT_WRONG_VERSION,
    REQUIREMENTS_UNREADABLE,
)

if TYPE_CHECKING:
    from relogin.backend import Backend

FAULTS = (
    MISSING,
    INTERPRETER_GONE,
    MINOR_VERSION_CHANGED,
    MOVED,
    REQUIREMENTS_UNREADABLE,
    OWNED_BY_ANOTHER,
    REQUIREMENT_MISSING,
    REQUIREMENT_WRONG_VERSION,
    FILES_MISSING,
    BROKEN_SET,
    PASSLIB_WITHOUT_BCRYPT,
    MODULE_WITHOUT_REQUIREMENT,
)


@operation()
def dependencies(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the backend's venv works, and that every requirement is met.

    + backend: the backend, as its inventory describes it
    """
    yield from mend(backend, FAULTS)
