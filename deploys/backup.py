"""Take a backup of each backend's database, accounts, roles and env files; it is read back."""

from __future__ import annotations

from pyinfra import host, logger
from pyinfra.api import deploy

from relogin.deploys.backends import each_backend
from relogin.operations import backup as operations
from relogin.report.text import verdict_at_exit


@deploy("Back up")
def backup() -> None:
    """Take a backup of every backend of the host that has a database."""
    for backend in each_backend():
        if backend.database is None:
            host.log_styled(f"{backend.name}: no database is declared", log_func=logger.info)
            continue
        verdict_at_exit("backup")
        operations.taken(backend=backend, name=f"{backend.name}: back up its database")


if __name__ == "builtins":
    backup()
