"""Check the database: its catalogue, its rules and a bounded look at its rows; read only."""

from __future__ import annotations

from pathlib import Path

from pyinfra import host, inventory, state
from pyinfra.api import deploy

from relogin import checking, run
from relogin.deploys.backends import backends, each_database, looked
from relogin.errors import UsageError
from relogin.report.text import verdict_at_exit


@deploy("Check the database")
def check_database() -> None:
    """Look at the whole database of every backend of the host; nothing is changed.

    `--data learn=FILE` writes the baseline that a database without findings is, `baseline=FILE`
    names the one to compare with, `repair=true` mends what takes no row, behind a backup.
    """
    _refuse_what_contradicts()
    for backend in each_database():
        verdict_at_exit("check")
        if _repairs():
            from relogin.operations import database

            database.sound(backend=backend, name=f"{backend.name}: ensure the database is sound")
            continue
        run.of(state).report_only = True
        record = checking.begin(state, host, backend)
        seen = looked(record)
        if seen is None:
            continue
        well = checking.judge(record, seen)
        if path := checking.to_learn(host):
            well = checking.learn(record, seen, Path(path))
        if not well:
            state.failed_hosts.add(host)


def _repairs() -> bool:
    return str(host.data.get("repair")).lower() == "true"


def _refuse_what_contradicts() -> None:
    """Refuse to learn from several databases: one file would be the last one's."""
    if not checking.to_learn(host):
        return
    if _repairs():
        raise UsageError("--data learn=… and repair=true: repair first, then learn")
    wanted = host.data.get("backend")
    chosen = [
        name
        for one in inventory
        if state.is_host_in_limit(one)
        for name, backend in backends(one).items()
        if backend.database is not None and wanted in {None, name}
    ]
    if len(chosen) > 1:
        raise UsageError(
            f"--data learn=…: {len(chosen)} databases would write one file;"
            " narrow it by --limit HOST and --data backend=NAME"
        )


if __name__ == "builtins":
    check_database()
