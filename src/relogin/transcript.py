"""What was logged of each host while a run went on, redacted: the report of the run has it."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from pyinfra import logger
from pyinfra.context import ctx_host, ctx_state

from relogin.finding import legible
from relogin.redaction import redact, redact_foreign

# Of each host so many lines are kept of the beginning, and of the end of a longer one.
_FIRST, _LAST, _LONG = 200, 200, 2000

Line = dict[str, Any]  # at: Unix time, line: text


class Transcript:
    """Keeps what is said of each host.

    `ours` says that only relogin logs there, which redacts what others wrote; else somebody's own
    deploy may log anything.
    """

    def __init__(self) -> None:
        self.ours = False
        self._first: dict[str, list[Line]] = {}
        self._last: dict[str, deque[Line]] = {}
        self._count: dict[str, int] = {}

    def keep(self, host: str, text: str, at: float) -> None:
        """Keep one line of a host, with what is or looks like a secret left out."""
        import click

        plain = click.unstyle(text).removeprefix(f"[{host}] ")
        clean = redact(plain) if self.ours else redact_foreign(plain)
        line = {"at": round(at, 3), "line": legible(clean)[:_LONG]}
        first = self._first.setdefault(host, [])
        self._count[host] = self._count.get(host, 0) + 1
        if len(first) < _FIRST:
            first.append(line)
        else:
            self._last.setdefault(host, deque(maxlen=_LAST)).append(line)

    def of(self, host: str) -> list[Line]:
        """Give a host's lines in their order; one of ours stands for those that were left out."""
        first, last = self._first.get(host, []), self._last.get(host, deque())
        left_out = self._count.get(host, 0) - len(first) - len(last)
        gap = [{"at": last[0]["at"], "line": f"… {left_out} lines left out"}] if left_out else []
        return [*first, *gap, *last]


class _Listener(logging.Handler):
    """Hands what pyinfra's logger is told of a host to its run; nothing for a debugger."""

    def emit(self, record: logging.LogRecord) -> None:
        from relogin import run

        if ctx_host.isset() and ctx_state.isset():
            mine = run.known(ctx_state.get())
            if mine is not None:
                mine.said.keep(ctx_host.get().name, record.getMessage(), record.created)


_LISTENER = _Listener(logging.INFO)


def follow() -> None:
    """Keep what is logged from now on, each line in its own run; a second call adds nothing."""
    logger.addHandler(_LISTENER)
