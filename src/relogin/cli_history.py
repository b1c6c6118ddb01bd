"""The history of every kept run: as text, for other programs, or as a page."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import click

from relogin.cli_report import write_file
from relogin.cli_run import LEDGER


@click.command()
@click.argument("host", required=False, default="")
@click.option("--runs", default=20, show_default=True, help="How many results to list.")
@click.option("as_json", "--json", is_flag=True, help="Write JSON.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one page that needs nothing else, of up to 300 results of each host.",
)
@LEDGER
def history(host: str, *, runs: int, as_json: bool, html: Path | None, ledger: str | None) -> None:
    """Tell when HOST (or each one) last changed, what keeps coming back, and the last runs.

    Without an option it comes on stdout, for people.
    """
    from relogin.errors import UsageError
    from relogin.ledger.read import history as read
    from relogin.ledger.read import hosts
    from relogin.ledger.store import LedgerError, choose
    from relogin.parts.part import suggest
    from relogin.report.files import Outputs

    outputs = Outputs(html=html)
    try:
        choose(ledger)
        outputs.refuse_unwritable()
        known = hosts()
        if host and host not in known:
            raise click.UsageError(f"no run of {host!r} was kept{suggest(host, known)}")
        found = read(host, runs)
        if html is not None:
            write_file(html, _page(host, known, found))
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except LedgerError as error:
        raise click.ClickException(str(error)) from None
    _tell(found, as_json=as_json, quiet=html is not None)


def _tell(found: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    from relogin.report.history import told

    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False), color=_colour())
    elif not quiet:
        click.echo(told(found), color=_colour())


def _page(host: str, known: list[str], found: dict[str, Any]) -> bytes:
    from relogin.ledger.whole import past
    from relogin.report.document import version
    from relogin.report.page import history_page
    from relogin.report.past import pasts

    names = [host] if host else known
    title = f"History of {names[0]}" if len(names) == 1 else f"History of {len(names)} hosts"
    earlier = past(names)
    return history_page(title, pasts(found, earlier), time.time(), version())


def _colour() -> bool | None:
    """Have no colour where NO_COLOR is set (no-color.org), which click does not know."""
    return False if os.environ.get("NO_COLOR") else None
