"""Faults of a systemd unit itself, and of the other units that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import shell, undo
from relogin.facts.service import Need, ServiceState
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations import service_files
from relogin.operations.service_control import RELOAD, moment
from relogin.parts.runtime import Supervisor, Systemd

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _missing(backend: Backend, seen: Observation) -> Finding | None:
    service = seen.service
    if not isinstance(service, ServiceState):
        return None
    gone = service.load == "not-found" and not service.stale
    if not (gone or service.fragment_gone) or service.configuration == "available":
        return None
    hindrance = _hindrance(backend, service)
    return Finding(
        f"{service.name} does not exist",
        subject=service.name,
        seen="its file is gone, while it runs" if service.active else "not found",
        remedy=hindrance or "its unit is written as declared",
        severity=Severity.WARNING if service.active else Severity.CRITICAL,
        by_person=bool(hindrance),
    )


def _hindrance(backend: Backend, service: ServiceState) -> str:
    """Say what keeps us from writing the unit, and the next step; '' if nothing does."""
    part = backend.service
    if not isinstance(part, Systemd):
        return "put its section into supervisord's file, or correct its name in the inventory"
    for user, path in service.user_units:
        return f"{path} is a unit of {_manager_of(user)}: {_start_there(part, user)}"
    if part.exec_start is None or part.user is None:
        there = "systemctl list-unit-files has those that are there"
        if service.alike:
            there = f"there is {', '.join(service.alike)}"
        return (
            f"install it, correct its name in the inventory ({there}), or declare exec_start and"
            " user: then it is written"
        )
    copies = service.copies if isinstance(service.copies, tuple) else ()
    for copy in (one for one in copies if not one.apart):
        other = f"{copy.unit or 'no unit'} runs the same command (pid {copy.pid})"
        return f"{other}: correct the unit's name in the inventory, or end that"
    return ""


def _manager_of(user: str) -> str:
    whose = "users' own managers" if user == "*" else f"the own manager of {user}"
    return f"{whose} (systemctl --user)"


def _start_there(part: Systemd, user: str) -> str:
    """Say how a user's unit is started, and kept beyond the last logout (loginctl(1))."""
    who = "USER" if user == "*" else user
    start = f"systemctl --user -M {who}@ start {part.full_name}"
    return (
        f"move it to /etc/systemd/system and give it User={who}, or start it there ({start}) and"
        f" let it outlive logouts (loginctl enable-linger {who})"
    )


def _write_unit(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Write the unit; that it is started and enabled is other faults' business."""
    assert isinstance(backend.service, Systemd)  # noqa: S101 # else it is a person's
    path = service_files.path_of_unit(backend.service)
    script = service_files.unit_written(backend, backend.service)
    yield Change(script, f"{path}: write it as declared, then systemctl daemon-reload")


def _bad_setting(backend: Backend, seen: Observation) -> Finding | None:
    service = seen.service
    if not isinstance(service, ServiceState):
        return None
    said = service.configuration
    if not said.startswith("ERROR"):
        return None
    manager, then, harmless = "systemd", "systemctl daemon-reload", service.active
    if isinstance(backend.service, Supervisor):  # which goes by what it has read
        manager, then, harmless = "supervisord", "supervisorctl reread", service.exists
    return Finding(
        f"{service.name} has a setting that {manager} refuses",
        subject=service.name,
        seen=f"{said}, while it runs" if service.active else said,
        remedy=f"correct the line in the configuration of {service.name}, then {then}",
        severity=Severity.WARNING if harmless else Severity.CRITICAL,
    )


def _condition_not_met(backend: Backend, seen: Observation) -> Finding | None:
    service = seen.service
    if not isinstance(service, ServiceState) or service.active or not service.condition_failed:
        return None
    return Finding(
        f"a condition in {service.name} is not met, so that it does not start",
        subject=service.name,
        seen="ConditionResult=no",
        remedy=f"systemctl status {service.name} names the condition: see to it, or take it out"
        " of the unit",
    )


def _masked(backend: Backend, seen: Observation) -> Finding | None:
    service = seen.service
    if not isinstance(service, ServiceState) or service.load != "masked":
        return None
    links = [one for one in service.files if one.masks and not one.name.endswith(".conf")]
    since = f" since {moment(links[0].changed)}" if links else ""
    return Finding(
        f"{service.name} is masked{since}",
        subject=service.name,
        seen=f"{links[0].path} is a link to /dev/null" if links else "masked",
        remedy="it is unmasked, and looked at again",
        severity=Severity.WARNING if service.active else Severity.CRITICAL,
    )


# Unmasking takes away the links to the masked file as well, by which the unit was enabled.
_ALSO_GONE = """\
for link in /etc/systemd/system/*/{unit} /run/systemd/system/*/{unit}; do
  [ ! -L "$link" ] || keep "$link"
done
"""
_LINKS = ("/etc/systemd/system", "/run/systemd/system")


def _unmask(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Take away the link to /dev/null, wherever it lies: of /run only with --runtime."""
    unit = shell.quote(finding.subject)
    script = f"""\
within 30 systemctl unmask {unit}
within 30 systemctl unmask --runtime {unit}
{RELOAD}"""
    links = "\n".join(
        f"[ ! -L {link} ] || keep {link}"
        for folder in _LINKS
        for link in [shell.quote(f"{folder}/{finding.subject}")]
    )
    kept = f"{undo.store(backend)}{links}\n{_ALSO_GONE.format(unit=unit)}"
    yield Change(f"{kept}{script}", f"systemctl unmask {finding.subject}")


def _disabled(backend: Backend, seen: Observation) -> Finding | None:
    service = seen.service
    if not isinstance(service, ServiceState) or (service.load, service.enabled) != (
        "loaded",
        "disabled",
    ):
        return None
    return Finding(
        f"{service.name} is disabled: it does not start with the host",
        subject=service.name,
        seen="disabled",
        expected="enabled",
        remedy="it is enabled",
    )


def _enable(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    unit, what = shell.quote(finding.subject), shell.quote(f"{finding.subject} enabled or not")
    script = _ENABLE.format(unit=unit, what=what)
    yield Change(f"{undo.store(backend)}{script}", f"systemctl enable {finding.subject}")


# A link that led elsewhere (the unit file was moved) is no enabled unit, but is to come back.
_ENABLE = """\
unit={unit}
said() {{ within 8 systemctl cat "$unit" 2>/dev/null | sed -n "s/^$1=//p"; }}
for target in $(said WantedBy); do keep "/etc/systemd/system/$target.wants/$unit"; done
for target in $(said RequiredBy); do keep "/etc/systemd/system/$target.requires/$unit"; done
for name in $(said Alias); do keep "/etc/systemd/system/$name"; done
[ -n "$first" ] || keep unit "$unit" {what}
within 30 systemctl enable "$unit\""""


def _needed_unit_down(backend: Backend, seen: Observation) -> Iterator[Finding]:
    service = seen.service
    for need in service.needs if isinstance(service, ServiceState) else ():
        if not need.active and need.state not in {"activating", "reloading"}:
            yield _down(need, tried=any(done.why == _start_of(need.name) for done in seen.done))


def _down(need: Need, *, tried: bool) -> Finding:
    state = " ".join(filter(None, (need.state, need.sub, need.result)))
    why = f"{state}: {need.reason}" if need.reason and need.state == "failed" else state
    absent = need.load != "loaded"
    step = f"mend what systemctl status {need.name} names"
    return Finding(
        f"{need.name}, which the backend needs, does not run",
        subject=need.name,
        seen=need.load if absent else why,
        expected="active",
        remedy=f"{step}: {need.reason or need.load}" if tried or absent else "it is started",
        by_person=tried or absent,
    )


def _start_of(unit: str) -> str:
    return f"systemctl start {unit}"


def _start_needed(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    unit = shell.quote(finding.subject)
    script = f"""\
within 30 systemctl reset-failed {unit} 2>/dev/null
within 100 systemctl --no-ask-password start {unit} >/dev/null 2>&1 && return
within 8 journalctl -q -u {unit} -n 5 -o cat --no-pager
return 1"""
    yield Change(f"start_it() {{\n{script}\n}}\nstart_it", _start_of(finding.subject), 120)


UNIT_MISSING = Fault(
    "service.unit-missing",
    _missing,
    _write_unit,
    unless=("env_file.missing",),
    about="the service does not exist",
    remedy="where exec_start and user are declared its unit is written, else it is a person's",
    check=("systemctl cat UNIT", "supervisorctl -c CONFIG avail"),
)
MASKED = Fault(
    "service.masked",
    _masked,
    _unmask,
    about="the service is masked",
    remedy="it is unmasked, and looked at again",
    check=(
        "systemctl show UNIT -p LoadState,UnitFileState",
        "ls -l /etc/systemd/system/UNIT /run/systemd/system/UNIT",
    ),
)
BAD_SETTING = Fault(
    "service.bad-setting",
    _bad_setting,
    about="systemd or supervisord refuses a setting of the service",
    remedy="correct the line that it names",
    check=(
        "systemd-analyze verify UNIT",
        "journalctl -u UNIT -n 20",
        "supervisorctl -c CONFIG reread",
    ),
)
CONDITION_NOT_MET = Fault(
    "service.condition-not-met",
    _condition_not_met,
    about="a condition in the unit keeps it from starting",
    remedy="see to the condition, or take it out of the unit",
    check=("systemctl status UNIT", "systemctl cat UNIT"),
)
NEEDED_UNIT_DOWN = Fault(
    "service.needed-unit-down",
    _needed_unit_down,
    _start_needed,
    writes=False,
    about="another unit that the backend needs does not run",
    remedy="it is started",
    check=("systemctl --failed", "systemctl status nginx"),
)
DISABLED = Fault(
    "service.disabled",
    _disabled,
    _enable,
    severity=Severity.WARNING,
    about="the service does not start with the host",
    remedy="it is enabled",
    check=("systemctl is-enabled UNIT",),
)
