"""The commands of a fleet: a pass made by `relogin drift --queue`, and the workers that do it."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relogin.cli_run import LEDGER, LIMITS, SSH, SSH_NAMES

if TYPE_CHECKING:
    from relogin.ledger.postgres import Shared

_REACHING = (
    click.option("--data", multiple=True, help="Override host data: KEY=VALUE; repeatable."),
    click.option("--group-data", multiple=True, help="A further folder of group data; repeatable."),
    click.option("--config", default="config.py", show_default=True, help="pyinfra's config file."),
    click.option("--sudo", is_flag=True, help="Needs not be said: root is taken where it can be."),
    *SSH,
)

_WAYS = ("parallel", "silent", "tries", "backoff", "deadline")


def reaching(function: Any) -> Any:
    """Give a command the options that reach hosts."""
    for option in reversed(_REACHING):
        function = option(function)
    return function


@click.command()
@click.argument("queue", metavar="URL", envvar="RELOGIN_QUEUE")
@LEDGER
@click.option("--chdir", help="Change to this folder first: inventories are named from it.")
@click.option("--parallel", default=10, show_default=True, type=click.IntRange(1), help="Hosts.")
@click.option(
    "--silent", default=30.0, show_default=True, type=click.FloatRange(1),
    help="Seconds after which a worker that says nothing is dead, and its hosts are taken up.",
)  # fmt: skip
@click.option("--tries", default=3, show_default=True, type=click.IntRange(1), help="Of a host.")
@click.option(
    "--backoff", default=10.0, show_default=True, type=click.FloatRange(0.1),
    help="Seconds until the second try; each further one waits three times as long.",
)  # fmt: skip
@click.option(
    "--deadline", default=3600.0, show_default=True, type=click.FloatRange(1),
    help="Seconds for a host: what has not ended by then is ended, and the host has failed.",
)  # fmt: skip
@click.option("--every", metavar="CRON", help="Make a pass then, in five fields as cron has them.")
@click.option("--inventory", help="What --every is about.")
@LIMITS
@reaching
def worker(*, queue: str, ledger: str | None, chdir: str | None, **given: Any) -> None:
    """Work on the hosts of a queue at URL until it is ended; hosts that were begun are finished.

    URL is a PostgreSQL (or env:NAME, file:PATH, command:WORDS that has its URL), also from
    RELOGIN_QUEUE; the history goes there too, unless --ledger says where. Any number of workers may
    have the same queue: each has the inventories in its folder, at the same revision. Ends with 0
    if somebody ended it, 1 if the queue or the history cannot be used, 64 if it was asked for
    wrongly.
    """
    import asyncio

    from relogin.errors import UsageError
    from relogin.fleet import passes
    from relogin.ledger.store import LedgerError

    try:
        if chdir:
            os.chdir(chdir)
        passes.needed()
        url, history = places(queue, ledger, Path.cwd())
        from relogin.fleet.worker import Worker

        ways = _ways(given)
        with history.writing():
            pass
        asyncio.run(Worker(url, history.url, _options(given), ways).run())
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except (LedgerError, passes.QueueError, OSError) as error:
        raise click.ClickException(str(error)) from None


def places(queue: str, ledger: str | None, home: Path) -> tuple[Any, Shared]:
    """Give the URL of a queue, and the ledger of all who work on it: there too, or elsewhere.

    Raises:
        UsageError: one of them is no PostgreSQL.
    """
    from relogin.errors import UsageError
    from relogin.given import database
    from relogin.ledger.store import choose, place

    url, _ = database(queue, home, "the queue")
    choose(ledger or url.reveal(), home)
    history = place()
    if isinstance(history, Path):  # it was chosen just now
        raise UsageError("a queue needs a history in PostgreSQL: --ledger")
    return url, history


def _ways(given: dict[str, Any]) -> Any:
    from relogin.errors import UsageError
    from relogin.failures import allowed
    from relogin.fleet.revision import revision
    from relogin.fleet.worker import Ways

    every, inventory = given.pop("every") or "", given.pop("inventory")
    named = {name: given.pop(name) for name in _WAYS}
    scheduled = limits(given)
    if bool(every) != bool(inventory):
        raise UsageError("--every and --inventory belong together")
    if every:
        from croniter import croniter

        if not croniter.is_valid(every):
            raise UsageError(f"--every {every!r} is none of cron's five fields")
        revision(inventory, Path.cwd())
        allowed(scheduled["limit"], 1)
    return Ways(**named, every=every, scheduled={"inventory": inventory, **scheduled})


def limits(given: dict[str, Any]) -> dict[str, Any]:
    """Take the options of a pass out of those that were given; give them as it has them."""
    return {
        "report_only": given.pop("report_only"),
        "cooldown": given.pop("cooldown") * 60,
        "cap": given.pop("cap"),
        "window": given.pop("window") * 3600,
        "limit": given.pop("max_failures"),
    }


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """Give the options that reach hosts as the process that does so reads them."""
    ssh = {name: given.pop(name) for name in SSH_NAMES}
    data = ("scheduled=true", *given.pop("data"))
    return {**given, "data": data, "ssh": ssh}


def queued(queue: str, given: dict[str, Any]) -> None:
    """Make a pass over an inventory's hosts, wait for its end, and tell it; ends the process."""
    from relogin.errors import UsageError
    from relogin.fleet import passes, scheduling
    from relogin.ledger.store import LedgerError
    from relogin.ping import watched

    try:
        passes.needed()
        _refuse_what_workers_say(given)
        url, _ = places(queue, given.pop("ledger"), Path(given["inventory"]).absolute().parent)
        healed_ok, ping = given.pop("healed_ok"), given.pop("ping")
        asked = partial(scheduling.carried_out, url, given, limits(given))
        sys.exit(watched(ping, given["inventory"], asked).told(healed_ok=healed_ok))
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except (passes.QueueError, LedgerError) as error:
        raise click.ClickException(str(error)) from None


def _refuse_what_workers_say(given: dict[str, Any]) -> None:
    """Refuse what a job does not carry: how hosts are reached, and whatever may hold a secret.

    Raises:
        UsageError: with the option's name.
    """
    from relogin.errors import UsageError

    names = (*SSH_NAMES, "data", "group_data", "sudo", "use_sudo_password", "same_sudo_password")
    for name in (*names, "parallel", "ssh_password_prompt"):
        if given.get(name):
            option = name.replace("_", "-")
            raise UsageError(f"--{option} is for relogin worker: no job of a queue carries it")
