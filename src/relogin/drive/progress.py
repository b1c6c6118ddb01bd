"""What a run says while it goes on: a live table on a terminal, plain lines in a pipe."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import click
from pyinfra.context import ctx_host

from relogin.redaction import redact

if TYPE_CHECKING:
    from pyinfra.api.host import Host

_ROWS = 12


class Progress(Protocol):
    """Takes the lines of a run, and that a host has ended."""

    def line(self, host: str, text: str) -> None: ...

    def ended(self, host: Host) -> None: ...


@contextlib.contextmanager
def shown(hosts: int) -> Iterator[Progress]:
    """Show a run's progress on stderr: live on a terminal that can, else line by line."""
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield Lines()
        return
    from rich.console import Console
    from rich.live import Live

    table = _Table(hosts)
    with Live(table, console=Console(stderr=True), refresh_per_second=8, transient=True) as live:
        table.live = live
        yield table


class Lines:
    """Writes each line as it comes, without colours where they are not wanted."""

    def line(self, host: str, text: str) -> None:
        """Write one line on stderr."""
        click.echo(text, err=True, color=False if os.environ.get("NO_COLOR") else None)

    def ended(self, host: Host) -> None:
        """Say nothing: the verdict will."""


class _Table:
    """The hosts that are being worked on, each with the last that was said of it."""

    def __init__(self, hosts: int) -> None:
        self.hosts, self.done = hosts, 0
        self.begun = time.monotonic()
        self.last: dict[str, str] = {}
        self.live: Any = None

    def line(self, host: str, text: str) -> None:
        from rich.text import Text

        if host:
            self.last[host] = click.unstyle(text).partition("] ")[2]
        self.live.console.print(Text.from_ansi(text), soft_wrap=True)

    def ended(self, host: Host) -> None:
        self.done += 1
        self.last.pop(host.name, None)

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        seconds = time.monotonic() - self.begun
        head = f"{self.done} of {self.hosts} hosts done, {seconds:.0f} s"
        width = max(map(len, self.last), default=0)
        rows = [
            Text.assemble((host.ljust(width + 2), "bold"), said, no_wrap=True, overflow="ellipsis")
            for host, said in list(self.last.items())[:_ROWS]
        ]
        return Group(Text(head, style="dim"), *rows)


class Handler(logging.Handler):
    """Hands what pyinfra logs to the progress of today, redacted, with the host it is about."""

    def __init__(self) -> None:
        super().__init__()
        self.progress: Progress = Lines()

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one line on; what is only for a debugger is left out."""
        host = ctx_host.get().name if ctx_host.isset() else ""
        self.progress.line(host, redact(record.getMessage()))
