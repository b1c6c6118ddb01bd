"""Take a backup of each backend's database, accounts, roles and env files; it is read back."""

from __future__ import annotations

from pyinfra.api import deploy

from relogin.deploys.backends import each_database
from relogin.operations import backup as operations
from relogin.report.text import verdict_at_exit


@deploy("Back up")
def backup() -> None:
    """Take a backup of every backend of the host that has a database."""
    for backend in each_database():
        verdict_at_exit("backup")
        operations.taken(backend=backend, name=f"{backend.name}: back up its database")


if __name__ == "builtins":
    backup()
