"""All layers' faults, in the order in which one can cause the next."""

from __future__ import annotations

from relogin.fault import Fault
from relogin.operations import accounts, env_file, jwt, login, postgres, service, venv

LOGIN: tuple[Fault, ...] = login.FAULTS
LAYERS: tuple[tuple[Fault, ...], ...] = (
    venv.FAULTS,
    env_file.FAULTS,
    jwt.FAULTS,
    postgres.FAULTS,
    accounts.FAULTS,
    service.FAULTS,
    LOGIN,
)
FAULTS: tuple[Fault, ...] = tuple(fault for layer in LAYERS for fault in layer)
