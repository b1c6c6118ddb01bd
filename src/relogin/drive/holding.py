"""Disable and enable: one change each, on the host, that every run from anywhere honours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyinfra import logger
from pyinfra import state as current_state

from relogin import remote, run
from relogin.facts import hold
from relogin.finding import Unreadable
from relogin.report.document import operator
from relogin.run import Done

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend


def disable(host: Host, backend: Backend, *, reason: str, until: int) -> None:
    """Disable relogin for a backend on a host, `until` a Unix time, or 0 for no end."""
    made = hold.Hold(until, operator(), reason)
    _change(host, backend, hold.disabled(backend, made), made.said)


def enable(host: Host, backend: Backend) -> None:
    """Enable it again."""
    _change(host, backend, hold.enabled(backend), "enabled")


def _change(host: Host, backend: Backend, script: str, said: str) -> None:
    record = run.entry(current_state, host, backend)
    answer = remote.change(host, script, deadline=30)
    ok = not isinstance(answer, Unreadable) and answer.status == 0
    why = answer.reason if isinstance(answer, Unreadable) else "\n".join(answer.lines)
    record.looked = record.executed = True
    record.changes.append(Done(f"{backend.name}: {said}", ok, output="" if ok else why))
    record.halted = None if ok else f"it could not be written there: {why}"
    text = f"{backend.name}: {said}" if ok else f"{backend.name}: not written: {why}"
    host.log_styled(text, fg="cyan" if ok else "red", log_func=logger.info)
