"""Schedule drift: a systemd timer on the control machine that keeps what is declared."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyinfra import host
from pyinfra.api import deploy

from relogin.errors import ProfileError, UsageError
from relogin.operations import timer
from relogin.schedule import Schedule
from relogin.secret import Secret

if TYPE_CHECKING:
    from pyinfra.api.host import Host

_TEXTS = ("on_calendar", "delay", "longest", "user", "directory", "name", "command")


@deploy("Schedule drift")
def schedule_drift() -> None:
    """Ensure each Schedule of the host's data, or the one that `--data inventory=…` describes.

    With `--data remove=true` they are removed.

    Raises:
        UsageError: the host's data describes none.
    """
    schedules = _schedules(host)
    if str(host.data.get("remove")).lower() == "true":
        names = [one.name for one in schedules] or [str(host.data.get("name") or Schedule.name)]
        for unit in host.loop(names):
            timer.removed(unit=unit, name=f"{unit}: ensure that it is gone")
        return
    if not schedules:
        raise UsageError(
            "no host's data holds a Schedule; say --data inventory=/srv/ops/inventories/prod.py"
        )
    for schedule in host.loop(schedules):
        timer.installed(schedule=schedule, name=f"{schedule.name}: ensure that it is on")


def _schedules(host: Host) -> list[Schedule]:
    described = [one for one in host.data.dict().values() if isinstance(one, Schedule)]
    return [*described, _from_data(host)] if host.data.get("inventory") else described


def _from_data(host: Host) -> Schedule:
    """Give the schedule that `--data` describes; its secrets are this machine's variables."""
    given: dict[str, Any] = {
        name: str(host.data.get(name)) for name in _TEXTS if host.data.get(name) is not None
    }
    inventory = str(host.data.get("inventory"))
    if host.name == "@local":
        given.setdefault("directory", str(Path.cwd()))
        given.setdefault("command", _own_command())
        inventory = inventory if inventory.startswith("@") else str(Path(inventory).absolute())
    names = _words(host.data.get("secrets"))
    try:
        return _schedule(host, inventory, names, given)
    except ProfileError as error:
        raise UsageError(f"--data: {str(error).partition('Schedule: ')[2]}") from None


def _schedule(host: Host, inventory: str, secrets: list[str], given: dict[str, Any]) -> Schedule:
    return Schedule(
        inventory,
        options=tuple(shlex.split(str(host.data.get("options") or ""))),
        secrets={name: Secret.env(name) for name in secrets},
        ping=Secret.env(str(host.data.get("ping"))) if host.data.get("ping") else None,
        writes=tuple(_words(host.data.get("writes"))),
        local=str(host.data.get("local")).lower() == "true",
        **given,
    )


def _words(text: object) -> list[str]:
    return str(text or "").replace(",", " ").split()


def _own_command() -> str:
    """Give the relogin beside the pyinfra that runs."""
    return str(Path(sys.executable).with_name("relogin"))


if __name__ == "builtins":
    schedule_drift()
