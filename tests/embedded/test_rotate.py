"""Secrets of a real backend are rotated: PostgreSQL, FastAPI, supervisord, one command each."""

import hashlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.embedded import login as client
from tests.embedded.demo import _environment
from tests.embedded.rotations import (
    PYINFRA,
    enters,
    kept,
    not_rotated_yet,
    opens,
    others,
    password,
    rotate,
    token,
    values,
    verdict,
)
from tests.embedded.wheelhouse import REPOSITORY
from tests.embedded.world import World
from tests.lab.steps import sample, stepping

__all__ = ["not_rotated_yet"]
pytestmark = pytest.mark.embedded

SEVERAL = """\
import dataclasses as _dataclasses
import runpy as _runpy

from relogin import FromEnv as _FromEnv

_demo = _runpy.run_path("inventories/demo.py")["hosts"][0][1]["halext"]
_file = _demo.env_files[0]
_keys = {**_file.keys, "FORMER_KEYS": ""}
_token = _dataclasses.replace(_demo.token, former=_FromEnv("FORMER_KEYS"))
_several = _dataclasses.replace(
    _demo, env_file=_dataclasses.replace(_file, keys=_keys), token=_token
)
hosts = [("@local", {"halext": _several})]
"""
# What a backend does that checks tokens by several keys (PyJWT takes one at a time).
BY_SEVERAL = """
_decode = jwt.decode


def _by_several(token, key, **how):
    for one in [key, *filter(None, os.getenv("FORMER_KEYS", "").split(","))]:
        try:
            return _decode(token, one, **how)
        except jwt.InvalidSignatureError as error:
            last = error
    raise last


jwt.decode = _by_several
"""


def test_without_a_confirmation_it_says_what_it_means_and_changes_nothing(world: World) -> None:
    before, bearer = world.env_file.read_bytes(), token(world)
    others = ("elsewhere/SECRET_KEY", "@local/ACCESS_CODE", "@local/SECRET_KEY/2")
    for given in ("", *sample(others, 1)):
        done = rotate(world, "SECRET_KEY", given)
        assert 1 == done.returncode
        assert "SECRET_KEY of halext: the secret that signs the tokens" in verdict(done)
        assert "every session ends: those of 4 accounts" in verdict(done)
        assert "--data confirm=@local/SECRET_KEY" in verdict(done)
    assert before == world.env_file.read_bytes()
    assert 200 == opens(world, bearer)
    assert [] == [*world.folder.glob("state/relogin/halext/rotate/*")]


def test_the_secret_of_the_tokens_is_rotated_once_for_each_confirmation(world: World) -> None:
    former, rest, bearer = values(world)["SECRET_KEY"], others(world, "SECRET_KEY"), token(world)
    done = rotate(world, "SECRET_KEY", "@local/SECRET_KEY")
    assert 0 == done.returncode, done.stderr
    assert "SECRET_KEY is rotated, and people can log in" in verdict(done)
    assert "a token that the former secret signed (401" in verdict(done)
    new = values(world)["SECRET_KEY"]
    assert (True, 96) == (new != former, len(new))
    assert rest == others(world, "SECRET_KEY")
    assert (401, (200, 200)) == (opens(world, bearer), world.login())

    again = rotate(world, "SECRET_KEY", "@local/SECRET_KEY")

    assert 0 == again.returncode, again.stderr
    assert (
        "SECRET_KEY is rotated already, and people can log in; nothing was changed" in again.stderr
    )
    assert new == values(world)["SECRET_KEY"]
    second = rotate(world, "SECRET_KEY", "@local/SECRET_KEY/2")
    assert 0 == second.returncode, second.stderr
    assert new != values(world)["SECRET_KEY"]


def test_what_was_there_is_kept_for_root_and_comes_back_by_undo(world: World) -> None:
    before, bearer = world.env_file.read_bytes(), token(world)
    done = rotate(world, "SECRET_KEY", "@local/SECRET_KEY")
    run = re.search(r"deploys/undo.py --data run=(\S+)", verdict(done))
    assert run is not None, done.stderr
    kept = [*world.folder.glob("state/relogin/halext/undo/*/*/former")]
    assert kept
    assert {0o600} == {path.stat().st_mode & 0o777 for path in kept}
    rotations = [*world.folder.rglob("state/relogin/halext/rotate/**/*")]
    assert [] == [one for one in rotations if one.stat().st_mode & 0o077]
    undone = subprocess.run(
        [*PYINFRA, "-y", "inventories/demo.py", "deploys/undo.py", "--data", f"run={run[1]}"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, **_environment(world), "NO_COLOR": "1"},
    )  # fmt: skip
    assert 0 == undone.returncode, undone.stderr
    assert before == world.env_file.read_bytes()
    world.service.control("restart", "halext")
    world._wait()
    assert 200 == opens(world, bearer)


def test_the_databases_password_is_rotated_in_role_and_file_and_no_token_is_lost(world) -> None:
    former, rest, bearer = password(world), others(world, "DATABASE_URL"), token(world)
    done = rotate(world, "DATABASE_URL", "@local/DATABASE_URL")
    assert 0 == done.returncode, done.stderr
    assert "role halext_user has the new password, and not the former one" in verdict(done)
    assert (False, True) == (enters(world, former), enters(world, password(world)))
    assert rest == others(world, "DATABASE_URL")
    assert (200, (200, 200)) == (opens(world, bearer), world.login())


def test_a_code_is_that_of_its_source_and_the_former_one_is_refused(world: World) -> None:
    former = world.access_code.read_text()
    same = rotate(world, "ACCESS_CODE", "@local/ACCESS_CODE")
    assert 1 == same.returncode
    assert "still has the value that is in force: set a new one there first" in verdict(same)
    world.access_code.write_text("canary-5f2e-new")

    done = rotate(world, "ACCESS_CODE", "@local/ACCESS_CODE")

    assert 0 == done.returncode, done.stderr
    assert "a login with the former ACCESS_CODE (403" in verdict(done)
    assert "canary-5f2e-new" == values(world)["ACCESS_CODE"]
    assert "canary-5f2e-new" not in done.stdout + done.stderr
    refused, _ = client.login(world.url, former, "ops", world.password.read_text())
    assert (403, (200, 200)) == (refused, world.login())


@pytest.mark.parametrize("key", sample(["SECRET_KEY", "DATABASE_URL"], 1))
def test_what_is_not_proven_is_taken_back_by_itself(world: World, key: str) -> None:
    """The backend starts with the former value alone."""
    before, bearer, own = world.env_file.read_bytes(), token(world), password(world)
    code = world.backend / "main.py"
    sound = code.read_text()
    known = hashlib.sha256(values(world)[key].encode()).hexdigest()
    code.write_text(
        f"{sound}\nimport hashlib\n"
        f"assert hashlib.sha256(os.environ[{key!r}].encode()).hexdigest() == {known!r}\n"
    )
    try:
        done = rotate(world, key, f"@local/{key}")
    finally:
        code.write_text(sound)
    assert 1 == done.returncode, done.stderr
    assert f"{key} is not rotated: the former value is back, and people can log in" in done.stderr
    [failed] = verdict(done).partition("  What failed\n    ")[2].splitlines()[:1]
    assert kept(world).startswith(failed)
    assert before == world.env_file.read_bytes()
    assert (200, (200, 200), True) == (opens(world, bearer), world.login(), enters(world, own))
    assert "under-way" not in {one.name for one in world.folder.rglob("rotate/*/*")}


def test_where_several_keys_are_checked_no_session_ends_and_a_later_run_takes_the_former_out(
    world: World, tmp_path: Path
) -> None:
    inventory = tmp_path / "several.py"
    inventory.write_text(SEVERAL)
    code = world.backend / "main.py"
    sound, before = code.read_text(), world.env_file.read_text()
    code.write_text(sound + BY_SEVERAL)
    world.env_file.write_text(f"{before}\nFORMER_KEYS=\n")
    world.service.control("restart", "halext")
    world._wait()
    former, bearer = values(world)["SECRET_KEY"], token(world)
    try:
        done = rotate(world, "SECRET_KEY", "@local/SECRET_KEY", inventory=str(inventory))
        assert 0 == done.returncode, done.stderr
        assert "no session ends" in rotate(world, "SECRET_KEY", inventory=str(inventory)).stderr
        assert former == values(world)["FORMER_KEYS"]
        assert (200, (200, 200)) == (opens(world, bearer), world.login())
        (retiring,) = world.folder.glob("state/relogin/halext/rotate/SECRET_KEY/retiring")
        until, _, rest = retiring.read_text().partition(" ")
        assert 1800 <= int(until) - time.time() + 300 < 2400  # the token's half hour, and leeway
        retiring.write_text(f"1 {rest}")  # as if that were over
        later = rotate(world, "SECRET_KEY", "@local/SECRET_KEY", inventory=str(inventory))
        assert 0 == later.returncode, later.stderr
        assert "the former SECRET_KEY is not accepted any more" in verdict(later)
        assert "" == values(world)["FORMER_KEYS"]
        assert (401, (200, 200)) == (opens(world, bearer), world.login())
    finally:
        code.write_text(sound)
        world.service.control("restart", "halext")
        world._wait()


REFUSED = {
    "NOSUCH": "NOSUCH is no secret of halext's env files; there is ACCESS_CODE, DATABASE_URL",
    "DEV_MODE": "DEV_MODE is no secret of halext's env files",
    "SECRET_KEI": "did you mean 'SECRET_KEY'?",
}


@pytest.mark.parametrize("key", sample(list(REFUSED), 1))
def test_what_is_no_secret_is_refused(world: World, key: str) -> None:
    done = rotate(world, key, f"@local/{key}")
    assert 1 == done.returncode
    assert REFUSED[key] in verdict(done)


def test_where_nobody_can_log_in_nothing_is_rotated(world: World) -> None:
    before = world.env_file.read_bytes()
    world.database.sql("UPDATE users SET is_active = false WHERE username = 'ops'", "halext_org")
    try:
        done = rotate(world, "SECRET_KEY", "@local/SECRET_KEY")
    finally:
        world.database.sql("UPDATE users SET is_active = true WHERE username = 'ops'", "halext_org")
    assert 1 == done.returncode
    assert "a new value could not be proven: restore access first" in verdict(done)
    assert before == world.env_file.read_bytes()


MOST = 7  # remote commands of a rotation: look, rotations, lease, begin, look, rotations, apply …
POINTS = [
    (key, moment, number)
    for key in ("SECRET_KEY", "DATABASE_URL")
    for number in range(3, MOST + 4)
    for moment in ("begin", "done")
]


@pytest.mark.parametrize(("key", "moment", "at"), sample(POINTS, 0))  # the lab has one of its own
def test_a_rotation_that_is_killed_is_finished_by_the_next_run(world, key, moment, at) -> None:
    former = values(world)[key]

    def act(name: str, number: int, what: str, pid: int) -> None:
        if (number, what) == (at, moment):
            os.kill(pid, signal.SIGKILL)

    with stepping(act) as steps:
        killed = rotate(world, key, f"@local/{key}", program=steps.program)
    assert killed.returncode in {-signal.SIGKILL, 0}, killed.stderr  # 0: it has fewer commands
    assert (200, 200) == world.login()
    done = rotate(world, key, f"@local/{key}")
    assert 0 == done.returncode, done.stderr
    assert former != values(world)[key]
    assert ((200, 200), True) == (world.login(), enters(world, password(world)))
    assert "under-way" not in {one.name for one in world.folder.rglob("rotate/*/*")}
    again = rotate(world, key, f"@local/{key}")
    assert "nothing was changed" in verdict(again), again.stderr
