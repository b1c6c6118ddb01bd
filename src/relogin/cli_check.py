"""The check of an inventory and its descriptions, before a night in which they are needed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from relogin.outcome import USAGE, Outcome

if TYPE_CHECKING:
    from relogin.drive.check import Checked


@click.command()
@click.argument("inventory")
@click.option("--limit", multiple=True, help="Only these hosts: a group or a glob; repeatable.")
@click.option("--exclude", multiple=True, help="All but these hosts; repeatable.")
@click.option("--data", multiple=True, help="Override host data: KEY=VALUE; repeatable.")
@click.option("--group-data", multiple=True, help="A further folder of group data; repeatable.")
@click.option("--config", default="config.py", show_default=True, help="pyinfra's config file.")
@click.option("--chdir", help="Change to this folder first.")
@click.option("--secrets", is_flag=True, help="Ask the sources for the values, and judge those.")
@click.option("as_json", "--json", is_flag=True, help="Write JSON.")
def check(*, secrets: bool, as_json: bool, **given: Any) -> None:
    """Check INVENTORY and every description beside it; connect to nothing.

    Tells all mistakes at once, with file and line, and which secrets have no source on this
    machine. Ends with 0 if there is no mistake, 64 if there is one; with --secrets with 1 if a
    secret has no value, or one that cannot go where it has to.
    """
    import relogin.drive  # noqa: F401 # first: it patches the standard library
    from relogin.drive.check import check as checked
    from relogin.drive.session import Options

    found = checked(Options(**given), secrets=secrets)
    code = _code(found, secrets=secrets)
    if as_json:
        click.echo(json.dumps(_document(found, code), indent=2))
    else:
        plain = False if os.environ.get("NO_COLOR") else None
        click.echo("\n".join(_told(found)), color=plain)
    sys.exit(code)


def _code(found: Checked, *, secrets: bool) -> int:
    if found.mistakes:
        return USAGE  # as every other command ends there
    return Outcome.ERROR.code if secrets and found.missing else 0


def _document(found: Checked, code: int) -> dict[str, Any]:
    return {
        "version": 1,
        "exit": code,
        "mistakes": list(found.mistakes),
        "missing": list(found.missing),
        "backends": [{"name": name, "hosts": hosts} for name, hosts in found.backends.items()],
        "unused": list(found.unused),
    }


def _told(found: Checked) -> Iterator[str]:
    yield from (click.style(f"✗ {line}", fg="red") for line in found.mistakes)
    yield from (click.style(f"! {line}", fg="yellow") for line in found.missing)
    for name, hosts in found.backends.items():
        yield f"  {name}: {_some(hosts)}"
    if found.unused:
        yield f"  no host of this inventory is in the group: {', '.join(found.unused)}"
    yield click.style(_sum(found), bold=True)


def _some(hosts: tuple[str, ...]) -> str:
    shown = ", ".join(hosts[:5])
    return f"{shown} and {len(hosts) - 5} more hosts" if len(hosts) > 5 else shown


def _sum(found: Checked) -> str:
    number = len(found.mistakes)
    wrong = f"{number or 'no'} mistake{'s' * (number > 1)}"
    missing = f", {len(found.missing)} missing on this machine" if found.missing else ""
    return f"{wrong}{missing}; nothing was connected to"
