"""All hosts of a run side by side, one greenlet each: what befalls one is its own business."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pyinfra import logger
from pyinfra.api.exceptions import ConnectError
from pyinfra.context import ctx_host

from relogin import run, wire
from relogin.redaction import redact

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.drive.session import Session

Work = Callable[["Host", "Backend"], None]
Ended = Callable[["Host"], None]


def each(
    session: Session, work: Work, *, ended: Ended, stopped: Callable[[Host], bool] | None = None
) -> None:
    """Connect to every host, work on its backends one after another, and let it go.

    Never raises for a host: what went wrong is in the run's record. `ended` is told of each host
    once it has been let go. `stopped` is asked of each before it is begun with: those of which it
    says so are left alone.
    """
    pool = session.state.pool
    assert pool is not None  # noqa: S101 # State.init made it
    for host in session.work:
        if stopped is not None:
            pool.wait_available()  # it is asked as late as can be
            if stopped(host):
                continue
        pool.spawn(_one, session, host, work, ended)
    pool.join()


def _one(session: Session, host: Host, work: Work, ended: Ended) -> None:
    ctx_host.set(host)
    try:
        if _connected(session, host):
            for backend in session.work[host]:
                _guarded(session, host, backend, work)
                run.entry(session.state, host, backend).forget()
    finally:
        wire.let_go(host)
        ended(host)
        ctx_host.reset()


def _connected(session: Session, host: Host) -> bool:
    record = run.of(session.state)
    try:
        host.connect(show_errors=False, raise_exceptions=True)
    except ConnectError as error:
        record.lost[host.name] = redact(str(error))
    except Exception as error:  # noqa: BLE001 # a connector may raise anything
        record.lost[host.name] = redact(told(error))
    if host.name in record.lost:
        host.log_styled(record.lost[host.name], fg="red", log_func=logger.error)
        return False
    session.state.activate_host(host)
    return True


def _guarded(session: Session, host: Host, backend: Backend, work: Work) -> None:
    try:
        work(host, backend)
    except Exception as error:  # noqa: BLE001 # the other hosts go on
        entry = run.entry(session.state, host, backend)
        entry.halted = f"relogin itself failed: {told(error)}; report it with this line"
        host.log_styled(entry.halted, fg="red", log_func=logger.error)


def told(error: BaseException) -> str:
    """Give an error's type and place; its message may hold what nobody is to read."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
