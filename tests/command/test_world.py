"""The command on a whole backend: PostgreSQL, FastAPI and supervisord, broken in every layer."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from relogin.report.files import schema
from tests.command.folder import BIN
from tests.embedded.damage import BREAKS
from tests.embedded.demo import _environment
from tests.embedded.wheelhouse import REPOSITORY
from tests.embedded.world import World

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as made:
        yield made


def ran(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "relogin", *words], cwd=REPOSITORY, env={**os.environ, **_environment(world)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def told(world: World, command: str, code: int) -> dict[str, list[dict[str, str]]]:
    done = ran(world, command, "inventories/demo.py", "--json")
    assert code == done.returncode, done.stderr
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert [] == [one for one in secrets(world) if one in done.stdout + done.stderr]
    return dict(document["hosts"][0]["backends"][0])


def secrets(world: World) -> list[str]:
    """What nobody may read anywhere: passwords, the code, and what the env file has now."""
    values = [line.partition("=")[2] for line in world.env_file.read_text().splitlines()]
    found = [world.password.read_text(), world.access_code.read_text()]
    return [one for one in (*values, *found) if len(one) > 20 or one in found]


def test_a_backend_broken_in_every_layer_is_told_mended_proven_and_then_left_alone(world) -> None:
    assert [] == told(world, "diagnose", 0)["findings"]
    for damage in BREAKS:
        damage(world)
    found = [one["fault"] for one in told(world, "diagnose", 3)["findings"] if one["leads"]]
    assert {"venv", "jwt", "postgres", "accounts"} <= {one.partition(".")[0] for one in found}
    mended = told(world, "restore", 0)
    assert {"mended"} == {one["state"] for one in mended["findings"] if one["fault"] in found}
    assert (200, 200) == world.login()
    again = told(world, "restore", 0)
    assert ([], []) == (again["findings"], again["changes"])


def test_its_history_holds_no_secret_and_says_what_was_done(world: World) -> None:
    folder = world.folder / "state/relogin"
    files = [path for path in folder.glob("*") if path.is_file()]
    assert Path(folder / "history.sqlite") in files
    known = [secret.encode() for secret in secrets(world)]
    assert [] == [path for path in files for one in known if one in path.read_bytes()]
    text = ran(world, "history").stdout
    changed = text.partition("When it last changed\n")[2].partition("\n\n")[0]
    assert "pip install" in changed
    assert "SECRET_KEY" in changed


def test_its_report_tells_the_whole_chain_and_holds_no_secret(world: World) -> None:
    """The last run but one is that which mended all."""
    run = json.loads(ran(world, "history", "--json").stdout)["results"][1]["run"]
    file = world.folder / "it.html"
    done = ran(world, "report", run, "--html", str(file), "--markdown")
    assert (0, "") == (done.returncode, done.stderr)
    for text in (done.stdout, file.read_text()):
        assert [] == [one for one in secrets(world) if one in text]
        chain = ("People can log in again", "What was wrong first", "pip install", "Proof", "HS256")
        places = [text.index(word) for word in (*chain, "Transcript of")]
        assert places == sorted(places)


SECOND = """
ALTER TABLE users DROP CONSTRAINT users_username_key;
INSERT INTO users (username, email, hashed_password, is_active, is_admin)
 SELECT username, 'second@example.com', hashed_password, is_active, is_admin FROM users
 WHERE username = 'ops'
"""
NO_SECOND = """
DELETE FROM users WHERE email = 'second@example.com';
ALTER TABLE users ADD CONSTRAINT users_username_key UNIQUE (username)
"""


def test_several_accounts_that_may_be_the_declared_one_are_4_and_none_is_touched(world) -> None:
    world.database.sql(SECOND, "halext_org")
    before = world.database.sql("SELECT xmin, * FROM users ORDER BY id", "halext_org")
    try:
        found = told(world, "restore", 4)
        after = world.database.sql("SELECT xmin, * FROM users ORDER BY id", "halext_org")
    finally:
        world.database.sql(NO_SECOND, "halext_org")
    left = [one["fault"] for one in found["findings"] if one["state"] == "left"]
    assert ("refused", True) == (found["outcome"], "accounts.ambiguous" in left)
    assert before == after
    assert [] == told(world, "diagnose", 0)["findings"]


def test_a_password_that_somebody_changed_is_reported_on_a_schedule_and_stays(world) -> None:
    before = world.database.sql("SELECT hashed_password FROM users ORDER BY id", "halext_org")
    world.password.write_text("another one that is declared now")
    found = told(world, "drift", 3)
    differs = [one for one in found["findings"] if one["fault"] == "accounts.password-differs"]
    assert ["left"] == [one["state"] for one in differs]
    assert "only reported" in differs[0]["held"]
    after = world.database.sql("SELECT hashed_password FROM users ORDER BY id", "halext_org")
    assert (before, []) == (after, found["changes"])
