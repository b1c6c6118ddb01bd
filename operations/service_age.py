"""Faults of a process that is older than what it was started with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from relogin.facts.env_file import EnvFileState
from relogin.facts.machine import Machine
from relogin.facts.service import ServiceState
from relogin.facts.unit_files import OURS
from relogin.facts.venv import VenvState
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations.auth_evidence import told_of_the_secret
from relogin.operations.service_control import NEEDED, moment, restart

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _older_than_env_file(backend: Backend, seen: Observation) -> Iterator[Finding]:
    service = seen.service
    if not isinstance(service, ServiceState) or not service.active or service.project is not None:
        return
    for declared, file in zip(backend.env_files, seen.env_files, strict=True):
        if not isinstance(file, EnvFileState):
            continue
        values = _in_force(seen, file, list(declared.keys))
        if _after_start(seen, file.changed, service):
            yield from _compared(seen, service, file, values)
        elif _set_back(seen, service) and (keys := _not_read(service, file, values)):
            yield _older(service, file, f"runs on other values of {file.path}", keys)


def _set_back(seen: Observation, service: ServiceState) -> bool:
    """Tell whether the process started in the future: by times nothing can be told then."""
    now = seen.machine.now if isinstance(seen.machine, Machine) else None
    return now is not None and service.started is not None and service.started > now + 2


def _not_read(service: ServiceState, file: EnvFileState, values: dict[str, str]) -> list[str]:
    """Give the keys whose values the process was not started with, though systemd reads them."""
    if service.environ is None or file.path not in service.environment_files:
        return []
    return [key for key, value in values.items() if service.environ.get(key) != value]


def _after_start(seen: Observation, changed: float, service: ServiceState) -> bool:
    """Compare sub-second times; ones that lie in the future say that the clock was set back."""
    if service.started is None or changed <= service.started:
        return False
    now = seen.machine.now if isinstance(seen.machine, Machine) else changed
    return changed <= now + 2


def _in_force(seen: Observation, file: EnvFileState, keys: list[str]) -> dict[str, str]:
    """Give those of the keys' values that no later file overrides."""
    last: dict[str, str] = {}
    for each in seen.env_files:
        if isinstance(each, EnvFileState):
            last.update({key: value for key, value in each.values.items() if value is not None})
    return {key: last[key] for key in keys if key in last and file.values.get(key) == last[key]}


def _compared(
    seen: Observation, service: ServiceState, file: EnvFileState, values: dict[str, str]
) -> Iterator[Finding]:
    """Judge a file that is newer than the process: by its mode alone it may be, too (inode(7)).

    A key that the process was not started with is read by the program itself (load_dotenv), which
    shows nowhere: that cannot be excluded, and a restart is cheap. Where the login fails, it comes
    before what the login says.
    """
    environ = service.environ or {}
    differing = [key for key, value in values.items() if environ.get(key, value) != value]
    unknown = [key for key in values if key not in environ]
    if differing:
        yield _older(service, file, f"runs on older values of {file.path}", differing)
    elif unknown:
        older = _older(service, file, f"may run on older values of {file.path}", [])
        fails = seen.login is not None and not seen.login.works
        yield replace(older, severity=Severity.CRITICAL) if fails else older


def _older(
    service: ServiceState, file: EnvFileState, what: str, differing: Sequence[str]
) -> Finding:
    return Finding(
        f"{service.name} {what}",
        subject=file.path,
        seen=f"started {moment(service.started)}, the file changed {moment(file.changed)}"
        + (f"; other values for {', '.join(differing)}" if differing else ""),
        expected="started after the file's last change",
        remedy="it is restarted",
        severity=Severity.CRITICAL if differing else Severity.WARNING,
    )


def _older_than_unit(backend: Backend, seen: Observation) -> Finding | None:
    """Find what a start on today's unit files would change.

    Files are touched for many reasons, so the process itself has to differ, too; but ours is only
    written where the settings were others.
    """
    service = seen.service
    if not isinstance(service, ServiceState) or not service.active:
        return None
    newer = [one for one in service.files if _after_start(seen, one.changed, service)]
    ours = [f"{one.path} is newer" for one in newer if one.name == OURS]
    differs = [*ours, *_differing(backend, seen, service)] if newer else []
    if not differs:
        return None
    return Finding(
        f"{service.name} runs on older settings than its unit has",
        subject=service.name,
        seen=f"started {moment(service.started)}; {', '.join(differs)}",
        expected="started after the last change of its files",
        remedy="it is restarted",
    )


def _differing(backend: Backend, seen: Observation, service: ServiceState) -> Iterator[str]:
    folder = service.working_directory
    if service.runs_as and service.runs_as != (service.user or "root"):
        yield f"it runs as {service.runs_as}, not as {service.user or 'root'}"
    if service.cwd and folder.startswith("/") and service.cwd != folder:
        yield f"it runs in {service.cwd}, not in {folder}"
    for declared, file in zip(backend.env_files, seen.env_files, strict=True):
        if isinstance(file, EnvFileState):
            values = _in_force(seen, file, list(declared.keys))
            if keys := _not_read(service, file, values):
                yield f"other values for {', '.join(keys)}"


def _older_than_venv(backend: Backend, seen: Observation) -> Finding | None:
    """Find what the process may not have loaded: what it imports late it may take from both."""
    service, venv = seen.service, seen.venv
    if not isinstance(service, ServiceState) or not isinstance(venv, VenvState):
        return None
    if not service.active or not _after_start(seen, venv.changed, service):
        return None
    return Finding(
        f"{service.name} is older than what is installed in {venv.path}",
        subject=venv.path,
        seen=f"started {moment(service.started)}, installed {moment(venv.changed)}",
        expected="started after the last installation",
        remedy="it is restarted",
    )


OLDER_THAN_UNIT = Fault(
    "service.older-than-unit",
    _older_than_unit,
    restart,
    unless=NEEDED,
    about="the process is older than its unit's files",
    remedy="it is restarted",
    check=(
        "systemctl show UNIT -p ExecMainStartTimestamp,FragmentPath,DropInPaths",
        "ls -l --time=ctime /etc/systemd/system/UNIT /etc/systemd/system/UNIT.d",
    ),
)
OLDER_THAN_ENV_FILE = Fault(
    "service.older-than-env-file",
    told_of_the_secret(_older_than_env_file),
    restart,
    unless=NEEDED,
    about="the process is older than its env file",
    remedy="it is restarted",
    check=("systemctl show UNIT -p ExecMainStartTimestamp", "stat -c '%z %n' ENV_FILE"),
)
OLDER_THAN_VENV = Fault(
    "service.older-than-venv",
    _older_than_venv,
    restart,
    severity=Severity.WARNING,
    unless=NEEDED,
    about="the process is older than what is installed for it",
    remedy="it is restarted",
    check=(
        "systemctl show UNIT -p ExecMainStartTimestamp",
        "ls -ltd --time=ctime VENV/lib/python3*/site-packages/*.dist-info",
    ),
)
