"""What a person is told to paste: a shell takes it as it was meant, whatever the names are."""

import subprocess
from pathlib import Path

import pytest

from relogin import Compose, Supervisor, Systemd
from relogin.operations import by_hand

# A stand-in for docker: what it was given, and where it was asked, is all that counts here.
DOCKER = '#!/bin/sh\nprintf "%s\\n" "$PWD" "$@" >>"$TOLD"; echo >>"$TOLD"\n'


@pytest.fixture
def project(tmp_path: Path) -> Compose:
    folder = tmp_path / "it's here"
    folder.mkdir()
    files = {"files": ["infra/docker-compose.yml"], "env_files": ["infra/.env"]}
    return Compose(str(folder), "back end", project="of $HOME", **files)


def told(folder: Path, command: str) -> list[list[str]]:
    """Run a command in a shell; give each call of docker: its folder, and its words."""
    docker, noted = folder / "docker", folder / "told"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "TOLD": str(noted), "HOME": "/nowhere"}
    subprocess.run(["sh", "-c", command], check=True, cwd="/", env=environment)
    return [each.splitlines() for each in noted.read_text().split("\n\n")[:-1]]


FILES = ["--env-file", "infra/.env", "-f", "infra/docker-compose.yml", "-p", "of $HOME"]


def test_the_log_and_a_new_image_are_those_of_the_declared_files(project, tmp_path):
    calls = told(tmp_path, f"{by_hand.log(project)} && {by_hand.built(project)}")
    assert [
        [project.directory, "compose", *FILES, "logs", "--tail", "80", "back end"],
        [project.directory, "compose", *FILES, "build", "back end"],
        [project.directory, "compose", *FILES, "up", "-d", "--no-deps", "back end"],
    ] == calls


def test_another_projects_name_takes_the_place_of_the_declared_one(project, tmp_path):
    [call] = told(tmp_path, by_hand.in_folder(project, by_hand.compose(project, "ps", name="old")))
    assert [project.directory, "compose", *FILES[:-1], "old", "ps"] == call


def test_a_unit_and_a_program_have_their_own_logs():
    assert "journalctl -u halext-api -n 80" == by_hand.log(Systemd("halext-api"))
    program = Supervisor("api", config="/etc/super visor.conf")
    assert "supervisorctl -c '/etc/super visor.conf' tail api" == by_hand.log(program)
