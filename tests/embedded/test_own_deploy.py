"""A user's own deploy that does something before it has the login restored."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.embedded.demo import _environment, _pyinfra
from tests.embedded.wheelhouse import REPOSITORY
from tests.embedded.world import World

pytestmark = pytest.mark.embedded

DEPLOY = """\
from pyinfra.operations import server

from relogin.deploys.restore_access import restore_access

server.shell(name="break it", commands=["chmod 644 {env}"])
restore_access()
"""


def test_what_ran_before_the_restore_is_seen_by_it(tmp_path: Path) -> None:
    """With -y pyinfra reads the whole deploy before it runs anything of it."""
    deploy = tmp_path / "deploy.py"
    with World() as world:
        deploy.write_text(DEPLOY.format(env=world.env_file))
        done = subprocess.run(
            [*_pyinfra(), "-y", "inventories/demo.py", str(deploy)],
            cwd=REPOSITORY, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, **_environment(world), "NO_COLOR": "1"},
        )  # fmt: skip
        output = done.stdout + done.stderr
        assert 0 == done.returncode, output
        assert "env_file.readable-by-others" in output
        assert 0 == world.env_file.stat().st_mode & 0o007
