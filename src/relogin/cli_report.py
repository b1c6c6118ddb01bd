"""The report of a kept run: a page for people, a write-up for an issue, or for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relogin.cli_run import LEDGER

if TYPE_CHECKING:
    from relogin.report.files import Outputs

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
@click.option("as_json", "--json", is_flag=True, help="Write JSON on stdout, in the run's schema.")
@click.option("--junit", type=_FILE, help="Write JUnit XML, for CI.")
@click.option("--prometheus", type=_FILE, help="Write metrics, for the textfile collector.")
@LEDGER
def report(what: str, *, markdown: Path | None, ledger: str | None, **given: Any) -> None:
    """Tell a kept run again: RUN, the last one of HOST or of all, or a fleet's whole PASS.

    The verdict first; then, of each host, what was wrong, what was done, and the proof; what keeps
    coming back, how long logins took, the earlier runs and the transcript. Without an option the
    Markdown comes on stdout. Whatever the run was comes in each form: a check of a database and a
    probe of an API, too.
    """
    from relogin.errors import UsageError
    from relogin.ledger.store import LedgerError, choose
    from relogin.report.files import Outputs, refuse_unwritable

    outputs = Outputs(**given)
    try:
        choose(ledger)
        outputs.refuse_unwritable()
        if markdown is not None and markdown != _STDOUT:
            refuse_unwritable("--markdown", markdown)
        if outputs.as_json and markdown == _STDOUT:
            raise UsageError("--json and --markdown: only one of them goes to stdout")
        _write(_chosen(what, markdown), outputs, markdown)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except LedgerError as error:
        raise click.ClickException(str(error)) from None


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


def _write(document: dict[str, Any], outputs: Outputs, markdown: Path | None) -> None:
    from relogin.report.files import as_json

    for problem in outputs.write(document):
        raise click.ClickException(problem)
    if outputs.as_json:
        click.echo(as_json(document))
    if markdown is not None and markdown != _STDOUT:
        write_file(markdown, _markdown(document).encode("utf-8", "replace"))
    elif markdown == _STDOUT or not outputs.given:
        click.echo(_markdown(document), nl=False)


def _markdown(document: dict[str, Any]) -> str:
    from relogin.report.files import with_history
    from relogin.report.markdown import markdown

    return markdown(with_history(document))


def write_file(path: Path, content: bytes) -> None:
    """Write a report's file, whole or not at all, for nobody else to read.

    Raises:
        ClickException: it cannot be written.
    """
    from relogin.places import write_whole
    from relogin.report.files import PRIVATE

    try:
        write_whole(path.absolute(), content, mode=PRIVATE)
    except OSError as error:
        raise click.ClickException(f"{path} was not written: {error}") from None
