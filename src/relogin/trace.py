"""What goes over the line, said at `-v`: how much, and how long it took, never what it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pyinfra import logger

from relogin.finding import legible
from relogin.redaction import redact

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.remote import Answer
    from relogin.web import Reply


def command(host: Host, *, changes: bool, sent: int, received: int, seconds: float) -> None:
    """Say at `-v` that a remote command was run: bytes each way, and seconds."""
    if host.state.print_noop_info:
        what = "change" if changes else "look"
        _say(host, f"remote command, a {what}: {sent} B there, {received} B back, {seconds:.2f} s")


def parts(host: Host, answers: Mapping[str, Answer]) -> None:
    """Say at `-vv` what the parts of a look ended with, and how many bytes each of them wrote."""
    if host.state.print_input:
        for name, answer in answers.items():
            _say(host, f"  {name}: status {answer.status}, {len(answer.text)} B")


def requests(host: Host) -> Callable[[str, str, Reply], None]:
    """Give what says at `-v` that a request was sent, and what came of it: method, URL, reply.

    It may be called where pyinfra's current host is not set, as in requests side by side.
    """
    if not host.state.print_noop_info:
        return lambda method, url, reply: None
    prefix = host.print_prefix
    return lambda method, url, reply: _told(
        prefix, f"{method} {url}: {reply.shown}, {reply.seconds:.2f} s"
    )


def _say(host: Host, text: str) -> None:
    _told(host.print_prefix, text)


def _told(prefix: str, text: str) -> None:
    logger.info(f"{prefix}{redact(legible(text))}")
