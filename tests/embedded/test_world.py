"""The embedded backend is sound before anything is broken, and keeps its secrets to itself."""

import subprocess

import pytest

from tests.embedded.damage import BREAKS, bystanders, traces
from tests.embedded.login import login
from tests.embedded.world import World

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def world():
    with World() as running:
        yield running


def test_the_declared_account_logs_in(world):
    assert world.login() == (200, 200)


def test_a_wrong_password_is_refused(world):
    assert login(world.url, world.access_code.read_text(), "ops", "wrong") == (401, 401)


def test_curl_and_urllib_see_the_same(world, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert world.login() == (200, 200)


def test_the_database_wants_a_password_on_tcp(world):
    asked = subprocess.run(
        [world.database.bin / "psql", "-X", "-w", "-h", "127.0.0.1", "-c", "SELECT 1",
         "-p", str(world.database.port), "-U", "halext_user", "halext_org"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == 2
    assert "no password supplied" in asked.stderr


def test_files_with_secrets_are_private(world):
    secret = [world.env_file, world.access_code, world.password]
    assert {path.stat().st_mode & 0o777 for path in secret} == {0o600}


def test_a_look_around_changes_nothing(world):
    first = (bystanders(world), traces(world))
    assert (bystanders(world), traces(world)) == first


def test_the_same_value_written_again_leaves_a_trace(world):
    before = traces(world)
    world.env_file.write_bytes(world.env_file.read_bytes())
    world.database.sql(
        "UPDATE users SET is_active = is_active WHERE username = 'bob'", "halext_org"
    )
    after = traces(world)
    assert (after.files != before.files, after.rows != before.rows) == (True, True)


def test_every_damage_is_seen_and_nobody_logs_in(world):
    """Last: the world stays broken."""
    before = bystanders(world)
    for damage in BREAKS:
        was = traces(world)
        damage(world)
        assert traces(world) != was, damage.__name__
    assert world.login()[0] == 0
    assert bystanders(world) == before
