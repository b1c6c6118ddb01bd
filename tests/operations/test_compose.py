"""What is found of a Docker Compose project, on what a host with two projects answered."""

import base64
import dataclasses

import pytest

from relogin import Login
from relogin.facts import compose as compose_facts
from relogin.facts import service
from relogin.facts.compose_state import Volume
from relogin.facts.proof import Check, Proof
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.operations import compose, compose_ports, service_down, volumes
from relogin.operations.compose_service import NEEDED_SERVICE_DOWN
from relogin.operations.login_health import HEALTHY_BUT_DEAD
from relogin.remote import Answer
from tests.operations.composed import (
    BACKEND,
    RECORDED,
    healthy,
    observed,
    of_container,
    of_project,
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
    service_down.STOPPED,
    service_down.FAILED,
    service_down.CRASH_LOOPING,
    compose_ports.PORT_ELSEWHERE,
    compose_ports.PORT_PUBLIC,
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


def test_the_way_back_to_the_volumes_of_before_has_the_declared_files():
    seen = observed(of_project(volumes=(Volume("old_pgdata", "old", "pgdata"),)))
    [finding] = [one for fault in FAULTS for one in fault.found(BACKEND, seen)]
    assert f"cd {BACKEND.service.directory} && docker compose " in finding.remedy
    options = " ".join(BACKEND.service.options)
    assert f"docker compose {options} -p old up -d; then" in finding.remedy.replace("  ", " ")


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


def ports(*published: tuple[str, int]):
    """Give the healthy container's ports as published on these addresses and ports."""
    own = healthy().project.container("app").ports[0]
    return tuple(
        dataclasses.replace(own, address=address, outside=outside) for address, outside in published
    )


def with_login(state, port=8002):
    login = Login(f"http://127.0.0.1:{port}/api/auth/login", account="owner@example.com")
    backend = dataclasses.replace(BACKEND, login=login)
    return [
        (one.fault, one.by_person)
        for fault in FAULTS
        for one in fault.found(backend, observed(state))
    ]


def test_a_port_that_the_files_have_and_the_container_does_not_is_published_by_making_it_anew():
    state = of_container(ports=ports(("127.0.0.1", 9002)))

    assert [("service.port-elsewhere", False)] == with_login(state)


def test_a_port_that_the_files_do_not_have_either_is_a_person_s():
    state = of_container(ports=ports(("127.0.0.1", 9002)))
    declared = {"services": {"app": {"ports": [{"target": 8002, "published": "9002"}]}}}
    project = dataclasses.replace(state.project, config=declared)

    assert [("service.port-elsewhere", True)] == with_login(
        dataclasses.replace(state, project=project)
    )


def test_a_login_behind_a_proxy_is_not_looked_for_at_the_container_s_port():
    assert [] == with_login(healthy(), port=80)


def rerun(**fields):
    """Give the state that the service's container with these fields makes up."""
    state = of_container(**fields)
    return compose_facts._as_it_runs(healthy(), state.project.container("app"))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"state": "exited", "exit_status": 0}, "service.stopped"),
        ({"state": "exited", "exit_status": 143}, "service.stopped"),
        ({"state": "exited", "exit_status": 1}, "service.failed"),
        ({"state": "exited", "exit_status": 137, "out_of_memory": True}, "service.failed"),
        ({"state": "restarting", "exit_status": 3, "restarts": 5}, "service.crash-looping"),
    ],
)
def test_a_container_that_does_not_run_is_told_by_how_it_ended(fields, fault):
    assert [fault] == found(rerun(**fields))


def test_a_crash_loop_is_laid_to_docker_which_restarts_it():
    state = rerun(state="restarting", exit_status=3, restarts=5)
    [finding] = service_down.CRASH_LOOPING.found(BACKEND, observed(state))

    assert "restarted 5 times by Docker" in finding.seen


def answered(**statuses: int) -> Answer:
    """Give the recorded answer with other exit statuses of its parts, which then said nothing."""
    lines = []
    for line in RECORDED.read_text().splitlines():
        name, tab, _ = line.partition("\t")
        cut = base64.b64encode(f"\n#rc={statuses.get(name)}".encode()).decode()
        lines.append(f"{name}\t{cut}" if tab and name in statuses else line)
    return Answer("\n".join(lines).encode(), 0)


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("containers", 124, "Docker did not say which containers the project has"),
        ("containers", 1, "Docker did not say which containers the project has"),
        ("volumes", 124, "Docker did not say which volumes the project has"),
        ("show", 124, "Docker did not say which files the project has"),
    ],
)
def test_what_a_busy_engine_did_not_say_is_not_taken_for_what_is_not_there(name, status, reason):
    """Else every container would be made, and every volume be missed, while it is busy."""
    assert Unreadable(reason) == service.parse(answered(**{name: status}))


def proof(*, works: bool) -> Proof:
    check = Check("login", works, "POST /api/auth/login: answered 500")
    return Proof("owner@example.com", "http://127.0.0.1:8002/api/auth/login", (check,), 500)


@pytest.mark.parametrize(
    ("state", "works", "named"),
    [
        (healthy(), False, ["login.healthy-but-dead"]),
        (healthy(), True, []),
        (of_container(health="unhealthy"), False, []),
        (of_container(state="exited"), False, []),
        (of_container(health=""), False, []),
    ],
    ids=["dead", "alive", "unhealthy", "stopped", "without a check"],
)
def test_a_container_that_is_healthy_while_nobody_can_log_in_is_said(state, works, named):
    seen = observed(state, login=proof(works=works))

    assert named == [one.fault for one in HEALTHY_BUT_DEAD.found(BACKEND, seen)]


def with_key(name: str, **fields: object) -> list[str]:
    """Give what is said of a container that has a key more than its files give."""
    state = of_project(**{"built_in": {"PYTHONPATH": "/app", "LANG": "C"}, **fields})
    environ = {**(state.environ or {}), name: "of-yesterday"}
    seen = observed(dataclasses.replace(state, environ=environ))
    return [one.seen for one in compose.ENVIRONMENT_OLDER.found(BACKEND, seen)]


def services(**app: object) -> dict[str, object]:
    """Give the healthy project's files with more of the backend's service."""
    config = healthy().project.config
    own = {**config["services"]["app"], **app}
    return {**config, "services": {**config["services"], "app": own}}


def test_a_key_that_the_container_still_has_and_its_env_file_no_more_is_found():
    """The image's own PYTHONPATH is none; one that it has with another value was set over it."""
    assert ["it still has WEBHOOK_URL, which they give no more"] == with_key("WEBHOOK_URL")
    assert ["it still has LANG, which they give no more"] == with_key("LANG")


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "no_proxy", "HOSTNAME", "container"])
def test_what_compose_or_the_engine_sets_by_itself_is_no_key_of_an_env_file(name):
    assert [] == with_key(name)


def test_a_key_that_the_files_hand_on_from_whoever_calls_compose_is_none_either():
    environment = {**healthy().project.environment("app"), "RELEASE": None}
    assert [] == with_key("RELEASE", config=services(environment=environment))


def test_nothing_is_said_of_a_key_where_it_cannot_be_known_who_set_it():
    assert [] == with_key("LLM_URL", built_in=None)
    assert [] == with_key("LLM_URL", config=services(models={"llm": {}}))
