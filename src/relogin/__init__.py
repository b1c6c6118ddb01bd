"""Get people logging in again: find out why nobody can, mend exactly that, prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import relogin.settled  # noqa: F401 # for what it does
from relogin.backend import Backend
from relogin.finding import Finding, Severity, Unreadable
from relogin.parts.configuration import DatabaseUrl, EnvFile, FromEnv, FromParts
from relogin.parts.database import (
    Account,
    Accounts,
    AdminUrl,
    Alembic,
    Columns,
    Django,
    Peer,
    Postgres,
    Register,
    Uuid,
)
from relogin.parts.health import Expiring, Health, Query, Relation
from relogin.parts.proof import Cookie, Csrf, Jwt, KeyFile, Login, Probe, Refresh
from relogin.parts.runtime import Compose, Supervisor, Systemd, Venv
from relogin.secret import Secret, SecretMissing

if TYPE_CHECKING:
    from relogin.errors import ProfileError
    from relogin.fault import Change, Fault
    from relogin.parts.api import Api, Challenge, Endpoint, Load, Logout, RateLimit
    from relogin.parts.backup import Backup
    from relogin.parts.journey import Journey, Step
    from relogin.parts.onboard import Onboard
    from relogin.parts.source import Source
    from relogin.schedule import Schedule
    from relogin.tunnel import prompt_ssh

__all__ = [
    "Account",
    "Accounts",
    "AdminUrl",
    "Alembic",
    "Api",
    "Backend",
    "Backup",
    "Challenge",
    "Change",
    "Columns",
    "Compose",
    "Cookie",
    "Csrf",
    "DatabaseUrl",
    "Django",
    "Endpoint",
    "EnvFile",
    "Expiring",
    "Fault",
    "Finding",
    "FromEnv",
    "FromParts",
    "Health",
    "Journey",
    "Jwt",
    "KeyFile",
    "Load",
    "Login",
    "Logout",
    "Onboard",
    "Peer",
    "Postgres",
    "Probe",
    "ProfileError",
    "Query",
    "RateLimit",
    "Refresh",
    "Register",
    "Relation",
    "Schedule",
    "Secret",
    "SecretMissing",
    "Severity",
    "Source",
    "Step",
    "Supervisor",
    "Systemd",
    "Unreadable",
    "Uuid",
    "Venv",
    "prompt_ssh",
]

# What needs pyinfra, paramiko or more is imported on first use, and so are the parts that few
# descriptions have: `import relogin` stays cheap.
_LAZY = {
    **dict.fromkeys(
        ("Api", "Challenge", "Endpoint", "Load", "Logout", "RateLimit"), "relogin.parts.api"
    ),
    "Backup": "relogin.parts.backup",
    **dict.fromkeys(("Journey", "Step"), "relogin.parts.journey"),
    "Onboard": "relogin.parts.onboard",
    "Source": "relogin.parts.source",
    "Change": "relogin.fault",
    "Fault": "relogin.fault",
    "ProfileError": "relogin.errors",
    "Schedule": "relogin.schedule",
    "prompt_ssh": "relogin.tunnel",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'relogin' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LAZY[name]), name)
