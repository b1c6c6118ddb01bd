"""Faults of a unit's settings: others than declared, or not those that its files have today."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import shell, undo
from relogin.facts.service import ServiceState
from relogin.facts.unit_files import OURS, Settings, plain, together, unglobbed
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.service_age import NEEDED
from relogin.operations.service_control import RELOAD, restart
from relogin.parts.runtime import Systemd

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _unit(backend: Backend, seen: Observation) -> tuple[Systemd, ServiceState] | None:
    if isinstance(backend.service, Systemd) and isinstance(seen.service, ServiceState):
        return backend.service, seen.service
    return None


def _settings(service: ServiceState) -> Settings:
    """Give what the files on disk say, or where only systemd can tell, what it has read."""
    shown = Settings(plain(service.working_directory), _environment_files(service))
    return together(service.files) or shown


def _environment_files(service: ServiceState) -> tuple[str, ...]:
    return tuple(unglobbed(plain(path)) for path in service.environment_files)


def _wrong_working_directory(backend: Backend, seen: Observation) -> Finding | None:
    unit = _unit(backend, seen)
    if unit is None or unit[1].load != "loaded" or unit[0].working_directory is None:
        return None
    found, wanted = _settings(unit[1]), plain(unit[0].working_directory)
    if found.working_directory == wanted:
        return None
    return _overruled(
        unit[1].name, "WorkingDirectory", found, found.working_directory or "none", wanted
    )


def _wrong_environment_file(backend: Backend, seen: Observation) -> Finding | None:
    unit = _unit(backend, seen)
    if unit is None or unit[1].load != "loaded" or not unit[0].environment_files:
        return None
    found, wanted = _settings(unit[1]), tuple(map(plain, unit[0].environment_files))
    if found.environment_files == wanted:
        return None
    had = ", ".join(found.environment_files) or "none"
    return _overruled(unit[1].name, "EnvironmentFile", found, had, ", ".join(wanted))


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
    part = backend.service
    folder = f"/etc/systemd/system/{part.full_name}.d"
    why = f"{folder}/{OURS}: set what is declared, then systemctl daemon-reload"
    yield Change(_drop_in_script(backend, part, folder), why)


def _drop_in_script(backend: Backend, part: Systemd, folder: str) -> str:
    needed = [*filter(None, [part.working_directory]), *part.environment_files]
    there = shell.quote(f"{folder}/{OURS}")
    return f"""\
{undo.store(backend)}folder={shell.quote(folder)}; target={there}
for f in {shell.words(needed)}; do
  [ -e "$f" ] || {{ echo "$f does not exist: no start would find it"; exit 1; }}
done
[ -d "$folder" ] || {{ keep "$folder"; mkdir -p -m 755 "$folder"; }}
beside "$target"
{shell.fed(drop_in(part), 'cat >"$new"')}
keep "$target"; becomes "$new"
chmod 644 "$new"; sync "$new" 2>/dev/null || sync
mv -f "$new" "$target"
{RELOAD}
"""


def drop_in(part: Systemd) -> str:
    """Give the drop-in's text: an empty EnvironmentFile= takes back those before it."""
    lines = ["# Written by relogin: what the backend's description declares.", "[Service]"]
    if part.working_directory is not None:
        lines.append(f"WorkingDirectory={_escaped(part.working_directory)}")
    if part.environment_files:
        files = [f"EnvironmentFile={_pattern(path)}" for path in part.environment_files]
        lines += ["EnvironmentFile=", *files]
    return "\n".join([*lines, ""])


def _escaped(path: str) -> str:
    """Write a path as a unit file has it: `%` doubled (systemd.unit(5), "Specifiers").

    What ends in a blank or a backslash gets `/.` behind it: the one is taken off a line, the other
    joins it to the next.
    """
    return path.replace("%", "%%") + ("/." if path.endswith((" ", "\t", "\\")) else "")


def _pattern(path: str) -> str:
    """Write a path as EnvironmentFile= has it: a pattern, of which nothing is wild."""
    literal = re.sub(r"[\\*?[]", r"\\\g<0>", path).replace("%", "%%")
    return re.sub(r"[ \t]$", r"[\g<0>]", literal)


def _needs_daemon_reload(backend: Backend, seen: Observation) -> Finding | None:
    unit = _unit(backend, seen)
    if unit is None or not (why := list(_unread(*unit))):
        return None
    part, service = unit
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
    disk = together(service.files)
    if disk is None:
        return
    if disk.working_directory != plain(service.working_directory):
        yield f"WorkingDirectory is {service.working_directory or 'none'} in force"
    if disk.environment_files != _environment_files(service):
        yield f"EnvironmentFile is {', '.join(service.environment_files) or 'none'} in force"


def _as_declared(part: Systemd, service: ServiceState) -> bool:
    folder, files = part.working_directory, tuple(map(plain, part.environment_files))
    return (folder is None or plain(folder) == plain(service.working_directory)) and (
        not files or files == _environment_files(service)
    )


def _reload(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Have the files read; what runs is restarted on them, what does not is started later."""
    if isinstance(seen.service, ServiceState) and seen.service.active:
        yield from restart(backend, seen, finding)
    else:
        yield Change(RELOAD, "systemctl daemon-reload")


WRONG_WORKING_DIRECTORY = Fault(
    "service.wrong-working-directory",
    _wrong_working_directory,
    _write_drop_in,
    unless=("env_file.missing",),
    about="the unit starts in another directory than declared",
    remedy="a drop-in of ours sets what is declared",
    check=("systemctl show UNIT -p WorkingDirectory,FragmentPath,DropInPaths",),
)
WRONG_ENVIRONMENT_FILE = Fault(
    "service.wrong-environment-file",
    _wrong_environment_file,
    _write_drop_in,
    unless=("env_file.missing",),
    about="the unit has other environment files than declared",
    remedy="a drop-in of ours sets what is declared",
    check=("systemctl show UNIT -p EnvironmentFiles,FragmentPath,DropInPaths",),
)
NEEDS_DAEMON_RELOAD = Fault(
    "service.needs-daemon-reload",
    _needs_daemon_reload,
    _reload,
    unless=NEEDED,
    about="systemd has not read the unit's files of today",
    remedy="they are read, and what runs is restarted on them",
    check=(
        "systemctl show UNIT -p NeedDaemonReload,FragmentPath,DropInPaths",
        "ls -l --time=ctime /etc/systemd/system/UNIT /etc/systemd/system/UNIT.d",
    ),
)
