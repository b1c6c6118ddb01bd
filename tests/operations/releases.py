"""Steps of a release, run by the shells that hosts have, on real repositories."""

import os
import subprocess
from pathlib import Path

from relogin import Backend, shell
from relogin.facts import release
from relogin.facts.release_state import UnderWay
from relogin.operations import release_store
from relogin.remote import Answer, answer_in
from tests.facts.answers import run

BACKEND = Backend("mine")


def changed(script: str) -> Answer:
    """Run a change as `remote.change` does."""
    body = shell.one("it", script)
    whole = f"exec 2>/dev/null\n{{\n{shell.PRELUDE}\nwhole() {{\n{body}\n}}\nwhole\n}}"
    done = subprocess.run(["sh", "-s"], input=whole.encode(), capture_output=True, check=False)
    pair = answer_in(done.stdout.decode().splitlines()[-1])
    assert pair is not None
    return pair[1]


def killed(script: str) -> None:
    """Run a change that kills itself somewhere: `kill -9 $$`."""
    whole = f"{{\n{shell.PRELUDE}\n{script}\n}}"
    done = subprocess.run(["sh", "-s"], input=whole.encode(), capture_output=True, check=False)
    assert -9 == done.returncode, done.stdout


def begin(old: str, new: str, **more: str) -> None:
    """Begin a release of one commit in the place of another."""
    values = {"run": "r", "from": old, "to": new, "phase": "forward", "steps": "", **more}
    answer = changed(release_store.begun(BACKEND, values, ["a line"]))
    assert 0 == answer.status, answer.text


def step(body: str, name: str = "it") -> Answer:
    return changed(release_store.step(BACKEND, name, body))


def under_way() -> UnderWay | None:
    texts = {"tree": Answer(b"", 0), "room": Answer(b"", 0)}
    state = release.parse({**texts, "kept": run(release.kept_script(BACKEND))})
    assert isinstance(state, release.ReleaseState)
    return state.under_way


def place() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "relogin/mine/release"
