"""Ensure that the service runs, on today's configuration."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin.mend import mend
from relogin.operations import compose, compose_ports
from relogin.operations.compose_service import NEEDED_SERVICE_DOWN
from relogin.operations.service_age import (
    OLDER_THAN_ENV_FILE,
    OLDER_THAN_UNIT,
    OLDER_THAN_VENV,
)
from relogin.operations.service_down import (
    BACKOFF,
    CRASH_LOOPING,
    FAILED,
    FATAL,
    START_LIMIT_HIT,
    STOPPED,
)
from relogin.operations.service_processes import (
    KILLED_FOR_MEMORY,
    PORT_HELD,
    TWO_COPIES,
    WORKERS_HANG,
)
from relogin.operations.service_settings import (
    NEEDS_DAEMON_RELOAD,
    WRONG_COMMAND,
    WRONG_ENVIRONMENT_FILE,
    WRONG_USER,
    WRONG_WORKING_DIRECTORY,
)
from relogin.operations.service_supervisord import CONFIGURATION_NOT_APPLIED, SUPERVISORD_DOWN
from relogin.operations.service_unit import (
    BAD_SETTING,
    CONDITION_NOT_MET,
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
    SUPERVISORD_DOWN,
    UNIT_MISSING,
    MASKED,
    BAD_SETTING,
    WRONG_USER,
    WRONG_WORKING_DIRECTORY,
    WRONG_ENVIRONMENT_FILE,
    WRONG_COMMAND,
    NEEDS_DAEMON_RELOAD,
    CONFIGURATION_NOT_APPLIED,
    NEEDED_UNIT_DOWN,
    NEEDED_SERVICE_DOWN,
    compose.CONTAINER_MISSING,
    CONDITION_NOT_MET,
    PORT_HELD,
    KILLED_FOR_MEMORY,
    WORKERS_HANG,
    STOPPED,
    START_LIMIT_HIT,
    FAILED,
    FATAL,
    BACKOFF,
    CRASH_LOOPING,
    OLDER_THAN_UNIT,
    OLDER_THAN_ENV_FILE,
    OLDER_THAN_VENV,
    compose.ENVIRONMENT_OLDER,
    compose.IMAGE_OLDER,
    compose_ports.PORT_ELSEWHERE,
    compose.UNHEALTHY,
    compose_ports.PORT_PUBLIC,
    TWO_COPIES,
    DISABLED,
)


@operation()
def running(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the service runs, and that it was started after its files last changed.

    + backend: the backend, as its inventory describes it
    """
    yield from mend(backend, FAULTS)
