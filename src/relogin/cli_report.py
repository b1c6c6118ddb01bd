"""The report of a kept run: a page for people, or a write-up to paste into an issue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relogin.cli_run import LEDGER

if TYPE_CHECKING:
    from relogin.report.view import View

_FILE = click.Path(path_type=Path, dir_okay=False)
_STDOUT = Path("-")


@click.command()
@click.argument("what", metavar="[RUN|PASS|HOST]", required=False, default="")
@click.option("--html", type=_FILE, help="Write one page that needs nothing else.")
@click.option(
    "--markdown",
    type=_FILE,
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Write it to paste into an issue; on stdout without FILE.",
)
@LEDGER
def report(what: str, *, html: Path | None, markdown: Path | None, ledger: str | None) -> None:
    """Tell a kept run again: RUN, the last one of HOST or of all, or a fleet's whole PASS.

    The verdict first; then, of each host, what was wrong, what was done, and the proof; what keeps
    coming back, how long logins took, the earlier runs and the transcript. Without an option the
    Markdown comes on stdout.
    """
    from relogin.errors import UsageError
    from relogin.ledger.store import LedgerError, choose

    try:
        choose(ledger)
        _refuse_unwritable(html, markdown)
        _write(_chosen(what, markdown), html, markdown)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except LedgerError as error:
        raise click.ClickException(str(error)) from None


def _refuse_unwritable(html: Path | None, markdown: Path | None) -> None:
    from relogin.report.files import refuse_unwritable

    for option, path in (("--html", html), ("--markdown", markdown)):
        if path is not None and path != _STDOUT:
            refuse_unwritable(option, path)


def _chosen(what: str, markdown: Path | None) -> dict[str, Any]:
    """Give the document of the run that is meant.

    Raises:
        UsageError: nothing is known of it, or --markdown took its name for a file's.
        LedgerError: there is no history, or it cannot be read.
    """
    from relogin.errors import UsageError
    from relogin.ledger import read, whole
    from relogin.parts.part import suggest

    runs, hosts = whole.runs(), read.hosts()
    if not what and str(markdown) in {*runs, *hosts}:
        raise UsageError(f"--markdown {markdown}: say relogin report {markdown} --markdown")
    if what and what not in runs and (passed := whole.of_pass(what)):
        return passed
    run = what if what in runs else whole.last_of(what) if what else next(iter(runs), None)
    if what and run is None:
        raise UsageError(f"no run of {what!r} was kept{suggest(what, [*hosts, *runs])}")
    found = whole.document(run, "" if what in {"", run} else what) if run else None
    if found is None:
        raise UsageError(f"nothing was kept of {run or 'any run'}")
    return found


def _write(document: dict[str, Any], html: Path | None, markdown: Path | None) -> None:
    from relogin.report.files import with_history

    view = with_history(document)
    if html is not None:
        from relogin.report.page import page

        _write_file(html, page(view))
    if markdown is not None and markdown != _STDOUT:
        _write_file(markdown, _markdown(view).encode("utf-8", "replace"))
    elif markdown == _STDOUT or html is None:
        click.echo(_markdown(view), nl=False)


def _markdown(view: View) -> str:
    from relogin.report.markdown import markdown

    return markdown(view)


def _write_file(path: Path, content: bytes) -> None:
    from relogin.places import write_whole
    from relogin.report.files import PRIVATE

    try:
        write_whole(path.absolute(), content, mode=PRIVATE)
    except OSError as error:
        raise click.ClickException(f"{path} was not written: {error}") from None
