"""Undo: bring back what a run has overwritten, as far as nobody has changed it since."""

from __future__ import annotations

from collections.abc import Iterator

from pyinfra import host, inventory, state
from pyinfra.api import deploy
from pyinfra.api.host import Host

from relogin import undoing
from relogin.backend import Backend
from relogin.deploys.backends import each_backend
from relogin.operations import undo as operations
from relogin.report.text import verdict_at_exit
from relogin.schedule import Schedule


@deploy("Undo")
def undo() -> None:
    """Bring the last run's values back, or those of `--data run=ID`; nothing is restarted.

    With `--data schedule=NAME` it is a schedule's last run, not the backends'.
    """
    for backend in _whose():
        verdict_at_exit("undo")
        undoing.of(state, host, backend).look(host)
        operations.brought_back(
            backend=backend,
            name=f"{backend.name}: bring back what was overwritten",
            _ignore_errors=True,  # another backend's values come back all the same
        )
    operations.judged(name="see that all of it came back")


def _whose() -> Iterator[Backend]:
    """Give whose values come back: a schedule keeps its own as a backend does, by its name."""
    name = host.data.get("schedule")
    if name is None:
        yield from each_backend()
        return
    described = [one.name for one in inventory if name in _schedules(one)]
    if host.name in described or not described:
        yield Backend(str(name))


def _schedules(one: Host) -> set[str]:
    return {it.name for it in one.data.dict().values() if isinstance(it, Schedule)}


if __name__ == "builtins":
    undo()
