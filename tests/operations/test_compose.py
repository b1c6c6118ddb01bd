"""What is found of a Docker Compose project, on what a host with two projects answered."""

import dataclasses

import pytest

from relogin.facts.compose_state import Volume
from relogin.facts.service_state import ServiceState
from relogin.operations import compose, volumes
from relogin.operations.compose_service import NEEDED_SERVICE_DOWN
from tests.operations.composed import BACKEND, healthy, observed, of_container, of_project

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


def found(state: ServiceState) -> list[str]:
    return [one.fault for fault in FAULTS for one in fault.found(BACKEND, observed(state))]


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
        (lambda: of_container(image="sha256:0123"), "service.image-older"),
        (lambda: of_container(health="unhealthy"), "service.unhealthy"),
        (
            lambda: of_container(
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
        (lambda: of_project(engine_error="Cannot connect"), "service.engine-down"),
        (lambda: of_project(config_error="yaml: line 3"), "service.compose-files-refused"),
        (lambda: of_project(volumes=()), "volumes.missing"),
        (
            lambda: of_project(volumes=(Volume("old_pgdata", "old", "pgdata"),)),
            "volumes.project-name-changed",
        ),
        (
            lambda: of_project(
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

    state = of_project(volumes=(other,))

    assert ["volumes.missing"] == found(state)


def test_nothing_is_said_of_volumes_while_the_files_cannot_be_read():
    assert ["service.compose-files-refused"] == found(
        of_project(config=None, config_error="yaml: line 3", volumes=())
    )


def test_no_value_of_the_environment_is_shown():
    state = healthy()
    secret = state.environ["ADMIN_PRIVATE_KEY"]

    assert secret not in str(state.to_json())
    assert secret not in repr(state)
