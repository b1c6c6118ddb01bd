"""One run of the relogin command, from its options to its exit code."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
import gevent
from pyinfra.api.state import StateStage

from relogin import change, run
from relogin.drive import hosts, progress, work
from relogin.drive.rolling import Rolling
from relogin.drive.session import Options, Session, begin, log_to
from relogin.failures import allowed
from relogin.outcome import Ended, Outcome
from relogin.redaction import redact
from relogin.report import document, text
from relogin.report.files import Outputs, as_json

if TYPE_CHECKING:
    from types import FrameType

    from relogin.drive.hosts import Work

_WITHOUT_VERDICT = ("disable", "enable")  # one line for each host says it all
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def carry_out(
    purpose: str,
    options: Options,
    outputs: Outputs,
    task: Work,
    *,
    report_only: bool | None = None,
    max_failures: str | None = None,
) -> Ended:
    """Run a task on every chosen host, tell it, and give how it ended.

    `report_only` is a drift run that corrects nothing. `max_failures` is how many hosts, or which
    share of them, may fail before no further one is begun with.

    Raises:
        UsageError: it was asked for wrongly; nothing was touched.
    """
    handler = progress.Handler()
    log_to(handler, styled=click.style)
    outputs.refuse_unwritable()
    session = begin(options)
    record = run.of(session.state)
    record.purpose, record.report_only = purpose, bool(report_only)
    record.said.ours = True
    rolling = Rolling(session, allowed(max_failures, len(session.work)))
    ended = _driven(session, task, handler, rolling)
    session.state.set_stage(StateStage.Disconnect)
    told = document.document(record, session.state)
    code = int(told["exit"]) if ended else INTERRUPTED
    if purpose not in _WITHOUT_VERDICT:
        _say(text.verdict(record, session.state), to_stderr=outputs.as_json)
    if outputs.as_json:
        click.echo(as_json(told))
    problems = outputs.write(told)
    for problem in problems:
        click.echo(problem, err=True)
    healed = not problems and code == Outcome.FINDINGS.code and not report_only
    return Ended(code or (1 if problems else 0), healed and all_mended(told))


def all_mended(told: dict[str, Any]) -> bool:
    """Tell whether a run that ended with findings left none but what is no more than a note."""
    backends = (one for host in told["hosts"] for one in host["backends"])
    return told["purpose"] == "drift" and all(map(document.all_mended, backends))


def _driven(session: Session, task: Work, handler: progress.Handler, rolling: Rolling) -> bool:
    """Work on all hosts; tell whether that came to its end, or somebody interrupted it."""
    work.stage(session.state, changing=run.of(session.state).changing)
    with _interruptible(), progress.shown(len(session.work)) as shown:
        handler.progress = shown
        try:
            hosts.each(session, task, ended=rolling.then(shown.ended), stopped=rolling.stopped)
        except (KeyboardInterrupt, SystemExit):
            for entry in run.of(session.state).entries.values():
                change.interrupted(entry)
            return False
        finally:
            handler.progress = progress.Lines()
    return True


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Have what interrupts the run raised where it waits for its hosts.

    Raised in the greenlet that runs just then, it is told with a traceback, or lost.
    """
    before = {one: signal.signal(one, _interrupted) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _interrupted(number: int, frame: FrameType | None) -> None:
    hub = gevent.get_hub()
    hub.loop.run_callback_threadsafe(hub.parent.throw, SystemExit)


def _say(verdict: str, *, to_stderr: bool) -> None:
    plain = False if os.environ.get("NO_COLOR") else None
    click.echo(redact(verdict), err=to_stderr, color=plain)
