"""The private channel: one script on stdin, its answer in frames. Nothing else talks to hosts.

What pyinfra prints or puts in an argv, others can read; stdin is neither. pyinfra's own parts used
here beyond its documented API are pinned by tests/surface.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import getpass
import hashlib
import logging
import re
import sys
import time
from dataclasses import field
from typing import TYPE_CHECKING

from relogin import shell, trace, wire
from relogin.finding import Unreadable, legible
from relogin.redaction import redact
from relogin.secret import Secret, SecretMissing
from relogin.values import dataclass
from relogin.wire import Cut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyinfra.api.host import Host

logging.getLogger("paramiko").addHandler(logging.NullHandler())  # it would print on stderr

# Where sudo itself refuses, it ends with 1 and has read nothing of the script, which ends with 0.
_ELEVATE = shell.portable("""\
[ "$(id -u)" != 0 ] || exec sh -s
sudo -n sh -s 2>/dev/null
case $? in 1 | 127) exec sh -s ;; esac""")
# The password comes twice: the first line is tried with nothing behind it, since sudo would take
# the script's lines for its second and third try and lock the operator out (sudoers(5),
# passwd_tries); the second line is for the real run.
_ELEVATE_ASKED = shell.portable("""\
IFS= read -r p
if [ "$(id -u)" = 0 ]; then IFS= read -r p; exec sh -s; fi
if sudo -n true </dev/null 2>/dev/null; then IFS= read -r p; exec sudo -n sh -s; fi
if printf "%s\\n" "$p" | sudo -S -k -p "" true 2>/dev/null; then exec sudo -S -k -p "" sh -s; fi
echo; echo "#sudo-refused\"""")
_PLAIN = "exec sh -s"
_FORBIDDEN = "sudo() { return 1; }\n"  # `_sudo = False`: not for the administrator's psql either
_REFUSED = "sudo refused the password that was given (tried once, so as not to lock you out)"


@dataclass(frozen=True)
class Answer:
    """What one part of a script wrote, and its exit status."""

    text: bytes = field(repr=False)
    status: int

    @property
    def lines(self) -> list[str]:
        return self.text.decode("utf-8", "replace").splitlines()


_BUSY = "a change of an earlier run is still running there (process {pid}): run again when it ended"
_UNKNOWN = "the outcome of a change is unknown"
_BEGIN = b"\n#relogin 2\n"
_END = re.compile(rb"\n#end (\d+) (?:([0-9a-f]{64})  -)?\n|\n#sudo-refused\n")


@dataclasses.dataclass
class _Channel:
    """What this run knows of a host's channel; `stopped` is why nothing more is asked of it."""

    stopped: str = ""
    kept_alive: bool = False


def ask(
    host: Host,
    parts: Mapping[str, str],
    *,
    deadline: float,
    sent: Callable[[], object] | None = None,
) -> dict[str, Answer] | Unreadable:
    """Run the parts of a look side by side in one remote command, within `deadline` seconds.

    A part whose line did not arrive or cannot be decoded is missing in the answer; an answer
    without its end, or that is not what was sent, is Unreadable as a whole. `sent` is called as
    relogin.wire.run says.
    """
    try:
        lines = _run(host, shell.side_by_side(parts), deadline, sent=sent)
    except Cut as cut:
        return Unreadable(str(cut), cut.held)
    answers = dict(pair for line in lines if (pair := answer_in(line)) is not None)
    trace.parts(host, answers)
    return {name: answer for name, answer in answers.items() if name in parts}


def change(host: Host, script: str, *, deadline: float) -> Answer | Unreadable:
    """Run a script that changes something, within `deadline` seconds: its status, its last output.

    Unreadable says that its outcome is unknown, or that it was not begun: nothing more is asked of
    that host in this run then.
    """
    try:
        for line in _run(host, shell.one("change", script), deadline, changes=True):
            if (pair := answer_in(line)) is not None:
                return pair[1]
        raise Cut("its answer could not be decoded")
    except Cut as cut:
        known = f"{_UNKNOWN}: {cut}" if cut.begun else f"a change was not begun: {cut}"
        _channel(host).stopped = known
        return Unreadable(known, cut.held)


def _run(
    host: Host,
    script: str,
    deadline: float,
    *,
    changes: bool = False,
    sent: Callable[[], object] | None = None,
) -> list[str]:
    """Give the lines that a script wrote, once they are known to be all of them.

    Raises:
        Cut: they are not.
    """
    channel = _channel(host)
    if channel.stopped:
        raise Cut(channel.stopped, begun=False)
    command, before = _command(host)
    _keep_alive(host, channel)
    forbidden = _FORBIDDEN if host.data.get("_sudo") is False else ""
    stdin = before + shell.framed(script, prelude=shell.PRELUDE + forbidden, changes=changes)
    started = time.monotonic()
    received = wire.run(host, command, stdin, deadline=deadline, end=_END, sent=sent)
    took = time.monotonic() - started
    trace.command(host, changes=changes, sent=len(stdin), received=len(received), seconds=took)
    if received.endswith(b"\n#sudo-refused\n"):
        channel.stopped = _REFUSED
        raise Cut(_REFUSED, begun=False)
    return unframed(received)


def unframed(received: bytes) -> list[str]:
    """Take the lines of an answer out of its frame, and out of what a login script wrote before it.

    Raises:
        Cut: the frame is broken, or what is in it has another length or another sum.
    """
    _, begin, answer = received.rpartition(_BEGIN)
    if not begin:
        raise Cut(_not_run(received))
    if answer.startswith(b"#busy "):
        head, *leases = answer.decode("utf-8", "replace").splitlines()
        pid, *now = head.split()[1:] or ["unknown"]
        raise Cut(_BUSY.format(pid=pid), begun=False, held=(*now, *leases))
    end = _END.search(answer)
    if end is None or end[1] is None:
        raise Cut("the answer broke off before it was complete")
    body = answer[: end.start()]
    right = end[2] is None or hashlib.sha256(body).hexdigest().encode() == end[2]
    if len(body) != int(end[1]) or not right or not body.isascii():
        raise Cut("its answer is not what was sent: something else wrote between its lines")
    return body.decode().splitlines()


def answer_in(line: str) -> tuple[str, Answer] | None:
    """Give the part's name and answer that a line of output holds; None where it holds none."""
    name, _, payload = line.partition("\t")
    try:
        if payload.startswith("hex:"):
            raw = bytes.fromhex(payload[4:])
        else:
            raw = base64.b64decode(payload, validate=True)
        text, _, status = raw.rpartition(b"\n#rc=")
        return name, Answer(text, int(status))
    except (ValueError, binascii.Error):
        return None


def _not_run(noise: bytes) -> str:
    lines = [line for line in noise.decode("utf-8", "replace").splitlines() if line.strip()]
    said = f"; it said {legible(redact(lines[-1]))[:100]!r}" if lines else ""
    return f"the host did not run our script{said}"


def _command(host: Host) -> tuple[str, str]:
    """Give the command that runs a script from its stdin, and the lines before that one.

    Raises:
        Cut: the declared sudo password has no value.
    """
    if host.data.get("_sudo") is False:
        return _PLAIN, ""
    password = _password(host)
    if password is None:
        return _ELEVATE, ""
    return _ELEVATE_ASKED, f"{password}\n{password}\n"


def _channel(host: Host) -> _Channel:
    channel: _Channel = host.connector_data.setdefault("relogin", _Channel())
    return channel


def _password(host: Host) -> str | None:
    """Give the sudo password: declared for the host, or asked for once at the run's start."""
    declared = host.data.get("sudo_password") or host.data.get("_sudo_password")
    try:
        if isinstance(declared, Secret):
            return declared.reveal()
    except SecretMissing as missing:
        raise Cut(f"sudo_password: {missing}", begun=False) from None
    config = host.state.config
    given = declared or config.SUDO_PASSWORD
    if not given and getattr(config, "USE_SUDO_PASSWORD", False) and sys.stdin.isatty():
        given = config.SUDO_PASSWORD = getpass.getpass("sudo password: ")
    return Secret.seen(given).reveal() if given else None


def _keep_alive(host: Host, channel: _Channel) -> None:
    """Let a person sit at the prompt: what forwards the connection may forget a silent one."""
    transport = wire.ssh_transport(host)
    if transport is not None and not channel.kept_alive:
        transport.set_keepalive(15)
        channel.kept_alive = True
