"""Ensure that the service runs, on today's configuration."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin.mend import mend
from relogin.operations import compose
from relogin.operations.compose_service import NEEDED_SERVICE_DOWN
from relogin.operations.service_age import OLDER_THAN_ENV_FILE, OLDER_THAN_UNIT
from relogin.operations.service_down import (
    CRASH_LOOPING,
    FAILED,
    PORT_HELD,
    START_LIMIT_HIT,
    STOPPED,
)
from relogin.operations.service_settings import (
    NEEDS_DAEMON_RELOAD,
    WRONG_ENVIRONMENT_FILE,
    WRONG_WORKING_DIRECTORY,
)
from relogin.operations.service_unit import (
    BAD_SETTING,
    DISABLED,
    MASKED,
    NEEDED_UNIT_DOWN,
    UNIT_MISSING,
)

if TYPE_CHECKING:
    from relogin.backend import Backend

# The restart that several of them need is made by the first one, and by no other after it.
FAULTS = (
    compose.ENGINE_DOWN,
    compose.FILES_REFUSED,
    UNIT_MISSING,
    MASKED,
    BAD_SETTING,
    WRONG_WORKING_DIRECTORY,
    WRONG_ENVIRONMENT_FILE,
    NEEDS_DAEMON_RELOAD,
    NEEDED_UNIT_DOWN,
    NEEDED_SERVICE_DOWN,
    compose.CONTAINER_MISSING,
    PORT_HELD,
    STOPPED,
    START_LIMIT_HIT,
    FAILED,
    CRASH_LOOPING,
    OLDER_THAN_UNIT,
    OLDER_THAN_ENV_FILE,
    compose.ENVIRONMENT_OLDER,
    compose.IMAGE_OLDER,
    compose.UNHEALTHY,
    compose.PORT_PUBLIC,
    DISABLED,
)


@operation()
def running(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the service runs, and that it was started after its files last changed.

    + backend: the backend, as its inventory describes it
    """
    yield from mend(backend, FAULTS)
