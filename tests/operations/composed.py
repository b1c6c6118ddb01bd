"""The recorded look at a healthy Docker Compose project, and its small changes: the sick ones."""

import dataclasses
from pathlib import Path
from typing import Any

from relogin import Account, Accounts, Alembic, Backend, Columns, Compose, Secret, Unreadable
from relogin.facts import service
from relogin.facts.compose_state import Project
from relogin.facts.observation import Observation
from relogin.facts.service_state import ServiceState
from relogin.remote import Answer

RECORDED = Path(__file__).parent / "recorded" / "receptionist.txt"
OWNER = Account("owner@example.com", password=Secret.seen("owner-password-of-today"))
BACKEND = Backend(
    "receptionist",
    service=Compose(
        "/opt/ai-receptionist",
        "app",
        files=["docker-compose.prod.yml"],
        database_service="postgres",
        needs=["redis", "qdrant"],
        volumes=["pgdata"],
    ),
    migrations=Alembic("/app"),
    accounts=Accounts(
        columns=Columns(login="email", email=None, password="password_hash", admin=None),
        create="python /app/seed_user.py {login} {password}",
        present=[OWNER],
    ),
)


def healthy() -> ServiceState:
    """Give what the host answered of the service."""
    state = service.parse(Answer(RECORDED.read_bytes(), 0))
    assert isinstance(state, ServiceState)
    return state


def of_project(**fields: Any) -> ServiceState:
    """Give the healthy state with other fields of its project."""
    state = healthy()
    return dataclasses.replace(state, project=dataclasses.replace(_project(state), **fields))


def of_container(**fields: Any) -> ServiceState:
    """Give the healthy state with another container of the backend's service."""
    containers = tuple(
        dataclasses.replace(one, **fields) if one.service == "app" else one
        for one in _project(healthy()).containers
    )
    return of_project(containers=containers)


def observed(state: ServiceState, **seen: Any) -> Observation:
    """Give a look at nothing but this service, and what else is named."""
    return Observation(machine=Unreadable("not asked"), service=state, **seen)


def _project(state: ServiceState) -> Project:
    assert state.project is not None
    return state.project
