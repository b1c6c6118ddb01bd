"""The text of the two units by which systemd runs `relogin drift` on a schedule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256

from relogin import unit_text
from relogin.schedule import PING, Schedule

FOLDER = "/etc/systemd/system"
MARK = "# Made by relogin (schedule_drift): "
_SAFE = re.compile(r"[A-Za-z0-9_@:,./=+-]+")
# Nothing of this keeps a run from its hosts by SSH, only from writing to this machine. Root needs a
# capability: to read the inventory and the keys in another user's home.
_OVER_SSH = (
    "ProtectSystem=strict",
    "ProtectHome=read-only",
    *unit_text.NO_OTHERS,
    "CapabilityBoundingSet={capabilities}",
    *unit_text.FEW_CALLS,
)
# What mends its own machine writes where backends live, runs as whoever owns them, and sees their
# processes. This holds for what sudo gives as well, and implies nothing.
_LOCAL = """\
ProtectSystem=yes
ReadWritePaths={writable}
ProtectControlGroups=yes
PrivateMounts=yes
DevicePolicy=closed
CapabilityBoundingSet=~CAP_AUDIT_CONTROL CAP_BLOCK_SUSPEND CAP_BPF CAP_CHECKPOINT_RESTORE \
CAP_IPC_LOCK CAP_LEASE CAP_LINUX_IMMUTABLE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_MKNOD CAP_NET_ADMIN \
CAP_NET_BROADCAST CAP_NET_RAW CAP_PERFMON CAP_SETFCAP CAP_SYSLOG CAP_SYS_ADMIN CAP_SYS_BOOT \
CAP_SYS_CHROOT CAP_SYS_MODULE CAP_SYS_PACCT CAP_SYS_RAWIO CAP_SYS_TIME CAP_SYS_TTY_CONFIG \
CAP_WAKE_ALARM"""
_LOCAL_ROOT = """\
RestrictNamespaces=yes
SystemCallFilter=~@clock @cpu-emulation @debug @module @mount @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM"""


def unit_paths(name: str) -> tuple[str, str]:
    """Give where the service and the timer of this name are."""
    return f"{FOLDER}/{name}.service", f"{FOLDER}/{name}.timer"


def secrets_folder(name: str) -> str:
    """Give where the secrets are kept, which only root enters."""
    return f"/etc/relogin/{name}"


def texts(schedule: Schedule, command: str) -> dict[str, str]:
    """Give both units by their paths, each with a mark that says that it is ours, as written."""
    service, timer = unit_paths(schedule.name)
    return {
        service: _marked(_service(schedule, command)),
        timer: _marked(_timer(schedule)),
    }


def _marked(lines: Iterator[str]) -> str:
    body = "\n".join([*lines, ""])
    return f"{MARK}{sha256(body.encode()).hexdigest()}\n{body}"


def _timer(schedule: Schedule) -> Iterator[str]:
    yield "[Unit]"
    yield f"Description=When {schedule.name}.service corrects drift"
    yield ""
    yield "[Timer]"
    yield f"OnCalendar={_escaped(schedule.on_calendar)}"
    yield f"RandomizedDelaySec={_escaped(schedule.delay)}"
    yield "Persistent=true"
    yield "AccuracySec=1s"
    yield ""
    yield "[Install]"
    yield "WantedBy=timers.target"


def _service(schedule: Schedule, command: str) -> Iterator[str]:
    yield "[Unit]"
    yield f"Description=relogin drift {_escaped(schedule.inventory)}"
    yield "Wants=network-online.target"
    yield "After=network-online.target"
    yield ""
    yield "[Service]"
    yield "Type=oneshot"
    yield f"User={schedule.user}"
    yield f"WorkingDirectory={_escaped(schedule.folder)}"
    yield f"ExecStart={_command(schedule, command)}"
    yield f"TimeoutStartSec={_escaped(schedule.longest)}"
    yield f"SyslogIdentifier={schedule.name}"
    yield f"StateDirectory={schedule.name}"
    yield "StateDirectoryMode=0700"
    yield f"Environment=RELOGIN_STATE=%S/{schedule.name}"
    for key in schedule.credentials():
        yield f"LoadCredential={key}:{secrets_folder(schedule.name)}/{key}"
    yield "KeyringMode=private"
    yield "UMask=0077"
    yield from _sandbox(schedule)


def _sandbox(schedule: Schedule) -> Iterator[str]:
    """Give what keeps a run from this machine's files; from fewer, where it is to mend them."""
    root = schedule.user == "root"
    if root or not schedule.local:  # sudo fails with it: who mends his own machine has none of it
        yield from unit_text.NO_KERNEL
    writes = " ".join(map(_word, schedule.writes))
    if schedule.local:
        writable = f"-/usr/local {writes}".strip()
        yield from _LOCAL.format(writable=writable).split("\n")
        yield from _LOCAL_ROOT.split("\n") if root else ()
        return
    capabilities = "CAP_DAC_READ_SEARCH" if root else ""
    yield from (line.format(capabilities=capabilities) for line in _OVER_SSH)
    if schedule.writes:
        yield f"ReadWritePaths={writes}"


def _command(schedule: Schedule, command: str) -> str:
    words = [command, "drift", schedule.inventory, *schedule.options, "--healed-ok"]
    if schedule.ping:
        words += ["--ping", f"env:{PING}"]
    return " ".join(_word(word).replace("$", "$$") for word in words)


def _escaped(text: str) -> str:
    """Give a text in which no specifier is one (systemd.unit(5), "Specifiers")."""
    return text.replace("%", "%%")


def _word(text: str) -> str:
    """Give a text as one word of a list (systemd.syntax(7), "Quoting")."""
    escaped = _escaped(text)
    if _SAFE.fullmatch(text):
        return escaped
    inner = escaped.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'
