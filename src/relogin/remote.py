"""The private channel: one script on stdin, its answer in frames. Nothing else talks to hosts.

What pyinfra prints or puts in an argv, others can read; stdin is neither. pyinfra's own parts used
here beyond its documented API are pinned by tests/surface.
"""

from __future__ import annotations

import base64
import binascii
import getpass
import logging
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyinfra.api import StringCommand

from relogin import shell
from relogin.finding import Unreadable
from relogin.secret import Secret, SecretMissing, redact

if TYPE_CHECKING:
    from collections.abc import Mapping

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
echo "#sudo-refused\"""")
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


@dataclass
class _Channel:
    """What this run knows of a host's channel."""

    refused: bool = False
    deadlines_set: bool = False


def ask(host: Host, parts: Mapping[str, str], *, deadline: float) -> dict[str, Answer] | Unreadable:
    """Run the parts of a look side by side in one remote command.

    A part whose line did not arrive or cannot be decoded is missing in the answer; an answer
    without its end mark is Unreadable as a whole.
    """
    lines = _run(host, shell.side_by_side(parts), deadline)
    if isinstance(lines, Unreadable):
        return lines
    answers = dict(pair for line in lines if (pair := answer_in(line)) is not None)
    return {name: answer for name, answer in answers.items() if name in parts}


def change(host: Host, script: str, *, deadline: float) -> Answer | Unreadable:
    """Run a script that changes something: its output and status, or that these are unknown."""
    answers = ask(host, {"change": f"(\n{script}\n)"}, deadline=deadline)
    if isinstance(answers, Unreadable):
        return answers
    return answers.get("change") or Unreadable("the answer could not be decoded")


def _run(host: Host, script: str, deadline: float) -> list[str] | Unreadable:
    channel = _channel(host)
    if channel.refused:
        return Unreadable(_REFUSED)
    password = _password(host)
    if isinstance(password, Unreadable):
        return password
    command, before = _command(host, password)
    head, tail = "exec 2>/dev/null\n{\n", "\necho '#end'\nexit 0\n}"
    prelude = shell.PRELUDE + (_FORBIDDEN if host.data.get("_sudo") is False else "")
    whole = f"{head}{prelude}\necho '#relogin 1'\n{script}{tail}"
    _set_deadlines(host, channel)
    try:
        _, output = host.run_shell_command(
            StringCommand(command),
            print_output=False,
            print_input=False,
            _stdin=[*before, whole],
            _timeout=int(deadline) + 10,
        )
    except Exception as error:  # noqa: BLE001 # out of an operation any exception aborts every host
        return Unreadable(_unreachable(error, deadline))
    return _body(channel, [line.line for line in output if line.buffer_name == "stdout"])


def _body(channel: _Channel, lines: list[str]) -> list[str] | Unreadable:
    if "#sudo-refused" in lines:
        channel.refused = True
        return Unreadable(_REFUSED)
    if "#relogin 1" not in lines or "#end" not in lines:
        return Unreadable("the connection was lost before the answer was complete")
    return lines[lines.index("#relogin 1") + 1 : lines.index("#end")]


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


def _unreachable(error: Exception, deadline: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {deadline:g} s; what was running may still run"
    return redact(f"the connection failed: {type(error).__name__}: {error}")


def _command(host: Host, password: str | None) -> tuple[str, list[str]]:
    if host.data.get("_sudo") is False:
        return _PLAIN, []
    if password is None:
        return _ELEVATE, []
    return _ELEVATE_ASKED, [password, password]


def _channel(host: Host) -> _Channel:
    channel: _Channel = host.connector_data.setdefault("relogin", _Channel())
    return channel


def _password(host: Host) -> str | Unreadable | None:
    """Give the sudo password: declared for the host, or asked for once at the run's start."""
    declared = host.data.get("sudo_password") or host.data.get("_sudo_password")
    try:
        if isinstance(declared, Secret):
            return declared.reveal()
    except SecretMissing as missing:
        return Unreadable(f"sudo_password: {missing}")
    config = host.state.config
    given = declared or config.SUDO_PASSWORD
    if not given and getattr(config, "USE_SUDO_PASSWORD", False) and sys.stdin.isatty():
        given = config.SUDO_PASSWORD = getpass.getpass("sudo password: ")
    return Secret.seen(given).reveal() if given else None


def _set_deadlines(host: Host, channel: _Channel) -> None:
    """Bound how long opening a channel may take: pyinfra's `_timeout` does not cover it."""
    transport = ssh_transport(host)
    if transport is None or channel.deadlines_set:
        return
    transport.channel_timeout = 15
    transport.set_keepalive(15)
    channel.deadlines_set = True


def ssh_transport(host: Host) -> Any:
    """Give the host's paramiko transport, or None where it is not reached over SSH."""
    client = getattr(host.connector, "client", None)
    return client.get_transport() if client is not None else None
