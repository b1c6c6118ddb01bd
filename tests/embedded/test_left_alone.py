"""What somebody has disabled, or another run is changing, no run of any deploy changes."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.embedded.damage import traces
from tests.embedded.demo import _environment
from tests.embedded.rotations import not_rotated_yet
from tests.embedded.wheelhouse import REPOSITORY
from tests.embedded.world import World
from tests.lab.steps import sample, stepping

__all__ = ["not_rotated_yet"]
pytestmark = pytest.mark.embedded

BIN = Path(sys.executable).parent
PYINFRA = (str(BIN / "pyinfra"),)
WHY = "the database is being moved; ask Ada"
CHANGING = {
    "restore_access": (),
    "undo": (),
    "backup": (),
    "restore_backup": ("again=true",),
    "rotate_secret": ("key=SECRET_KEY", "confirm=@local/SECRET_KEY"),
    "check_database": ("repair=true",),
}
READING = {"diagnose": (), "check_database": (), "probe_api": ()}
READING_ENDS = {"diagnose": 0, "check_database": 1, "probe_api": 0}  # a sequence is behind
Cases = Sequence[tuple[str, tuple[str, ...]]]


@pytest.fixture(scope="module")
def backed_up(world: World) -> Iterator[World]:
    assert 0 == deploy(world, "backup").returncode
    yield world
    mended = deploy(world, "restore_access")
    assert 0 == mended.returncode, mended.stderr


def drawn(world: World, names: Sequence[str]) -> Cases:
    """Have each of these deploys find something to do; give them."""
    if "undo" in names:
        text = world.env_file.read_text()
        world.env_file.write_text(text.replace("DEV_MODE=false", "DEV_MODE=true"))
        mended = deploy(world, "restore_access")
        assert 0 == mended.returncode, mended.stderr
    world.database.sql("SELECT setval('users_id_seq', 1)", "halext_org")
    return [(name, CHANGING[name]) for name in names]


def run(world: World, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        words, cwd=REPOSITORY, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=300,
        env={**os.environ, **_environment(world), "NO_COLOR": "1"},
    )  # fmt: skip


def deploy(
    world: World, name: str, data: Sequence[str] = (), program: Sequence[str] = PYINFRA
) -> "subprocess.CompletedProcess[str]":
    given = [word for one in data for word in ("--data", one)]
    return run(world, *program, "-y", "inventories/demo.py", f"deploys/{name}.py", *given)


def relogin(world: World, *words: str) -> "subprocess.CompletedProcess[str]":
    return run(world, str(BIN / "relogin"), words[0], "inventories/demo.py", *words[1:])


def deploys(world: World, cases: Cases) -> "dict[str, subprocess.CompletedProcess[str]]":
    """Run them all at once: none is to change anything, nor to be in another one's way."""
    with ThreadPoolExecutor(len(cases)) as pool:
        return dict(
            zip(
                (name for name, _ in cases),
                pool.map(lambda case: deploy(world, *case), cases),
                strict=True,
            )
        )


def kept(world: World) -> set[str]:
    """Give what relogin has on the host, but for leases, and traces of commands that ended."""
    folder = world.folder / "state/relogin/halext"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    return {one for one in found if not one.startswith("lease")}


def databases(world: World) -> str:
    return world.database.sql("SELECT datname FROM pg_database ORDER BY 1")


@contextmanager
def disabled(world: World) -> Iterator[str]:
    """Have somebody disable it for two hours; give what every run is to say."""
    done = relogin(world, "disable", "--reason", WHY, "--until", "2h")
    assert 0 == done.returncode, done.stderr
    until = int((world.folder / "state/relogin/halext/disabled").read_text().splitlines()[0])
    try:
        yield time.strftime(f"until %Y-%m-%d %H:%M: {WHY}", time.localtime(until))
    finally:
        assert 0 == relogin(world, "enable").returncode


def test_no_deploy_changes_what_is_disabled_and_each_says_why_and_until_when(backed_up) -> None:
    world, cases = backed_up, drawn(backed_up, sample(list(CHANGING), 3))
    with disabled(world) as said:
        before = traces(world), kept(world), databases(world)
        for name, done in deploys(world, cases).items():
            verdict = done.stderr.partition("─" * 78)[2]
            assert (1, True) == (done.returncode, said in verdict), (name, done.stderr)
            assert "may be left" not in verdict, (name, verdict)
        assert before == (traces(world), kept(world), databases(world))


def test_what_only_looks_goes_on_while_it_is_disabled_and_says_so(backed_up) -> None:
    drawn(backed_up, ())
    with disabled(backed_up) as said:
        for name, done in deploys(backed_up, sample(list(READING.items()), 1)).items():
            assert READING_ENDS[name] == done.returncode, (name, done.stderr)
            shown = done.stderr.partition("  Disabled\n")[2].partition("\n")[0]
            assert shown.endswith(said), (name, done.stderr)


@contextmanager
def under_way(world: World, name: str) -> Iterator[str]:
    """Have a deploy wait once it has the lease; give the run's name. Then it is let go on."""
    folder = world.folder / "state/relogin/halext/lease"
    has_it, goes_on = threading.Event(), threading.Event()

    def act(host: str, number: int, moment: str, pid: int) -> None:
        if moment == "done" and any(folder.glob("[0-9]*")):
            has_it.set()
            goes_on.wait(300)

    with stepping(act) as steps, ThreadPoolExecutor(1) as pool:
        running = pool.submit(deploy, world, name, CHANGING[name], steps.program)
        while not has_it.wait(0.1):
            assert not running.done(), running.result().stderr
        [file] = folder.glob("[0-9]*")
        _, holder, *rest = file.read_text().splitlines()
        # as that of a change that takes a while: the others' runs may take longer than a minute
        file.write_text("\n".join([str(int(time.time()) + 600), holder, *rest, ""]))
        try:
            yield holder
        finally:
            goes_on.set()
        done = running.result()
        assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("name", sample(list(CHANGING), 1))
def test_while_one_deploy_changes_it_no_other_does_and_each_names_the_run(backed_up, name) -> None:
    world = backed_up
    first, *others = drawn(world, [name, *sample([one for one in CHANGING if one != name], 2)])
    with under_way(world, first[0]) as holder:
        before = traces(world), kept(world), databases(world)
        ended = deploys(world, others)
        command = relogin(world, "restore", "--json")
        assert before == (traces(world), kept(world), databases(world))
    said = f"is changing it now (run {holder}, until "
    for other, done in ended.items():
        assert (1, True) == (done.returncode, said in done.stderr), (other, done.stderr)
    assert 4 == command.returncode, command.stderr
    [backend] = json.loads(command.stdout)["hosts"][0]["backends"]
    assert ("refused", True) == (backend["outcome"], said in backend["disabled"])
