"""When a control machine runs `relogin drift`, on what, and with which secrets."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from relogin.parts.part import absolute, listed, part, refuse_unless
from relogin.secret import Secret

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?")
PING = "RELOGIN_PING"  # under this name the unit has its watcher's URL


@part
class Schedule:
    """Run `relogin drift INVENTORY` on a control machine by a systemd timer.

    `inventory` is a path there (or `@local`); it is run from `directory`, by default the
    inventory's own, as `user`, whose ~/.ssh is read. `on_calendar` and the spans `delay` (at most
    so much later, by chance) and `longest` (a run that takes longer is ended) are systemd's
    (systemd.time(7)). `options` are further words for the command. `secrets` are those that
    `Secret.env` finds by these names, `ping` the watcher's URL: only root can read where they are
    kept. `writes` are folders that the run may write to besides its history, such as that of
    `--prometheus`. `local` says that the inventory has `@local`, so that the run mends the machine
    that it runs on. `name` is the units', `command` the path of relogin, where it is not found.
    """

    inventory: str
    on_calendar: str = "*:0/15"
    delay: str = "2min"
    longest: str = "1h"
    user: str = "root"
    directory: str | None = None
    options: tuple[str, ...] = ()
    secrets: Mapping[str, Secret] = dataclasses.field(default_factory=dict)
    ping: Secret | None = None
    writes: tuple[str, ...] = ()
    local: bool = False
    name: str = "relogin-drift"
    command: str | None = None

    def __post_init__(self) -> None:
        listed(self, "options", "writes")
        self._refuse_odd_texts()
        if not self.inventory.startswith("@"):
            absolute("Schedule: inventory", self.inventory)
        elif self.directory is None:
            refuse_unless(False, f"Schedule: {self.inventory} has no folder; name its directory")
        absolute("Schedule: a path", self.directory, self.command, *self.writes)
        refuse_unless(_NAME.fullmatch(self.name), f"Schedule: name {self.name!r} is no unit's")
        refuse_unless(_USER.fullmatch(self.user), f"Schedule: user {self.user!r} is no user's name")
        for word in self.options:
            ours = word.partition("=")[0] in {"--ping", "--healed-ok"}
            refuse_unless(
                not ours, f"Schedule: options has {word.partition('=')[0]}, which is ours"
            )
        for key, secret in {**self.secrets, PING: self.ping or Secret.env(PING)}.items():
            refuse_unless(_KEY.fullmatch(key), f"Schedule: secrets: {key!r} is no variable's name")
            known = isinstance(secret, Secret) and secret.declared
            refuse_unless(known, f"Schedule: secrets: {key} is no Secret that this machine has")

    @property
    def folder(self) -> str:
        """Give the folder that it is run from."""
        return self.directory or self.inventory.rpartition("/")[0] or "/"

    def credentials(self) -> dict[str, Secret]:
        """Give all secrets by the names under which the unit has them."""
        return {**self.secrets, **({PING: self.ping} if self.ping else {})}

    def to_json(self) -> dict[str, Any]:
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        secrets = {key: secret.to_json() for key, secret in self.secrets.items()}
        return {**fields, "secrets": secrets, "ping": self.ping and self.ping.to_json()}

    def _refuse_odd_texts(self) -> None:
        texts = {
            **{name: [getattr(self, name)] for name in ("inventory", "on_calendar", "delay")},
            **{name: [getattr(self, name) or ""] for name in ("longest", "directory", "command")},
            **{name: getattr(self, name) for name in ("options", "writes")},
        }
        for name, values in texts.items():
            sound = all(isinstance(one, str) and one.isprintable() for one in values)
            refuse_unless(sound, f"Schedule: {name} is not text of one line without control marks")
