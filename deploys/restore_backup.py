"""Restore a backup beside the live database, compare it, switch, prove the login; else go back."""

from __future__ import annotations

from pyinfra.api import deploy

from relogin.deploys.backends import each_database
from relogin.operations import restore_backup as operations
from relogin.report.text import verdict_at_exit


@deploy("Restore a backup")
def restore_backup() -> None:
    """Restore the backup of every backend of the host that has a database."""
    for backend in each_database():
        verdict_at_exit("restore_backup")
        operations.restored(backend=backend, name=f"{backend.name}: restore a backup")


if __name__ == "builtins":
    restore_backup()
