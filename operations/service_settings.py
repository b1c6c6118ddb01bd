"""Faults of a unit's settings: others than declared, or not those that its files have today."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from relogin.facts.service import ServiceState
from relogin.facts.unit_files import OURS, SETTINGS, Settings, plain, together, unglobbed, words_of
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations import service_files
from relogin.operations.service_control import NEEDED, RELOAD, restart
from relogin.parts.runtime import Supervisor, Systemd

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _unit(backend: Backend, seen: Observation) -> tuple[Systemd, ServiceState] | None:
    if isinstance(backend.service, Systemd) and isinstance(seen.service, ServiceState):
        return backend.service, seen.service
    return None


# What is declared of each setting (nothing: it is not minded), and what a unit has; commands are
# compared by their words (None: only systemd can tell).
_DECLARED: dict[str, Callable[[Systemd], tuple[str, ...]]] = {
    "User": lambda part: (part.user,) if part.user else (),
    "WorkingDirectory": lambda part: tuple(map(plain, filter(None, [part.working_directory]))),
    "EnvironmentFile": lambda part: tuple(map(plain, part.environment_files)),
    "ExecStart": lambda part: tuple(filter(None, [words_of(part.exec_start or "")])),
}
_FOUND: dict[str, Callable[[Settings], tuple[str, ...] | None]] = {
    "User": lambda found: (found.user or "root",),
    "WorkingDirectory": lambda found: (found.working_directory,),
    "EnvironmentFile": lambda found: found.environment_files,
    "ExecStart": lambda found: found.commands,
}


def _in_force(service: ServiceState) -> Settings:
    """Give what systemd has read."""
    return Settings(
        plain(service.working_directory),
        tuple(unglobbed(plain(path)) for path in service.environment_files),
        user=service.user,
        commands=service.commands,
    )


def _settings(service: ServiceState) -> Settings:
    """Give what the files on disk say, or where only systemd can tell, what it has read."""
    disk = together(service.files)
    if disk is None:
        return _in_force(service)
    return (
        disk if disk.commands is not None else dataclasses.replace(disk, commands=service.commands)
    )


def _wrong_user(backend: Backend, seen: Observation) -> Finding | None:
    if isinstance(backend.service, Supervisor):
        return _wrong_user_of_program(backend.service, seen)
    return _other("User")(backend, seen)


def _wrong_user_of_program(part: Supervisor, seen: Observation) -> Finding | None:
    service = seen.service
    if not isinstance(service, ServiceState) or None in {part.user, service.main_pid}:
        return None
    if not service.runs_as or service.runs_as == part.user:
        return None
    return Finding(
        f"{service.name} runs as another user than declared",
        subject=service.name,
        seen=service.runs_as,
        expected=part.user or "",
        remedy=f"set user={part.user} of the program in {part.config}, then supervisorctl update",
        by_person=True,
    )


def _other(setting: str) -> Callable[[Backend, Observation], Finding | None]:
    def detect(backend: Backend, seen: Observation) -> Finding | None:
        unit = _unit(backend, seen)
        if unit is None or unit[1].load != "loaded":
            return None
        wanted, found = _DECLARED[setting](unit[0]), _settings(unit[1])
        had = _FOUND[setting](found)
        if not wanted or had == wanted:
            return None
        return _overruled(unit[1].name, setting, found, _said(setting, had), _said(setting, wanted))

    return detect


def _said(setting: str, values: tuple[str, ...] | None) -> str:
    """Say a setting; of a command only its program, for its arguments may hold a secret."""
    short = (
        f"{value.partition(' ')[0]} …" if setting == "ExecStart" else value
        for value in values or ()
    )
    return ", ".join(filter(None, short)) or "none"


def _overruled(unit: str, setting: str, found: Settings, had: str, wanted: str) -> Finding:
    """Name the file that says otherwise; drop-ins apply in the order of their names."""
    path = found.said_by.get(setting, "")
    beyond = path.rpartition("/")[2] > OURS and path.endswith(".conf")
    ours = f"our drop-in {unit}.d/{OURS} sets it" + (f", and overrules {path}" if path else "")
    return Finding(
        f"{unit} has another {setting} than declared",
        subject=unit,
        seen=had + (f", by {path}" if path else ""),
        expected=wanted,
        remedy=f"take {setting}= out of {path}: it applies after ours" if beyond else ours,
        by_person=beyond,
    )


def _write_drop_in(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Set what is declared in a drop-in of ours; the restart that is due is another fault's."""
    assert isinstance(backend.service, Systemd)  # noqa: S101 # without it no finding
    path = service_files.path_of_drop_in(backend.service)
    script = service_files.drop_in_written(backend, backend.service)
    yield Change(script, f"{path}: set what is declared, then systemctl daemon-reload")


def _needs_daemon_reload(backend: Backend, seen: Observation) -> Finding | None:
    unit = _unit(backend, seen)
    if unit is None or unit[1].fragment_gone or unit[1].configuration:
        return None
    part, service = unit
    if not (why := list(_unread(part, service))):
        return None
    harmless = service.active and _as_declared(part, service)
    return Finding(
        f"systemd has not read today's files of {service.name}",
        subject=service.name,
        seen="; ".join(why),
        expected="daemon-reload after their last change",
        remedy="it reads them, and the service is restarted if it runs",
        severity=Severity.WARNING if harmless else Severity.CRITICAL,
    )


def _unread(part: Systemd, service: ServiceState) -> Iterator[str]:
    """Say what systemd has not read.

    Its own NeedDaemonReload stays `no` for the first file in a new drop-in folder and for a file
    that came with an old modification time (cp -p, rsync -t, packages).
    """
    if service.stale:
        yield "systemd says so itself (NeedDaemonReload)"
    if service.load != "loaded":
        return
    known = {path.rpartition("/")[2] for path in service.drop_ins}
    for one in service.files:
        if f"/{part.full_name}.d/" in one.path and one.name not in known:
            yield f"{one.path} is not among its drop-ins"
    disk, force = together(service.files), _in_force(service)
    if disk is None:
        return
    for setting, found in _FOUND.items():
        asked = setting in SETTINGS or _DECLARED[setting](part)
        if asked and found(disk) not in {None, found(force)}:
            yield f"{setting} is {_said(setting, found(force))} in force"


def _as_declared(part: Systemd, service: ServiceState) -> bool:
    """Tell whether what systemd has read is all that is declared."""
    force = _in_force(service)
    declared = ((found(force), _DECLARED[setting](part)) for setting, found in _FOUND.items())
    return all(not wanted or had == wanted for had, wanted in declared)


def _reload(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Have the files read; what runs is restarted on them, what does not is started later."""
    service = seen.service
    if isinstance(service, ServiceState) and service.active and service.load == "loaded":
        yield from restart(backend, seen, finding)
    else:
        yield Change(RELOAD, "systemctl daemon-reload")


_SHOWN = "systemctl show UNIT -p {},FragmentPath,DropInPaths"
_SETS = "a drop-in of ours sets what is declared"
WRONG_USER = Fault(
    "service.wrong-user",
    _wrong_user,
    _write_drop_in,
    about="the service runs as another user than declared",
    remedy=f"{_SETS}; of a supervisord program, correct its section",
    check=(_SHOWN.format("User"), "ps -eo user,pid,args"),
)
WRONG_WORKING_DIRECTORY = Fault(
    "service.wrong-working-directory",
    _other("WorkingDirectory"),
    _write_drop_in,
    unless=("env_file.missing",),
    about="the unit starts in another directory than declared",
    remedy=_SETS,
    check=(_SHOWN.format("WorkingDirectory"),),
)
WRONG_ENVIRONMENT_FILE = Fault(
    "service.wrong-environment-file",
    _other("EnvironmentFile"),
    _write_drop_in,
    unless=("env_file.missing",),
    about="the unit has other environment files than declared",
    remedy=_SETS,
    check=(_SHOWN.format("EnvironmentFiles"),),
)
WRONG_COMMAND = Fault(
    "service.wrong-command",
    _other("ExecStart"),
    _write_drop_in,
    unless=("venv",),
    about="the unit starts another command than declared",
    remedy=_SETS,
    check=(_SHOWN.format("ExecStart"),),
)
NEEDS_DAEMON_RELOAD = Fault(
    "service.needs-daemon-reload",
    _needs_daemon_reload,
    _reload,
    unless=NEEDED,
    about="systemd has not read the unit's files of today",
    remedy="they are read, and what runs is restarted on them",
    check=(
        _SHOWN.format("NeedDaemonReload"),
        "ls -l --time=ctime /etc/systemd/system/UNIT /etc/systemd/system/UNIT.d",
    ),
)
