"""Undo: bring back what a run has overwritten, as far as nobody has changed it since."""

from __future__ import annotations

from pyinfra import host, state
from pyinfra.api import deploy

from relogin import undoing
from relogin.deploys.backends import each_backend
from relogin.operations import undo as operations
from relogin.report.text import verdict_at_exit


@deploy("Undo")
def undo() -> None:
    """Bring the last run's values back, or those of `--data run=ID`; nothing is restarted."""
    for backend in each_backend():
        verdict_at_exit("undo")
        undoing.of(state, host, backend).look(host)
        operations.brought_back(
            backend=backend,
            name=f"{backend.name}: bring back what was overwritten",
            _ignore_errors=True,  # another backend's values come back all the same
        )
    operations.judged(name="see that all of it came back")


if __name__ == "builtins":
    undo()
