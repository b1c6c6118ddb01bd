"""Changes that keep what they overwrite, and the way back, run by the shells that hosts have."""

import os
import subprocess
from pathlib import Path

from relogin import Backend, shell
from relogin.facts import kept
from relogin.facts.kept import Kept, Stands
from relogin.remote import Answer
from relogin.undo import back, store
from tests.facts.answers import run

BACKEND = Backend("mine")
Shell = tuple[str, ...]


def changed(script: str, sh: Shell = ("sh",)) -> Answer:
    """Run a change that keeps what it overwrites."""
    return run(f"(\n{store(BACKEND)}{script}\n)", sh)


def killed(script: str, sh: Shell = ("sh",)) -> None:
    """Run a change that kills itself somewhere: `kill -9 $$`."""
    whole = f"{{\n{shell.PRELUDE}\n{store(BACKEND)}{script}\n}}"
    done = subprocess.run([*sh, "-s"], input=whole.encode(), capture_output=True, check=False)
    assert -9 == done.returncode


def looked(sh: Shell = ("sh",), wanted: str = "") -> Kept:
    seen = kept.parse(run(back.look(BACKEND, wanted), sh))
    assert isinstance(seen, Kept)
    return seen


def standing(sh: Shell = ("sh",), wanted: str = "") -> list[Stands]:
    """Give how the values stand, in the order in which they were changed."""
    return [stands for _, stands in looked(sh, wanted).standing()][::-1]


def taken_back(sh: Shell = ("sh",), wanted: str = "") -> list[int]:
    """Bring back what is as it was left, the last value first; give the statuses."""
    seen = looked(sh, wanted)
    due = [value for value, stands in seen.standing() if stands is Stands.AS_LEFT]
    scripts = [back.taken_back(BACKEND, seen.meant, value.number) for value in due]
    return [run(f"(\n{script}\n)", sh).status for script in scripts]


def place() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "relogin/mine/undo"
