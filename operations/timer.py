"""A systemd timer that runs `relogin drift` on a control machine, and its removal."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import logger
from pyinfra.api import FunctionCommand, operation

from relogin import remote, shell, undo
from relogin.backend import Backend
from relogin.facts.timer import look
from relogin.fault import Change
from relogin.finding import Unreadable, legible
from relogin.mend import fail_with
from relogin.operations.timer_units import MARK, secrets_folder, texts, unit_paths
from relogin.redaction import redact, redact_foreign
from relogin.report.lines import take_back
from relogin.secret import SecretMissing

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.facts.timer import TimerState
    from relogin.schedule import Schedule

_WRITE = """\
target={target}; folder=${{target%/*}}
if [ ! -d "$folder" ]; then keep "$folder"; mkdir -p "$folder"; fi
beside "$target"
{text}
chmod {mode} "$new"
keep "$target"; becomes "$new"
sync "$new" 2>/dev/null || sync
mv -f "$new" "$target"
"""

_SWITCH = """\
keep timer {timer} {what}
systemctl daemon-reload
systemctl -q enable {timer}
systemctl restart {timer}
"""


@operation()
def installed(schedule: Schedule) -> Generator[FunctionCommand, None, None]:
    """Ensure that the schedule's timer is on, as described; nothing where it is.

    All that could make it useless (a calendar expression, a user, a path, a command, a secret
    without a value) fails the host in one line before anything is changed, and so does a unit of
    that name that is not ours. What is overwritten is kept in the undo store.

    + schedule: when `relogin drift` runs there, and on what
    """
    seen = look(current_host, schedule.name, schedule)
    problem = seen.reason if isinstance(seen, Unreadable) else _problem(schedule, seen)
    if problem or isinstance(seen, Unreadable):
        yield fail_with(f"{schedule.name}: {problem}")
        return
    if seen.of("local") and not schedule.local:
        hint = "names @local: where it has that host, say local=True, or nothing is mended there"
        current_host.log_styled(
            f"{schedule.inventory} {hint}", fg="yellow", log_func=logger.warning
        )
    changes = list(_changes(schedule, seen))
    for change in changes:
        yield FunctionCommand(_carry_out, (change,), {})
    if changes:
        yield FunctionCommand(_say_kept, (schedule.name,), {})


@operation()
def removed(unit: str = "relogin-drift") -> Generator[FunctionCommand, None, None]:
    """Ensure that a schedule's timer, service and secrets are gone; its history stays.

    Only what `installed` has made is removed. A unit that somebody has edited since is kept in the
    undo store first; drop-ins stay. A run that is under way goes on to its end.

    + unit: the units' name
    """
    seen = look(current_host, unit)
    if isinstance(seen, Unreadable):
        yield fail_with(f"{unit}: {seen.reason}")
    elif problem := _not_ours(unit, seen):
        yield fail_with(f"{unit}: nothing was removed: {problem}")
    elif _there(unit, seen):
        yield FunctionCommand(_carry_out, (_removal(unit, seen),), {})


def _problem(schedule: Schedule, seen: TimerState) -> str:
    """Say why nothing can be installed, with the next step; empty where it can."""
    if seen.of("uid") != "0":
        return "root is needed there, and could not be had: let the SSH user use sudo"
    if not seen.of("systemd"):
        return "systemd does not run there; use cron (README, Schedules)"
    for field, why in seen.wrong.items():
        value = schedule.folder if field == "directory" else getattr(schedule, field)
        return f"{field} {value!r}: {legible(redact_foreign(why)).strip() or 'it is not there'}"
    if not seen.of("command"):
        return (
            f"there is no {schedule.command or 'relogin'} there; install it, and name its command"
        )
    if seen.of("old"):
        return f"{seen.of('command')} is too old for this: update it"
    if seen.of("private") and schedule.credentials():
        return (
            "a container whose / is a private mount gives a unit no credentials (systemd.exec(5)):"
            " run mount --make-rshared / there, at each start"
        )
    return _not_ours(schedule.name, seen) or _missing(schedule)


def _not_ours(name: str, seen: TimerState) -> str:
    """Say which unit of this name somebody else has made; empty where there is none."""
    for path in unit_paths(name):
        if path in seen.files and not seen.of(f"first {path}").startswith(MARK):
            return f"{path} is not of our making; give the schedule another name"
        came_from = seen.of(f"from {path.rpartition('/')[2]}")
        if path not in seen.files and came_from not in {"", path}:
            return f"there is a unit {came_from} already; give the schedule another name"
    return ""


def _missing(schedule: Schedule) -> str:
    try:
        for secret in schedule.credentials().values():
            secret.reveal()
    except SecretMissing as missing:
        return str(missing)
    return ""


def _changes(schedule: Schedule, seen: TimerState) -> Iterator[Change]:
    name, folder = schedule.name, secrets_folder(schedule.name)
    kept = undo.store(Backend(name))
    secrets = {f"{folder}/{key}": one.reveal() for key, one in schedule.credentials().items()}
    for path, value in secrets.items():
        if seen.files.get(path) != f"{_sum(value)} 600 root:root":
            yield Change(kept + _written(path, value, "600"), f"{path}: write the secret, for root")
    wrote = False
    for path, text in texts(schedule, seen.of("command")).items():
        if seen.files.get(path) != f"{_sum(text)} 644 root:root":
            wrote = True
            yield Change(kept + _written(path, text, "644"), f"write {path}")
    for path in sorted({*seen.given} - {*secrets}):
        if path in seen.files and path.startswith(f"{folder}/"):
            gone = f"keep {shell.quote(path)}\nrm -f {shell.quote(path)}\n"
            yield Change(kept + gone, f"{path}: remove it, for it is not used")
    yield from _switched_on(name, seen, wrote=wrote)


def _switched_on(name: str, seen: TimerState, *, wrote: bool) -> Iterator[Change]:
    """Have systemd read what was written, now or by a run that was cut short, and start it."""
    stale = any(seen.of(f"reload {name}.{kind}") == "yes" for kind in ("service", "timer"))
    on = (seen.of("enabled"), seen.of("active")) == ("enabled", "active")
    if wrote or stale or not on:
        script = _SWITCH.format(
            timer=shell.quote(f"{name}.timer"), what=shell.quote(f"whether {name}.timer is on")
        )
        kept = undo.store(Backend(name))
        yield Change(kept + script, f"systemctl enable --now {name}.timer")


def _written(path: str, text: str, mode: str) -> str:
    content = shell.fed(text, 'cat >"$new"')
    return _WRITE.format(target=shell.quote(path), text=content, mode=mode)


def _sum(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _there(name: str, seen: TimerState) -> bool:
    return any(path in seen.files for path in unit_paths(name))


def _removal(name: str, seen: TimerState) -> Change:
    """Give the change that removes the units, and the secrets that the service names."""
    folder = secrets_folder(name)
    units = [path for path in unit_paths(name) if path in seen.files]
    edited = [one for one in units if seen.of(f"first {one}") != MARK + seen.of(f"rest {one}")]
    gone = [*units, *(one for one in seen.given if one.startswith(f"{folder}/"))]
    lines = [
        undo.store(Backend(name)),
        *(f"keep {shell.quote(path)}" for path in edited),
        f"systemctl -q disable --now {shell.quote(f'{name}.timer')}",
        f"rm -f {shell.words([*gone, f'/var/lib/systemd/timers/stamp-{name}.timer'])}",
        f"rmdir {shell.quote(folder)} /etc/relogin 2>/dev/null || :",
        _FORGOTTEN.format(folder=shell.quote(folder)),
        "systemctl daemon-reload",
        f"systemctl reset-failed {shell.quote(f'{name}.service')} 2>/dev/null || :",
        f"stays {shell.quote(f'{name} is removed, and its secrets: schedule_drift makes it anew')}",
    ]
    return Change("\n".join([*lines, ""]), f"remove {', '.join(units)}, and its secrets")


# Former secrets, which earlier runs have kept, are gone as well.
_FORGOTTEN = """\
for each in "$kept"/*/[0-9][0-9][0-9]; do
  case $(cat "$each/path" 2>/dev/null) in {folder}/*) rm -f "$each/former" ;; esac
done"""


def _carry_out(state: State, host: Host, change: Change) -> bool:
    """Run one change through the private channel, and tell it; the rest waits for it."""
    host.log_styled(legible(redact(change.why)), fg="cyan", log_func=logger.info)
    answer = remote.change(host, change.script, deadline=change.deadline)
    if not isinstance(answer, Unreadable) and answer.status == 0:
        return True
    said = answer.reason if isinstance(answer, Unreadable) else " ".join(answer.lines[-3:])
    told = legible(redact_foreign(said))
    host.log_styled(f"failed: {told}", fg="red", log_func=logger.error)
    return False


def _say_kept(state: State, host: Host, name: str) -> bool:
    host.log_styled(take_back(undo.run_id(), f"--data schedule={name}"), log_func=logger.info)
    return True
