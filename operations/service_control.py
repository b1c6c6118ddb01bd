"""How a service is started and restarted: at most once in a run, and never on old unit files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts.service_state import ServiceState
from relogin.facts.supervisor import control_script
from relogin.fault import NO_ROOM, Change
from relogin.operations import compose_control
from relogin.parts.runtime import Compose, Supervisor, Systemd

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.finding import Finding

# What a start needs: while it is broken, what runs is not stopped.
NEEDED = (
    *NO_ROOM,
    *("venv", "env_file", "jwt", "postgres", "migrations"),
    *("service.unit-missing", "service.masked", "service.bad-setting"),
    *("service.wrong-user", "service.wrong-working-directory", "service.wrong-environment-file"),
    *("service.wrong-command", "service.condition-not-met", "service.port-held"),
    *("service.engine-down", "service.compose-files-refused"),
)
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
control {verb} {name}{also}
{wait}"""
_DEADLINE = 150
RELOAD = "within 30 systemctl daemon-reload"
# Those that stop what runs; only this module may say them (tests/operations/test_restarts.py).
_STOPPING = ("restart", "update")
_VERBS = ("start", *_STOPPING)


def start(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Start the service, unless this run has tried that."""
    yield from _once(backend, seen, "start")


def restart(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Restart the service, unless this run has tried that."""
    yield from _once(backend, seen, "restart")


def restart_failed(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Restart, and clear the start limit first: after a crash loop `Result` does not show it."""
    yield from _once(backend, seen, "restart", before="within 30 systemctl reset-failed {unit}\n")


def update(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Have supervisord take over its file for this program alone, which starts it anew."""
    yield from _once(backend, seen, "update")


def _once(backend: Backend, seen: Observation, verb: str, *, before: str = "") -> Iterator[Change]:
    """Give the change, unless a start was tried: five in ten seconds and systemd starts no more.

    What stops a process is not made while something that its start needs is broken.
    """
    tried = {_why(backend, each) for each in _VERBS}
    if not any(done.why in tried for done in seen.done):
        runs = isinstance(seen.service, ServiceState) and seen.service.active  # of Compose: anew
        needed = _needed(backend, verb) if runs or verb in _STOPPING else ()
        script, why = _script(backend, verb, before), _why(backend, verb)
        yield Change(script, why, _DEADLINE, unless=needed)


def _needed(backend: Backend, verb: str) -> tuple[str, ...]:
    """Give what a start needs: supervisord restarts by what it has read, whatever its file says."""
    from_memory = isinstance(backend.service, Supervisor) and verb == "restart"
    unminded = {"service.bad-setting", "service.unit-missing"} if from_memory else set()
    return tuple(one for one in NEEDED if one not in unminded)


def _why(backend: Backend, verb: str) -> str:
    if isinstance(backend.service, Systemd):
        return f"systemctl {verb} {backend.service.full_name}"
    if isinstance(backend.service, Compose):
        return compose_control.why(backend.service, verb)
    assert isinstance(backend.service, Supervisor)  # noqa: S101 # without a service no finding
    return f"supervisorctl {verb} {_named(backend.service, verb)}"


def _named(part: Supervisor, verb: str) -> str:
    """Give the program, or its group: `update` knows only these."""
    return part.program.partition(":")[0] if verb == "update" else part.program


def _script(backend: Backend, verb: str, before: str) -> str:
    if isinstance(backend.service, Systemd):
        unit = shell.quote(backend.service.full_name)
        return _SYSTEMD.format(unit=unit, verb=verb, before=before.format(unit=unit), wait=_WAIT)
    if isinstance(backend.service, Compose):
        return compose_control.script(backend.service, verb, wait=_WAIT)
    assert isinstance(backend.service, Supervisor)  # noqa: S101 # without a service no finding
    program = shell.quote(backend.service.program)
    return _SUPERVISOR.format(
        control=control_script(backend.service, limit=60),
        program=program,
        verb=verb,
        name=shell.quote(_named(backend.service, verb)),
        also=f"\ncontrol start {program} >/dev/null" if verb == "update" else "",  # autostart=false
        wait=_WAIT,
    )


def released(backend: Backend, verb: str) -> str:
    """Give the script by which a release starts (start, restart) or stops what it releases.

    What its start needs is what the release has looked at before; its proof decides what stays.
    """
    if isinstance(backend.service, Compose):
        if verb == "stop":
            return compose_control.stopped(backend.service)
        # a container of another image, or of other files, is made anew by a start
        return compose_control.script(backend.service, "start", wait=_WAIT, patient=False)
    if verb != "stop":
        return _script(backend, verb, "")
    assert isinstance(backend.service, Systemd)  # noqa: S101 # what a release supports
    return f"within 100 systemctl --no-ask-password stop {shell.quote(backend.service.full_name)}"


def moment(epoch: float | None) -> str:
    """Say a time of the host's clock."""
    return datetime.fromtimestamp(epoch or 0, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
