"""What is found of a Docker Compose project, on what a host with two projects answered."""

import dataclasses
from pathlib import Path

import pytest

from relogin import Backend, Compose
from relogin.facts import service
from relogin.facts.compose_state import Volume
from relogin.facts.observation import Observation
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.operations import compose, volumes
from relogin.operations.compose_service import NEEDED_SERVICE_DOWN
from relogin.remote import Answer

RECORDED = Path(__file__).parent / "recorded" / "receptionist.txt"
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
)
FAULTS = (
    compose.ENGINE_DOWN,
    compose.FILES_REFUSED,
    *volumes.FAULTS,
    NEEDED_SERVICE_DOWN,
    compose.CONTAINER_MISSING,
    compose.ENVIRONMENT_OLDER,
    compose.IMAGE_OLDER,
    compose.UNHEALTHY,
    compose.PORT_PUBLIC,
)


def healthy() -> ServiceState:
    state = service.parse(Answer(RECORDED.read_bytes(), 0))
    assert isinstance(state, ServiceState)
    return state


def found(state: ServiceState) -> list[str]:
    seen = Observation(machine=Unreadable("not asked"), service=state)
    return [one.fault for fault in FAULTS for one in fault.found(BACKEND, seen)]


def changed(**container: object) -> ServiceState:
    """Give the healthy state with another container of the backend's service."""
    state = healthy()
    assert state.project is not None
    containers = tuple(
        dataclasses.replace(one, **container) if one.service == "app" else one
        for one in state.project.containers
    )
    return dataclasses.replace(
        state, project=dataclasses.replace(state.project, containers=containers)
    )


def project(**fields: object) -> ServiceState:
    state = healthy()
    assert state.project is not None
    return dataclasses.replace(state, project=dataclasses.replace(state.project, **fields))


def test_a_healthy_project_has_no_findings():
    assert [] == found(healthy())


def test_what_a_host_answers_is_taken_apart():
    state = healthy()

    assert ("ai-receptionist/app", True, "running") == (state.name, state.active, state.state)
    assert {"app", "postgres", "redis", "qdrant"} == {
        one.service for one in state.project.containers
    }
    assert "172." == state.project.address("postgres")[:4]
    assert [8002] == [one.inside for one in state.project.container("app").ports]


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        (lambda: changed(image="sha256:0123"), "service.image-older"),
        (lambda: changed(health="unhealthy"), "service.unhealthy"),
        (
            lambda: changed(
                ports=(
                    dataclasses.replace(
                        healthy().project.container("app").ports[0], address="0.0.0.0"
                    ),
                )
            ),
            "service.port-public",
        ),
        (lambda: dataclasses.replace(healthy(), exists=False), "service.container-missing"),
        (
            lambda: dataclasses.replace(healthy(), environ={**healthy().environ, "ENV": "staging"}),
            "service.environment-older",
        ),
        (lambda: project(engine_error="Cannot connect"), "service.engine-down"),
        (lambda: project(config_error="yaml: line 3"), "service.compose-files-refused"),
        (lambda: project(volumes=()), "volumes.missing"),
        (
            lambda: project(volumes=(Volume("old_pgdata", "old", "pgdata"),)),
            "volumes.project-name-changed",
        ),
        (
            lambda: project(
                containers=tuple(
                    one for one in healthy().project.containers if one.service != "redis"
                )
            ),
            "service.needed-service-down",
        ),
    ],
)
def test_each_fault_is_found(state, fault):
    assert [fault] == found(state())


def test_the_volume_of_another_project_that_runs_is_no_lost_one():
    other = Volume("infra_pgdata", "infra", "pgdata")
    assert other in healthy().project.volumes

    state = project(volumes=(other,))

    assert ["volumes.missing"] == found(state)


def test_nothing_is_said_of_volumes_while_the_files_cannot_be_read():
    assert ["service.compose-files-refused"] == found(
        project(config=None, config_error="yaml: line 3", volumes=())
    )


def test_no_value_of_the_environment_is_shown():
    state = healthy()
    secret = state.environ["ADMIN_PRIVATE_KEY"]

    assert secret not in str(state.to_json())
    assert secret not in repr(state)
