"""How backups of a backend are taken, and what becomes of them."""

from __future__ import annotations

import shlex
from pathlib import Path

from relogin.parts.part import command, fillable, part, refuse_unless
from relogin.secret import inventory_folder

_COMMANDS = (
    *("encrypt", "decrypt", "create", "before", "after"),
    *("copy", "reinit", "restore"),
)


@part
class Backup:
    """Say how backups are taken (deploys/backup.py), and how many are kept.

    Of the backups of each kind, those of releases and those of the deploy, the newest `keep` stay;
    all of them without one. Only what relogin itself wrote is removed, and only behind a new one
    that was read back, or once a release is proven.

    `to` is a folder on the control machine, beside the inventory, to which each is pulled.
    `encrypt` and `decrypt` are commands on the host, run as root, that read standard input and
    write standard output (`age -r …`, `gpg --encrypt -r …`); their words are in a process list.
    Without `decrypt` a backup is read back on its way into `encrypt`. `create` is the backend's own
    command for one: what it writes to its standard output is kept beside the dump.

    `before` and `after` are commands on the host, run as root, right before and right after a
    restore changes which database is the live one: a maintenance page, workers.

    `reinit` and `restore` are the backend's own commands for `--data method=reinit`, run as
    `create` is, with the URL of a database beside the live one: the one makes a clean system of it,
    the other reads what `create` wrote from its standard input, `{file}` (/dev/stdin).

    `copy` is the command that starts a second copy of the backend, in the foreground, on `{port}`
    of 127.0.0.1 (in a container: of 0.0.0.0, which the host alone reaches). A restore starts it
    with the URL of the database beside the live one, run as the owner of the backend's folder, and
    proves every login by it before the switch. `copy_prefix` is what a proxy in front of the
    backend takes off the paths of the login's URLs.
    """

    keep: int | None = None
    to: str | None = None
    encrypt: str | None = None
    decrypt: str | None = None
    create: str | None = None
    before: str | None = None
    after: str | None = None
    copy: str | None = None
    copy_prefix: str | None = None
    reinit: str | None = None
    restore: str | None = None

    def __post_init__(self) -> None:
        counted = isinstance(self.keep, int) and not isinstance(self.keep, bool)
        refuse_unless(
            self.keep is None or (counted and self.keep > 0),
            f"Backup: keep is {self.keep!r}, expected a number of backups, at least 1",
        )
        for name in _COMMANDS:
            text = getattr(self, name)
            if text is not None:
                command(f"Backup: {name}", text)
                refuse_unless(shlex.split(text), f"Backup: {name} is empty, expected a command")
        refuse_unless(
            self.encrypt or not self.decrypt, "Backup: decrypt without encrypt: declare both"
        )
        if self.copy is not None:
            fillable("Backup: copy", self.copy, ("port",))
            refuse_unless("{port}" in self.copy, "Backup: copy has no {port} on which it listens")
        refuse_unless(
            not self.copy_prefix or self.copy_prefix.startswith("/"),
            f"Backup: copy_prefix is {self.copy_prefix!r}; it begins a path, such as /api",
        )
        if self.to is not None:
            refuse_unless(self.to, "Backup: to is empty, expected a folder")
            path = (inventory_folder() or Path()) / Path(self.to).expanduser()
            object.__setattr__(self, "to", str(path.absolute()))
