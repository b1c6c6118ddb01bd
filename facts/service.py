"""The service, whatever runs it: its state, its log and its running environment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin.facts import alone, compose, supervisor, systemd
from relogin.facts.service_state import Need, ServiceState
from relogin.finding import Unreadable
from relogin.parts.runtime import Compose, Runtime, Supervisor, Systemd

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.remote import Answer

__all__ = ["Need", "Program", "ServiceState", "Unit", "parse", "script"]


def script(part: Runtime, keys: tuple[str, ...] = ()) -> str:
    """Give the part of the look that asks for the service.

    `keys` are the variables that are wanted from the environment of its running main process.
    """
    if isinstance(part, Systemd):
        return systemd.script(part, keys)
    if isinstance(part, Compose):
        return compose.script(part)
    return supervisor.script(part, keys)


def parse(answer: Answer) -> ServiceState | Unreadable:
    """Take the part's answer apart."""
    answers = alone.answers(answer.lines)
    words = answer.text.decode("utf-8", "replace").split("\n", 2)
    if words[0] == "supervisor":
        return supervisor.parse(words[1], answers)
    if words[0] == "compose":
        return compose.parse(words[1], answers)
    return systemd.parse(answers)


class Unit(FactBase[Any]):
    """Give a systemd unit's state and its last log lines, without secrets.

    + unit: the unit's name
    """

    def command(self, unit: str) -> StringCommand:
        return alone.command({"service": systemd.script(Systemd(unit), (), redacted=True)})

    def process(self, output: Iterable[str]) -> ServiceState | Unreadable:
        return alone.parsed(output, "service", parse)


class Program(FactBase[Any]):
    """Give a supervisord program's state and its last log lines, without secrets.

    + program: the program's name
    + config: supervisord's configuration file
    + supervisorctl: the command, where it is not on PATH
    """

    def command(
        self,
        program: str,
        config: str = "/etc/supervisor/supervisord.conf",
        supervisorctl: str = "supervisorctl",
    ) -> StringCommand:
        part = Supervisor(program, config=config, supervisorctl=supervisorctl)
        return alone.command({"service": supervisor.script(part, (), redacted=True)})

    def process(self, output: Iterable[str]) -> ServiceState | Unreadable:
        return alone.parsed(output, "service", parse)
