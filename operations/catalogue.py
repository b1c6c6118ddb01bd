"""All layers' faults, in the order in which one can cause the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.fault import LAYERS as NAMES
from relogin.fault import Fault
from relogin.operations import (
    accounts,
    api,
    database,
    env_file,
    image,
    jwt,
    login,
    machine,
    migrations,
    postgres,
    service,
    venv,
    volumes,
)

if TYPE_CHECKING:
    from relogin.backend import Backend

LOGIN: tuple[Fault, ...] = login.FAULTS
LAYERS: tuple[tuple[Fault, ...], ...] = (
    machine.FAULTS,
    venv.FAULTS,
    image.FAULTS,
    env_file.FAULTS,
    jwt.FAULTS,
    volumes.FAULTS,
    postgres.FAULTS,
    migrations.FAULTS,
    database.FAULTS,
    accounts.FAULTS,
    service.FAULTS,
    LOGIN,
    api.FAULTS,
)
FAULTS: tuple[Fault, ...] = tuple(fault for layer in LAYERS for fault in layer)


def of(backend: Backend) -> tuple[Fault, ...]:
    """Give the catalogue with a backend's own faults, each at the end of its layer."""
    if not backend.faults:
        return FAULTS
    return tuple(sorted((*FAULTS, *backend.faults), key=lambda fault: NAMES.index(fault.layer)))
