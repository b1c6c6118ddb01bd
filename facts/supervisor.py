"""A supervisord program, as supervisorctl, its log and /proc have it."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts import alone, file, service_state
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.secret import redact_foreign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relogin.parts.runtime import Supervisor
    from relogin.remote import Answer

_PROMPT = "supervisor> "
# Commands on stdin cost one start of supervisorctl instead of three. Its exit status says little
# (and nothing where it runs as `python -m supervisor.supervisorctl`): its words count.
_SCRIPT = """\
{control}
ask() {{
  printf 'status %s\\ntail -6000 %s\\ntail -6000 %s stderr\\n' {program} {program} {program} |
    control 2>&1{redact}
}}
process() {{
  [ "${{pid:-0}}" -gt 0 ] 2>/dev/null || return 3
  stat -Lc %z /proc/self; cut -d ' ' -f 1 /proc/uptime; sed 's/.*) //' "/proc/$pid/stat"
  stat -Lc %U "/proc/$pid"; readlink "/proc/$pid/cwd"; count_workers; echo "$workers"; return 0
}}
{workers}
show() {{ printf '%s\\n' "$said"; return "$rc"; }}
{environ}
said=$(ask); rc=$?
pid=$(printf '%s\\n' "$said" | sed -n 's/^{prompt}.* RUNNING  *pid \\([0-9]*\\),.*/\\1/p')
pid=$(printf '%s\\n' "$pid" | sed -n 1p)
echo supervisor
printf '%s\\n' {program}
part show show
part process process
part environ environ"""
_TICKS = 100  # sysconf(_SC_CLK_TCK) is 100 on every Linux that Debian, Ubuntu or Alpine ship
_STATUS = re.compile(
    r"\S+ +(?P<state>STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN)\b"
    r" *(?P<more>.*)"
)


def control_script(part: Supervisor, *, limit: int) -> str:
    """Give the shell function `control`: supervisorctl, as the user whose configuration it is.

    It ends after `limit` seconds. What lies in a user's own folder is never run as root.
    """
    config = shell.quote(part.config)
    command = f'{shell.quote(part.supervisorctl)} -c {config} "$@"'
    return f"""\
limit=env; if command -v timeout >/dev/null; then limit='timeout {limit}'; fi
owner=$(stat -Lc %U {config} 2>/dev/null)
control() {{
  if [ "$(id -u)" = 0 ] && [ -n "$owner" ]; then as_user "$owner" $limit {command}
  else $limit {command}; fi
}}"""


def script(part: Supervisor, keys: tuple[str, ...], *, redacted: bool = False) -> str:
    """Give the part of the look that asks for a program, its log and its environment."""
    return _SCRIPT.format(
        control=control_script(part, limit=10),
        program=shell.quote(part.program),
        prompt=_PROMPT,
        environ=service_state.environ_script(keys),
        workers=service_state.WORKERS,
        redact=f" | {alone.REDACT}" if redacted else "",
    )


def parse(program: str, answers: Mapping[str, Answer]) -> ServiceState | Unreadable:
    """Take the part's answers apart."""
    said = answers["show"].text.decode("utf-8", "replace") if "show" in answers else ""
    _, *replies = said.split(_PROMPT)
    status = replies[0].strip() if replies else ""
    if f"{program}: ERROR (no such" in status:
        return ServiceState(name=program, exists=False, active=False, state="", load="not-found")
    found = _STATUS.search(status)
    if found is None:
        first = said.strip().split("\n")[:1]
        return Unreadable(redact_foreign(": ".join(["supervisord does not answer", *first])))
    environ = service_state.environ(answers.get("environ"))
    text = service_state.clean("\n".join(replies[1:]), environ)
    log = [line for line in text.split("\n") if line and not line.endswith(": ERROR (no log file)")]
    return dataclasses.replace(
        _state(program, found["state"], found["more"], answers.get("process")),
        environ=environ,
        log=tuple(log[-service_state.LOG_LINES :]),
        exceptions=tuple(service_state.exceptions(("", line) for line in log)),
    )


def _state(program: str, word: str, more: str, process: Answer | None) -> ServiceState:
    """Give the state; BACKOFF and FATAL name why the program could not be started."""
    running = word == "RUNNING"
    pid = re.search(r"pid (\d+)", more)
    lines = process.lines if process is not None and process.status == 0 else []
    return ServiceState(
        name=program,
        exists=True,
        active=running,
        state=word.lower(),
        result="" if running else more,
        reason=more if word in {"FATAL", "BACKOFF"} and not more.startswith("Exited") else "",
        main_pid=int(pid[1]) if pid else None,
        started=_started(lines),
        user=lines[3] if len(lines) > 3 else "",
        working_directory=lines[4] if len(lines) > 4 else "",
        workers=int(lines[5]) if len(lines) > 5 else 0,
    )


def _started(lines: list[str]) -> float | None:
    """Give when the process was started, in epoch seconds: now - (uptime - its ticks after boot).

    Now is the change time of the inode that /proc has just made for `stat` itself: `date +%N` is
    not everywhere. Field 22 of /proc/PID/stat (proc(5)) is the 20th after the name.
    """
    try:
        now, uptime, stat = lines[:3]
        ticks = int(stat.split(" ")[19])
    except (ValueError, IndexError):
        return None
    return file.epoch(now) - (float(uptime) - ticks / _TICKS)
