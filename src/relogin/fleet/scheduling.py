"""A pass from its beginning to its verdict, for whoever asked for it."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import relogin.drive  # noqa: F401 # first of all: it patches the standard library
from relogin.drive.command import all_mended
from relogin.drive.session import Options, begin
from relogin.failures import allowed
from relogin.fleet import passes
from relogin.fleet.passes import Asked, QueueError, Standing
from relogin.fleet.revision import revision
from relogin.ledger import whole
from relogin.outcome import Ended, Outcome, code
from relogin.redaction import redact
from relogin.report.files import Outputs, as_json

if TYPE_CHECKING:
    from relogin.secret import Secret

_OFTEN = 1.0  # seconds between two looks at how it stands
_PATIENCE = 120.0  # seconds without a queue
_MISSING = 5


def carried_out(url: Secret, given: dict[str, Any], limits: dict[str, Any]) -> Ended:
    """Make a pass, wait for its end and tell it; give how it ended.

    Raises:
        UsageError: it was asked for wrongly; nothing was queued.
        QueueError: the queue cannot be used.
        LedgerError: the history cannot be read.
    """
    outputs = Outputs(*(given[name] for name in ("as_json", "junit", "prometheus", "html")))
    outputs.refuse_unwritable()
    names = "inventory", "limit", "exclude", "config", "chdir"
    session = begin(Options(**{name: given[name] for name in names}))
    hosts = [host.name for host in session.work]
    share = allowed(limits.pop("limit"), len(hosts))
    now = revision(given["inventory"], Path.cwd())
    passes.prepare(url)
    try:
        name = passes.begin(url, hosts, Asked(given["inventory"], now, allowed=share, **limits))
    except passes.UnderWay as under_way:
        click.echo(f"{under_way}; no second one was begun", err=True)
        return Ended(Outcome.REFUSED.code)
    click.echo(f"the pass {name}: {len(hosts)} hosts are queued", err=True)
    _waited(url, name)
    ended = _told(name, hosts, outputs)
    return dataclasses.replace(ended, healed=ended.healed and not limits["report_only"])


def _waited(url: Secret, name: str) -> None:
    """Wait for the end of a pass; a queue that is lost meanwhile is waited for as well."""
    lost = 0.0
    known = Standing(todo=("",))
    while not known.ended:
        time.sleep(_OFTEN)
        try:
            former, known, lost = known, passes.standing(url, name), 0.0
        except QueueError as error:
            if not lost:
                click.echo(f"{error}; the pass goes on, and is waited for", err=True)
            lost = lost or time.monotonic()
            if time.monotonic() - lost > _PATIENCE:
                raise
            continue
        if len(former.done) != len(known.done) or len(former.failed) != len(known.failed):
            whole = sum(map(len, (known.todo, known.doing, known.failed, known.done)))
            ended = len(known.done) + len(known.failed)
            click.echo(f"{ended} of {whole + len(known.left_out)} hosts done", err=True)


def _told(name: str, hosts: list[str], outputs: Outputs) -> Ended:
    """Tell what the history has of a pass; a host of which it has nothing is an error."""
    told = whole.of_pass(name)
    known = {one["host"]: one for one in told["hosts"]} if told else {}
    missing = [host for host in hosts if host not in known]
    for one in (known[host] for host in hosts if host in known):
        if code([one["outcome"]]) != 0:
            why = one["error"] or _why(one)
            line = f"{one['host']}: {one['outcome']}{f': {redact(why)}' if why else ''}"
            click.echo(line, err=outputs.as_json)
    counts: dict[str, int] = {}
    for one in known.values():
        counts[one["outcome"]] = counts.get(one["outcome"], 0) + 1
    said = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    click.echo(f"{len(known)} of {len(hosts)} hosts: {said}", err=outputs.as_json)
    if missing:
        shown = ", ".join(missing[:_MISSING])
        click.echo(f"nothing is known of {len(missing)} hosts: {shown}", err=True)
    if told is None:
        return Ended(1)
    if outputs.as_json:
        click.echo(as_json(told))
    problems = outputs.write(told)
    for problem in problems:
        click.echo(problem, err=True)
    worst = int(told["exit"])
    if missing and worst != Outcome.REFUSED.code:
        return Ended(1)
    healed = not problems and worst == Outcome.FINDINGS.code and all_mended(told)
    return Ended(worst or (1 if problems else 0), healed)


def _why(host: dict[str, Any]) -> str:
    """Say of a host what is left there, or why it was not gone on with."""
    for one in host["backends"]:
        left = [found["what"] for found in one["findings"] if found["state"] == "left"]
        if said := one["halted"] or next(iter(left), ""):
            return f"{one['backend']}: {said}"
    return ""
