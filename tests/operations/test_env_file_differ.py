"""A key with different values in two env files of a Docker Compose project."""

import dataclasses
from pathlib import Path

import pytest

from relogin import Backend, Compose, EnvFile, FromEnv, Jwt, Secret, Systemd
from relogin.facts import env_file as fact
from relogin.facts.observation import Observation
from relogin.finding import Unreadable
from relogin.operations.env_file_differ import FILES_DIFFER
from tests.facts.answers import run
from tests.operations.composed import healthy, observed, of_project
from tests.operations.looks import carried_out


@pytest.fixture
def folder(tmp_path: Path, undo: Path) -> Path:
    (tmp_path / "infra").mkdir()
    return tmp_path


def described(folder, *, runtime=None, **keys):
    compose = Compose(str(folder), "backend", files=["infra/docker-compose.yml"])
    return Backend(
        "agentcaller",
        service=runtime or compose,
        env_file=[
            EnvFile(f"{folder}/.env", keys={"SECRET_KEY": Secret.kept()}),
            EnvFile(f"{folder}/infra/.env", keys=keys),
        ],
        token=Jwt(secret=FromEnv("SECRET_KEY")),
    )


def seen(backend, **service):
    states = [fact.parse(each.path, run(fact.script(each.path))) for each in backend.env_files]
    return Observation(
        machine=Unreadable("not asked"), env_files=tuple(states), service=service.get("state")
    )


def written(folder, outer, inner):
    (folder / ".env").write_text(outer)
    (folder / "infra/.env").write_text(inner)


def test_a_declared_value_is_written_to_the_file_that_has_another(folder):
    written(folder, "SECRET_KEY=x\nPOSTGRES_DB=agentcaler\n", "POSTGRES_DB=agentcaller\n")
    backend = described(folder, POSTGRES_DB="agentcaller")
    [finding] = FILES_DIFFER.found(backend, seen(backend))
    for change in FILES_DIFFER.fix(backend, seen(backend), finding):
        assert 0 == carried_out(change).status

    assert (False, True) == (finding.by_person, finding.critical)
    assert "SECRET_KEY=x\nPOSTGRES_DB=agentcaller\n" == (folder / ".env").read_text()
    assert "POSTGRES_DB=agentcaller\n" == (folder / "infra/.env").read_text()
    assert () == FILES_DIFFER.found(backend, seen(backend))


def test_of_what_is_not_declared_a_person_decides_and_sees_which_one_is_in_force(folder):
    written(folder, "SECRET_KEY=canary-of-the-container\n", "SECRET_KEY=canary-of-another\n")
    backend = described(folder)
    state = dataclasses.replace(healthy(), environ={"SECRET_KEY": "canary-of-the-container"})
    [finding] = FILES_DIFFER.found(backend, seen(backend, state=state))

    assert (True, False) == (finding.by_person, finding.critical)
    assert finding.seen.endswith(f"the container runs on that of {folder}/.env")
    assert "canary" not in str(finding)


def test_a_jwt_secret_is_never_the_one_that_is_written_over(folder):
    written(folder, "SECRET_KEY=of-today\n", "SECRET_KEY=of-yesterday\n")
    backend = described(folder, SECRET_KEY=Secret.seen("of-today-declared"))
    [finding] = FILES_DIFFER.found(backend, seen(backend))

    assert finding.by_person


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("SECRET_KEY=same\n", "SECRET_KEY=same\n"),
        ("SECRET_KEY=x\n", "OTHER=y\n"),
        ("SECRET_KEY=x\n", "SECRET_KEY=\n"),
    ],
)
def test_files_that_agree_or_share_no_value_give_no_finding(folder, outer, inner):
    written(folder, outer, inner)
    backend = described(folder)

    assert () == FILES_DIFFER.found(backend, seen(backend))


def test_of_systemd_the_last_file_wins_and_that_is_no_fault(folder):
    written(folder, "SECRET_KEY=x\n", "SECRET_KEY=y\n")
    backend = described(folder, runtime=Systemd("agentcaller"))

    assert () == FILES_DIFFER.found(backend, seen(backend))


def test_the_value_in_force_is_the_one_that_compose_gives_its_container(folder):
    written(folder, "SECRET_KEY=of-the-files\n", "SECRET_KEY=of-another\nPOSTGRES_DB=agentcaller\n")
    backend = described(folder)
    declared = {"services": {"app": {"environment": {"SECRET_KEY": "of$$compose", "EMPTY": ""}}}}
    look = dataclasses.replace(seen(backend), service=of_project(config=declared))

    assert "of$compose" == look.env("SECRET_KEY")
    assert "agentcaller" == look.env("POSTGRES_DB")
    assert observed(of_project(config=None)).env("SECRET_KEY") is None
