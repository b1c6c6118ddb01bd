"""The relogin command: what plain pyinfra cannot say."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import click

from relogin import cli_check, cli_fleet, cli_history, cli_init, cli_report, cli_run
from relogin.outcome import USAGE

if TYPE_CHECKING:
    from relogin.fault import Fault

_INDENT = "    "


def main() -> NoReturn:
    """Run the command; what was asked for wrongly ends with 64, in one line."""
    try:
        sys.exit(command.main(prog_name="relogin", standalone_mode=False))
    except click.UsageError as error:
        error.show()
        sys.exit(USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:  # a pager was closed; else Python complains once more as it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


@click.group(no_args_is_help=True)
@click.version_option(package_name="relogin")
def command() -> None:
    """Get people logging in again: find out why nobody can, mend exactly that, prove it."""


for one in (cli_run.diagnose, cli_run.restore, cli_run.drift, cli_run.disable, cli_run.enable):
    command.add_command(one)
command.add_command(cli_fleet.worker)
command.add_command(cli_check.check)
command.add_command(cli_init.init)
command.add_command(cli_report.report)
command.add_command(cli_history.history)


@command.command()
@click.argument("fault", required=False)
@click.option("as_json", "--json", is_flag=True, help="Write JSON.")
def faults(fault: str | None, *, as_json: bool) -> None:
    """List what can be found, and who mends it; explain one FAULT, or list those of a layer."""
    from relogin.report.faults import as_json as in_json

    chosen = _chosen(fault)
    if as_json:
        click.echo(json.dumps(in_json(chosen), indent=2, ensure_ascii=False))
    else:
        explained = len(chosen) == 1 and chosen[0].id == fault
        click.echo("\n".join(_explained(chosen[0]) if explained else _listed(chosen)))


def _chosen(name: str | None) -> tuple[Fault, ...]:
    from relogin.operations.catalogue import FAULTS
    from relogin.parts.part import suggest

    found = tuple(one for one in FAULTS if name in {None, one.id, one.layer})
    if not found:
        layers = list(dict.fromkeys(one.layer for one in FAULTS))
        alike = [one.id for one in FAULTS if one.layer == str(name).partition(".")[0]]
        near = suggest(str(name), alike or [*layers, *(one.id for one in FAULTS)], layers)
        raise click.UsageError(f"there is no fault {name!r}{near}")
    return found


def _listed(chosen: tuple[Fault, ...]) -> Iterator[str]:
    from relogin.report.faults import who

    width = max(len(one.id) for one in chosen)
    for one in chosen:
        degree = one.severity.name.lower()
        yield f"{click.style(one.id.ljust(width), bold=True)}  {degree:8}  {who(one)}"
        yield f"{_INDENT}{one.about}" + (f": {one.remedy}" if one.remedy else "")
    needed = sum(who(one) == "you" for one in chosen)
    yield f"\n{len(chosen)} faults; a person is needed for {needed}. One of them: relogin faults ID"


def _explained(fault: Fault) -> Iterator[str]:
    from relogin.report.faults import placeholders, relations, who

    yield f"{click.style(fault.id, bold=True)}  {fault.severity.name.lower()}"
    yield f"  seen       {fault.about}"
    yield f"  mended by  {who(fault)}" + (f": {fault.remedy}" if fault.remedy else "")
    for what, of in relations(fault):
        yield f"  {what.lower()} {', '.join(of)}"
    if fault.check:
        yield "  By hand, as root on the host:"
        yield from (f"{_INDENT}{line}" for line in fault.check)
        for name, what in placeholders(fault.check).items():
            yield click.style(f"{_INDENT}{name}: {what}", dim=True)
    yield f"  To leave it alone: --data skip={fault.id}, or Backend(accepted={{{fault.id!r}: …}})"


if __name__ == "__main__":
    main()
