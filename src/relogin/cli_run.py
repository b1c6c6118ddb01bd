"""The commands that work on hosts, with the options of pyinfra by their own names.

`relogin.drive` is imported first of all, and only when one runs: it patches the standard library.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from relogin.drive.hosts import Work

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)
SSH = (
    click.option("--ssh-user", "--user", help="SSH user."),
    click.option("--ssh-port", "--port", type=int, help="SSH port."),
    click.option("--ssh-key", "--key", type=click.Path(), help="SSH private key."),
    click.option("--ssh-key-password", "--key-password", help="Its password."),
    click.option("--ssh-password", "--password", help="SSH password; others can read it in ps."),
)
SSH_NAMES = ("ssh_user", "ssh_port", "ssh_key", "ssh_key_password", "ssh_password")
_OPTIONS = (
    click.argument("inventory"),
    click.option("--limit", multiple=True, help="Only these hosts: a group or a glob; repeatable."),
    click.option("--exclude", multiple=True, help="All but these hosts; repeatable."),
    click.option("--data", multiple=True, help="Override host data: KEY=VALUE; repeatable."),
    click.option("--group-data", multiple=True, help="A further folder of group data; repeatable."),
    click.option("--config", default="config.py", show_default=True, help="pyinfra's config file."),
    click.option("--chdir", help="Change to this folder first."),
    click.option("--sudo", is_flag=True, help="Needs not be said: root is taken where it can be."),
    click.option("--use-sudo-password", is_flag=True, help="Ask for sudo's password."),
    click.option("--same-sudo-password", is_flag=True, help="The same, before anything else."),
    click.option(
        "--parallel",
        type=click.IntRange(1),
        help="How many hosts at a time: 50, unless pyinfra's config has another number.",
    ),
    click.option(
        "-v",
        "verbosity",
        count=True,
        help="Say each remote command and request; -vv: each part of a look.",
    ),
    click.option(
        "as_json", "--json", is_flag=True, help="Write JSON on stdout, all else elsewhere."
    ),
    click.option("--junit", type=_FILE, help="Write JUnit XML, for CI."),
    click.option("--prometheus", type=_FILE, help="Write metrics, for the textfile collector."),
    click.option("--html", type=_FILE, help="Write the report for people: one page, nothing else."),
    *SSH,
    click.option("--ssh-password-prompt", is_flag=True, help="Ask for the SSH password."),
)


_PING = click.option(
    "--ping",
    envvar="RELOGIN_PING",
    metavar="URL",
    help="Tell this URL that it begins (/start) and how it ended (healthchecks.io): a URL, or"
    " env:NAME, file:PATH, command:WORDS that has it; also from RELOGIN_PING, so not in ps.",
)


_MAX_FAILURES = click.option(
    "--max-failures",
    metavar="N|N%",
    help="Begin with no further host once more than so many, or that share, have failed.",
)
_LIMITS = (
    click.option("--report-only", is_flag=True, help="Correct nothing."),
    click.option(
        "--cooldown", default=30.0, show_default=True, help="Minutes between two repairs of one."
    ),
    click.option(
        "--cap", default=20, show_default=True, help="Repairs of a backend within the window."
    ),
    click.option("--window", default=24.0, show_default=True, help="Hours that the cap is about."),
    _MAX_FAILURES,
)


def LIMITS(function: F) -> F:  # noqa: N802 # it stands among the options
    """Give a command the limits of a drift run."""
    for option in reversed(_LIMITS):
        function = option(function)
    return function


LEDGER = click.option(
    "--ledger",
    envvar="RELOGIN_LEDGER",
    metavar="URL",
    help="Keep the history in this PostgreSQL, for all machines: a URL, or env:NAME, file:PATH,"
    " command:WORDS that has it; also from RELOGIN_LEDGER, so not in ps.",
)


def on_hosts(function: F) -> F:
    """Give a command the inventory and the options that choose and reach its hosts."""
    for option in reversed((*_OPTIONS, LEDGER)):
        function = option(function)
    return function


@click.command()
@on_hosts
@_PING
def diagnose(**given: Any) -> None:
    """Find out why nobody can log in; change nothing.

    Ends with 0 if people can log in and nothing is wrong, 2 if something is, 3 if the login is not
    proven, 1 if a host could not be reached or looked at, 64 if it was asked for wrongly.
    """
    from relogin.drive import work

    _run("diagnose", given, work.compared(work.diagnose))


@click.command()
@on_hosts
@_PING
@_MAX_FAILURES
def restore(**given: Any) -> None:
    """Find out why nobody can log in, mend exactly that, and prove it with a login.

    Ends with 0 if the login is proven on every host, 3 if it is not, 4 if a backend is disabled or
    another run has it, 1 if a host could not be reached or mended, 64 if it was asked for wrongly.
    """
    from relogin.drive import work

    _run("restore", given, work.compared(work.restore))


@click.command()
@on_hosts
@_PING
@LIMITS
@click.option(
    "--queue",
    metavar="URL",
    help="Have it done by the workers of this PostgreSQL: a URL,"
    " or env:NAME, file:PATH, command:WORDS that has it; the pass is waited for, and told.",
)
@click.option("--healed-ok", is_flag=True, help="End with 0 where all of it was corrected.")
def drift(*, queue: str | None, **given: Any) -> None:
    """Correct what differs from the description, on a schedule; say who changed what.

    Ends with 0 if nothing differed and the login is proven, 2 if something did (corrected or not),
    4 if it was corrected too often already, is disabled, or another run has it, 3 if the login is
    not proven, 1 if a host could not be reached or looked at, 64 if it was asked for wrongly. For
    --ping (and with --healed-ok for systemd and cron) it is a success where nothing of what
    differed is left: nobody is woken.
    """
    if queue:
        from relogin.cli_fleet import queued

        queued(queue, given)
    from relogin.drift import Limits
    from relogin.drive import work

    cooldown, cap, window = (given.pop(name) for name in ("cooldown", "cap", "window"))
    limits = Limits(cooldown=cooldown * 60, cap=cap, window=window * 3600)
    given["data"] = ("scheduled=true", *given["data"])
    looked, corrected = partial(work.diagnose, refusals=False), partial(work.drift, limits=limits)
    task = looked if given["report_only"] else corrected
    _run("drift", given, work.compared(task))


@click.command()
@on_hosts
@click.option("--reason", required=True, help="Why: it is shown to whoever runs relogin there.")
@click.option("--until", help="A moment (2027-01-31 or 2027-01-31T18:00) or a span (90m, 2h, 3d).")
def disable(*, reason: str, until: str | None, **given: Any) -> None:
    """Let nobody change anything on these hosts: every run from anywhere refuses, and says why.

    Looking and logging in go on. It is kept on the host, and ends by itself where --until is given.
    """
    from relogin.drive import holding

    end = _moment(until) if until else 0
    _run("disable", given, partial(holding.disable, reason=reason, until=end))


@click.command()
@on_hosts
def enable(**given: Any) -> None:
    """Take back what `relogin disable` has said."""
    from relogin.drive import holding

    _run("enable", given, holding.enable)


def _moment(text: str) -> int:
    """Give a moment in Unix time, from a span or a date of this machine's time zone."""
    seconds = {"m": 60, "h": 3600, "d": 86400}
    try:
        if text[-1] in seconds and text[:-1].isdecimal():
            moment = time.time() + int(text[:-1]) * seconds[text[-1]]
        else:
            moment = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise click.UsageError(
            f"--until {text!r} is no moment (2027-01-31) and no span (2h)"
        ) from None
    if moment <= time.time():
        raise click.UsageError(f"--until {text!r} is over already")
    return int(moment)


def _run(purpose: str, given: dict[str, Any], task: Work) -> None:
    from relogin.drive.command import carry_out
    from relogin.drive.session import Options
    from relogin.errors import UsageError
    from relogin.ledger.store import choose
    from relogin.ping import watched
    from relogin.report.files import Outputs

    outputs = Outputs(*(given.pop(name) for name in ("as_json", "junit", "prometheus", "html")))
    ssh = {name: given.pop(name) for name in SSH_NAMES}
    how = {name: given.pop(name, None) for name in ("report_only", "max_failures")}
    healed_ok = given.pop("healed_ok", False)
    ping = given.pop("ping", None)
    try:
        choose(given.pop("ledger"), Path(given["inventory"]).absolute().parent)
        run = partial(carry_out, purpose, Options(**given, ssh=ssh), outputs, task, **how)
        ended = watched(ping, given["inventory"], run)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    sys.exit(ended.told(healed_ok=healed_ok))
