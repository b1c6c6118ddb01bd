"""A rotation as a person runs it, on the backend of the demo, and what a secret still opens."""

import os
import subprocess
import sys
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.embedded import login as client
from tests.embedded.demo import _environment
from tests.embedded.wheelhouse import REPOSITORY
from tests.embedded.world import World
from tests.outputs import why_stopped

PYINFRA = (str(Path(sys.executable).with_name("pyinfra")),)


@pytest.fixture(autouse=True)
def not_rotated_yet(world: World) -> None:
    """Each test is the first one: what rotations have left is forgotten."""
    for folder in world.folder.glob("state/relogin/halext/rotate"):
        folder.rename(folder.with_name(f"rotate-{os.urandom(4).hex()}"))


def rotate(
    world: World,
    key: str,
    confirm: str = "",
    *,
    inventory: str = "inventories/demo.py",
    program: Sequence[str] = PYINFRA,
) -> "subprocess.CompletedProcess[str]":
    confirmed = ["--data", f"confirm={confirm}"] if confirm else []
    before = secrets(world)
    done = subprocess.run(
        [*program, "-y", inventory, "deploys/rotate_secret.py", "--data", f"key={key}", *confirmed],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, **_environment(world), "NO_COLOR": "1"}, timeout=300,
    )  # fmt: skip
    known = {*before, *secrets(world)}
    assert [] == [one for one in known if one in done.stdout + done.stderr]
    assert "Traceback" not in done.stderr
    return done


def verdict(done: "subprocess.CompletedProcess[str]") -> str:
    return done.stderr.partition("─" * 78)[2]


def kept(world: World) -> str:
    """Give what is kept of the last run: why it stopped."""
    return why_stopped(world.folder / "state")


def values(world: World) -> dict[str, str]:
    lines = (line.partition("=") for line in world.env_file.read_text().splitlines())
    return {key: value for key, _, value in lines if key.isidentifier()}


def secrets(world: World) -> set[str]:
    known = values(world)
    password = urllib.parse.urlsplit(known["DATABASE_URL"]).password or ""
    return {password, known["SECRET_KEY"], known["ACCESS_CODE"], world.password.read_text()}


def token(world: World) -> str:
    form = {"username": "ops", "password": world.password.read_text()}
    code = {"X-Halext-Code": values(world)["ACCESS_CODE"]}
    status, body = client.request(f"{world.url}/token", code, form)
    assert 200 == status, body
    return body.partition('"access_token":"')[2].partition('"')[0]


def opens(world: World, bearer: str) -> int:
    return client.request(f"{world.url}/users/me", {"Authorization": f"Bearer {bearer}"})[0]


def others(world: World, key: str) -> list[str]:
    """Give the env file's lines but the key's."""
    lines = world.env_file.read_text().splitlines()
    return [line for line in lines if not line.startswith(f"{key}=")]


def enters(world: World, password: str) -> bool:
    psql = [world.database.bin / "psql", "-Xwqt", "-h", "127.0.0.1", "-U", "halext_user"]
    done = subprocess.run(
        [*psql, "-p", str(world.database.port), "-d", "halext_org", "-c", "select 1"],
        env={"PATH": os.defpath, "PGPASSWORD": password}, capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def password(world: World) -> str:
    return urllib.parse.urlsplit(values(world)["DATABASE_URL"]).password or ""
