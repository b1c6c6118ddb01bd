"""A backend under supervisord, from PyPI, healed by the command that a user runs."""

import os
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.embedded.demo import RESTORE, _environment, _pyinfra
from tests.embedded.wheelhouse import REPOSITORY
from tests.embedded.world import World

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as made:
        yield made


def restored(world: World) -> tuple[int, str]:
    done = subprocess.run(
        [*_pyinfra(), *RESTORE], cwd=REPOSITORY, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, env={**os.environ, **_environment(world), "NO_COLOR": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def until(world: World, word: str) -> None:
    deadline = time.monotonic() + 60
    while word not in world.service.control("status") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert word in world.service.control("status")


def test_what_is_healthy_has_no_findings(world: World) -> None:
    code, output = restored(world)
    assert 0 == code, output
    assert "What was wrong first" not in output
    assert "people can log in; nothing was changed" in output


def test_a_section_that_was_not_taken_over_is(world: World) -> None:
    text = world.service.config.read_text()
    world.service.config.write_text(text.replace("startretries=1", "startretries=2"))
    before = world.service.pid()

    code, output = restored(world)

    assert 0 == code, output
    first = output.partition("What was wrong first\n")[2].split("\n")[0]
    assert first.endswith("service.configuration-not-applied")
    assert world.service.pid() not in {0, before}
    assert (200, 200) == world.login()
    assert "nothing was changed" in restored(world)[1]


def test_what_supervisord_gave_up_follows_from_what_it_lacks(world: World) -> None:
    world.run(["-m", "pip", "-qq", "uninstall", "--yes", "python-multipart"])
    world.service.control("restart", world.service.name)
    until(world, "FATAL")

    code, output = restored(world)

    assert 0 == code, output
    first = output.partition("What was wrong first\n")[2].split("\n")[0]
    assert first.endswith("venv.requirement-missing")
    followed = output.partition("What followed from it\n")[2]
    assert "service.fatal" in followed.partition("What was done")[0]
    assert (200, 200) == world.login()


def test_a_file_that_is_refused_is_a_warning_for_supervisord_goes_by_what_it_has_read(
    world: World,
) -> None:
    text = world.service.config.read_text()
    world.service.config.write_text(text.replace("startsecs=2", "startsecs=two"))
    world.service.control("stop", world.service.name)

    code, output = restored(world)

    world.service.config.write_text(text)
    assert 0 == code, output
    assert "! halext has a setting that supervisord refuses  service.bad-setting" in output
    assert "service.crash-looping" not in output
    assert (200, 200) == world.login()
