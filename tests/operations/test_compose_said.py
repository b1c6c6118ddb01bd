"""What Docker and Compose say of a project is evidence, without the secrets that they print."""

import base64
import dataclasses
import json

import pytest

from relogin.facts import alone, service
from relogin.facts.compose import ComposeProject
from relogin.facts.compose_script import script
from relogin.facts.postgres_state import Server, Target
from relogin.facts.service_state import ServiceState
from relogin.operations import postgres
from relogin.operations.compose import UNHEALTHY
from relogin.operations.compose_service import NEEDED_SERVICE_DOWN
from relogin.remote import Answer
from tests.lab.compose import canaries
from tests.operations import sick
from tests.operations.composed import BACKEND, RECORDED, healthy, observed, of_project


def answering(**parts: tuple[str, int]) -> ServiceState:
    """Give the state by the recorded answer, with other texts and statuses of some parts."""
    lines = [
        line for line in RECORDED.read_text().splitlines() if line.partition("\t")[0] not in parts
    ]
    for name, (text, status) in parts.items():
        body = base64.b64encode(f"{text}\n#rc={status}".encode()).decode()
        lines.append(f"{name}\t{body}")
    state = service.parse(Answer("\n".join(lines).encode(), 0))
    assert isinstance(state, ServiceState)
    return state


WARNED = 'time="x" level=warning msg="The \\"hunter2\\" variable is not set."'


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (
            f'{WARNED}\nfailed to read /a/.env: line 3: unterminated quoted value "hunter2',
            "failed to read /a/.env: line 3: unterminated quoted value ***",
        ),
        ("validating x.yml:\nservices.a is invalid", "validating x.yml: services.a is invalid"),
        (WARNED, "status 15"),
    ],
)
def test_why_the_files_are_refused_is_said_without_the_values_that_compose_prints(said, error):
    assert error == answering(show=(said, 15)).project.config_error


def with_redis(log="", **fields):
    """Give the state of a host whose redis is so, as the host tells it."""
    rows = [json.loads(line) for line in CONTAINERS if line.startswith("{")]
    rows = [{**row, **(fields if row["service"] == "redis" else {})} for row in rows]
    return answering(containers=("\n".join([*map(json.dumps, rows), *log.splitlines()]), 0))


CONTAINERS = alone.answers(RECORDED.read_text().splitlines())["containers"].lines
DOWN = {"state": "exited", "exit": 1}


@pytest.mark.parametrize(
    ("fields", "log", "said"),
    [
        (DOWN, "redis Fatal error: no such file\nredis ", "exited (status 1); its log ends: Fatal"),
        (DOWN, "", "exited (status 1)"),
        (
            {"state": "restarting", "exit": 3, "restarts": 9},
            "redis a\nredis out of memory\npostgres b",
            "restarting (status 3, restarted 9 times); its log ends: out of memory",
        ),
        (
            {**DOWN, "error": "no space left on device"},
            "",
            "no space left on device (status 1)",
        ),
        ({"state": "paused"}, "", "paused"),
    ],
)
def test_a_needed_service_that_is_down_says_how_it_ended(fields, log, said):
    [finding] = NEEDED_SERVICE_DOWN.found(BACKEND, observed(with_redis(log, **fields)))

    assert said == finding.seen[: len(said)]


@pytest.mark.parametrize(
    ("health", "named"),
    [("unhealthy", [("redis", False, "no PONG")]), ("starting", []), ("healthy", [])],
)
def test_a_needed_service_whose_check_fails_is_a_warning(health, named):
    state = with_redis(health=health, said="no PONG")

    assert named == [
        (one.subject, one.critical, one.seen) for one in UNHEALTHY.found(BACKEND, observed(state))
    ]


def test_what_another_service_says_last_holds_no_secret():
    secret = healthy().environ["POSTGRES_PASSWORD"]
    state = with_redis(f"redis cannot log in with {secret}", **DOWN)

    assert ("cannot log in with ***",) == state.project.container("redis").log


def test_the_database_s_container_says_why_postgresql_does_not_answer():
    target = Target("receptionist", "receptionist", 5432, "postgres")
    containers = tuple(
        dataclasses.replace(one, state="exited", exit_status=1, log=("PANIC: could not write",))
        for one in healthy().project.containers
        if one.service == "postgres"
    )
    seen = observed(of_project(containers=containers), postgres=Server(target, down=True))
    [finding] = postgres.SERVER_DOWN.found(sick.described("receptionist"), seen)

    assert "postgres: exited (status 1); its log ends: PANIC: could not write" == finding.seen


def test_alone_the_fact_asks_for_no_value_of_an_environment():
    asked = [ComposeProject().command("/opt/a", "app"), script(BACKEND.service)]
    alone_, in_the_look = (f"{one}" for one in asked)

    assert "return 3; [ -n" in alone_
    assert "return 3; [ -n" not in in_the_look
    assert ".Output" in in_the_look
    assert ".Output" not in alone_


@pytest.mark.parametrize(
    ("line", "leading"),
    [
        (b'WEBHOOK="https://x', "env_file.unparsable-line"),
        (b"WEB;HOOK=https://x", "service.compose-files-refused"),
    ],
    ids=["an open quote", "what only Compose minds"],
)
def test_of_a_line_that_compose_does_not_take_no_key_is_missing_though_it_reads_none(
    monkeypatch, line, leading
):
    monkeypatch.setenv("AGENTCALLER_ADMIN_PASSWORD", canaries.ADMIN_PASSWORD)
    answers = sick.recorded("healthy", "agentcaller")
    whole = answers["env_0"].text
    assert b"|82|" in whole  # its size
    longer = whole.replace(b"|82|", b"|%d|" % (83 + len(line))) + line + b"\n"
    answers["env_0"] = dataclasses.replace(answers["env_0"], text=longer)
    said = b"failed to read /opt/agentcaller/.env: line 3: it is not taken\n"
    answers["service.show"] = Answer(said, 15)
    leads, follows = sick.judged(sick.described("agentcaller"), answers)

    assert leading == leads[0].fault
    assert [] == [one.fault for one in (*leads, *follows) if "missing" in one.fault]
    assert leading != "env_file.unparsable-line" or "it hides SECRET_KEY" in leads[0].seen
