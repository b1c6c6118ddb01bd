"""Ensure that the service runs, on today's configuration."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import shell
from relogin.facts.env_file import EnvFileState
from relogin.facts.machine import Machine
from relogin.facts.service import ServiceState
from relogin.facts.supervisor import control_script
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.mend import mend
from relogin.parts.runtime import Supervisor, Systemd
from relogin.secret import redact_foreign

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

# Until it has been active for two seconds with one main pid, at most fifteen. A start that systemd
# calls a success says nothing: Type=simple ends with 0 for whatever dies a moment later.
_WAIT = """\
left=15; up=0; before=
while [ "$left" -gt 0 ]; do
  now=$(state)
  case $now in
    active*) if [ "$now" = "$before" ]; then up=$((up + 1)); else up=0; fi ;;
    failed*) break ;;
    *) up=0 ;;
  esac
  [ "$up" -lt 2 ] || return 0
  before=$now; left=$((left - 1)); sleep 1
done
printf 'it does not stay up: %s\\n' "$now"
return 1"""
_SYSTEMD = """\
state() {{
  within 8 systemctl show {unit} --no-pager -p ActiveState,SubState,Result,MainPID |
    sed -n 's/^MainPID=/4 /p; s/^ActiveState=/1 /p; s/^SubState=/2 /p; s/^Result=/3 /p' |
    sort | cut -d ' ' -f 2 | tr '\\n' ' '
}}
within 30 systemctl daemon-reload
{before}within 100 systemctl --no-ask-password {verb} {unit} || return
{wait}"""
_SUPERVISOR = """\
{control}
state() {{
  control status {program} 2>&1 | sed -n 1p |
    sed 's/^.* RUNNING *\\(pid [0-9]*\\).*/active \\1/; s/^.* \\(FATAL\\|EXITED\\) .*/failed &/'
}}
control {verb} {program}
{wait}"""
_DEADLINE = 150

_FAILED = {"failed", "fatal", "backoff", "exited"}
_STOPPED = {"inactive", "stopped"}


def _detect_missing(backend: Backend, seen: Observation) -> Finding | None:
    return _unable(
        seen, "not-found", "does not exist", "install it, or correct its name in the inventory"
    )


def _detect_masked(backend: Backend, seen: Observation) -> Finding | None:
    return _unable(
        seen, "masked", "is masked", "ask who masked it and why; then systemctl unmask it"
    )


def _detect_bad_setting(backend: Backend, seen: Observation) -> Finding | None:
    return _unable(
        seen,
        "bad-setting",
        "has a setting that systemd refuses",
        "systemd-analyze verify names the file and line",
    )


def _unable(seen: Observation, load: str, what: str, remedy: str) -> Finding | None:
    service = seen.service
    if not isinstance(service, ServiceState) or service.active or service.load != load:
        return None
    return Finding(f"{service.name} {what}", subject=service.name, seen=load, remedy=remedy)


def _detect_stopped(backend: Backend, seen: Observation) -> Finding | None:
    service = _startable(seen)
    if service is None or service.state not in _STOPPED:
        return None
    return Finding(
        f"{service.name} is stopped",
        subject=service.name,
        seen=" ".join(filter(None, (service.state, service.sub, service.result))),
        expected="running",
        remedy="it is started",
    )


def _detect_failed(backend: Backend, seen: Observation) -> Finding | None:
    service = _startable(seen)
    if service is None or not (service.state in _FAILED or service.sub == "auto-restart"):
        return None
    return Finding(
        f"{service.name} has failed",
        subject=service.name,
        seen=_why(service),
        expected="running",
        remedy="it is restarted once what it needs is sound",
    )


def _startable(seen: Observation) -> ServiceState | None:
    service = seen.service
    return service if isinstance(service, ServiceState) and service.load == "loaded" else None


def _why(service: ServiceState) -> str:
    """Say how it ended, and why: in systemd's words, or the last ones of its own."""
    words = {
        "exit-code": f"exited with {service.exit_status}",
        "signal": f"killed by signal {service.exit_status}",
        "resources": "could not be started",
    }
    how = words.get(service.result, service.result or service.state)
    if service.reason:
        return redact_foreign(f"{how}: {service.reason}")
    if service.exceptions:
        return redact_foreign(f"{how}; last exception: {service.exceptions[-1]}")
    return how


def _detect_older(backend: Backend, seen: Observation) -> Iterator[Finding]:
    service = seen.service
    if not isinstance(service, ServiceState) or not service.active:
        return
    for declared, file in zip(backend.env_files, seen.env_files, strict=True):
        if isinstance(file, EnvFileState) and _was_changed_after_start(seen, file, service):
            yield from _compared(service, file, _in_force(seen, file, list(declared.keys)))


def _was_changed_after_start(seen: Observation, file: EnvFileState, service: ServiceState) -> bool:
    """Compare sub-second times; ones that lie in the future say that the clock was set back."""
    if service.started is None or file.changed <= service.started:
        return False
    now = seen.machine.now if isinstance(seen.machine, Machine) else file.changed
    return file.changed <= now + 2


def _in_force(seen: Observation, file: EnvFileState, keys: list[str]) -> dict[str, str]:
    """Give those of the keys' values that no later file overrides."""
    last: dict[str, str] = {}
    for each in seen.env_files:
        if isinstance(each, EnvFileState):
            last.update({key: value for key, value in each.values.items() if value is not None})
    return {key: last[key] for key in keys if key in last and file.values.get(key) == last[key]}


def _compared(
    service: ServiceState, file: EnvFileState, values: dict[str, str]
) -> Iterator[Finding]:
    """Judge a file that is newer than the process: by its mode alone it may be, too (inode(7)).

    A key that the process was not started with is read by the program itself (load_dotenv), which
    shows nowhere: that cannot be excluded, and a restart is cheap.
    """
    environ = service.environ or {}
    differing = [key for key, value in values.items() if environ.get(key, value) != value]
    unknown = [key for key in values if key not in environ]
    if differing:
        what, severity = "runs on older values of", Severity.CRITICAL
    elif unknown:
        what, severity = "may run on older values of", Severity.WARNING
    else:
        return
    yield Finding(
        f"{service.name} {what} {file.path}",
        subject=file.path,
        seen=f"started {_time(service.started)}, the file changed {_time(file.changed)}"
        + (f"; other values for {', '.join(differing)}" if differing else ""),
        expected="started after the file's last change",
        remedy="it is restarted",
        severity=severity,
    )


def _time(epoch: float | None) -> str:
    return datetime.fromtimestamp(epoch or 0, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _start(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    yield _change(backend, "start")


def _restart(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    yield _change(backend, "restart")


def _restart_failed(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Restart, and clear the start limit first: after a crash loop `Result` does not show it."""
    yield _change(backend, "restart", before="within 30 systemctl reset-failed {unit}\n")


def _change(backend: Backend, verb: str, *, before: str = "") -> Change:
    if isinstance(backend.service, Systemd):
        unit = shell.quote(backend.service.full_name)
        script = _SYSTEMD.format(unit=unit, verb=verb, before=before.format(unit=unit), wait=_WAIT)
        return Change(script, f"systemctl {verb} {backend.service.full_name}", _DEADLINE)
    assert isinstance(backend.service, Supervisor)  # noqa: S101 # without a service no finding
    script = _SUPERVISOR.format(
        control=control_script(backend.service, limit=60),
        program=shell.quote(backend.service.program),
        verb=verb,
        wait=_WAIT,
    )
    return Change(script, f"supervisorctl {verb} {backend.service.program}", _DEADLINE)


_NEEDED = ("venv", "env_file", "jwt", "postgres")

UNIT_MISSING = Fault("service.unit-missing", _detect_missing, about="the service does not exist")
MASKED = Fault("service.masked", _detect_masked, about="the service is masked")
BAD_SETTING = Fault(
    "service.bad-setting", _detect_bad_setting, about="systemd refuses a setting of the service"
)
STOPPED = Fault("service.stopped", _detect_stopped, _start, about="the service is stopped")
FAILED = Fault(
    "service.failed",
    _detect_failed,
    _restart_failed,
    symptom_of=(*_NEEDED, "migrations"),
    about="the service has failed",
)
OLDER_THAN_ENV_FILE = Fault(
    "service.older-than-env-file",
    _detect_older,
    _restart,
    unless=_NEEDED,
    about="the process is older than its env file",
)

FAULTS = (UNIT_MISSING, MASKED, BAD_SETTING, STOPPED, FAILED, OLDER_THAN_ENV_FILE)


@operation()
def running(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the service runs, and that it was started after its env files last changed.

    + backend: the backend, as its inventory describes it
    """
    yield from mend(backend, FAULTS)
