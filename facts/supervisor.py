"""A supervisord program, as supervisorctl, its log and /proc have it."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime
from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts import alone, auth_log, copies, file, listeners, service_state
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.redaction import redact_foreign

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from relogin.parts.runtime import Supervisor
    from relogin.remote import Answer

_PROMPT = "supervisor> "
# Commands on stdin cost one start of supervisorctl instead of five. Its exit status says little
# (and nothing where it runs as `python -m supervisor.supervisorctl`): its words count. `reread`
# changes nothing that runs, but tells what `update` would change. What the program itself has
# written comes last: it may write a prompt, too. A value that cannot be read may hold a secret.
_SCRIPT = """\
{control}
ask() {{
  printf '%s\\n' 'status {name}' reread 'maintail -3000' \\
    'tail -6000 {name}' 'tail -6000 {name} stderr' | control 2>&1 |
    sed "/ERROR: CANT_REREAD/{{s/['\\"].*\\( in section \\)/***\\1/; t; s/['\\"].*/***/;}}"{redact}
}}
process() {{
  [ "${{pid:-0}}" -gt 0 ] 2>/dev/null || return 3
  stat -Lc %z /proc/self; cut -d ' ' -f 1 /proc/uptime; sed 's/.*) //' "/proc/$pid/stat"
  stat -Lc %U "/proc/$pid"; readlink "/proc/$pid/cwd" || echo
  count_workers; echo "$workers"
  sed -n 's/^Gid:[[:space:]]*\\([0-9]*\\).*/\\1/p; s/^Groups:[[:space:]]*//p' "/proc/$pid/status"
  [ -e "/proc/$pid/status" ] || return 3 # it has ended meanwhile: what was said is of no process
}}
{workers}
show() {{ printf '%s\\n' "$said"; return "$rc"; }}
{environ}
{ports}
{copies}
said=$(ask); rc=$?
pid=$(printf '%s\\n' "$said" | sed -n 's/^{prompt}.* RUNNING  *pid \\([0-9]*\\),.*/\\1/p')
pid=$(printf '%s\\n' "$pid" | sed -n 1p); unit=; command=; folder=/proc/$pid/cwd
echo supervisor
printf '%s\\n' {program}
part show show
part process process
part environ environ
[ -z "$pid" ] || part copies copies
case $pid$said in [!0-9]* | *'already in use'* | *'Connection in use'*) part ports ports ;; esac"""
_STATUS = re.compile(
    r"\S+ +(?P<state>STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN)\b"
    r" *(?P<more>.*)"
)
_SHORT = 60  # seconds
# supervisord.log, of one program: how its processes began and ended, in the host's local time. Its
# end begins where it was cut, in the middle of a line.
_LIFE = (
    r"(?P<time>\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d),\d+ \w+ "
    r"(?P<what>spawned|success|exited|stopped|gave up): '?{name}'?(?![\w.-])(?P<how>.*)"
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
        name=part.program.replace("'", "'\\''"),
        program=shell.quote(part.program),
        prompt=_PROMPT,
        environ=service_state.environ_script(keys),
        workers=service_state.WORKERS,
        ports=listeners.SCRIPT,
        copies=copies.SCRIPT,
        redact=f" | {alone.REDACT}" if redacted else "",
    )


def parse(program: str, answers: Mapping[str, Answer]) -> ServiceState | Unreadable:
    """Take the part's answers apart."""
    said = answers["show"].text.decode("utf-8", "replace") if "show" in answers else ""
    _, *replies = said.split(_PROMPT)
    status, reread, main_log, *logs = [*replies, "", "", ""][: max(3, len(replies))]
    state = _state(program, status, answers.get("process"))
    if state is None:
        return _silent(program, said)
    environ = service_state.environ(answers.get("environ"))
    text = service_state.clean("\n".join(logs), environ)
    log = [line for line in text.split("\n") if line and not line.endswith(": ERROR (no log file)")]
    return dataclasses.replace(
        state,
        configuration=_configuration(program, reread),
        restarts=_restarts(program, main_log.splitlines()),
        environ=environ,
        log=tuple(log[-service_state.LOG_LINES :]),
        auth=auth_log.read(log),
        exceptions=tuple(service_state.exceptions(("", line) for line in log)),
        listening=listeners.parse(answers["ports"]) if "ports" in answers else (),
        copies=copies.parse(answers["copies"]) if "copies" in answers else (),
    )


def _silent(program: str, said: str) -> ServiceState | Unreadable:
    """Tell a supervisord that does not run from one that may not be asked."""
    why = redact_foreign("".join(said.strip().split("\n")[:1]))
    if re.search(r"(no such file|refused connection)$", why):
        return ServiceState(program, exists=False, active=False, state="", load="down", reason=why)
    return Unreadable(": ".join(filter(None, ("supervisord does not answer", why))))


def _state(program: str, status: str, process: Answer | None) -> ServiceState | None:
    """Give the state; BACKOFF and FATAL name why the program could not be started."""
    if f"{program}: ERROR (no such" in status:
        return ServiceState(program, exists=False, active=False, state="", load="not-found")
    found = _STATUS.search(status)
    if found is None:
        return None
    word, more = found["state"], found["more"]
    pid = re.search(r"pid (\d+)", more)
    lines = process.lines if process is not None and process.status == 0 else []
    _, _, _, user, folder, workers, *groups = [*lines, *[""] * 6]
    return ServiceState(
        name=program,
        exists=True,
        active=word == "RUNNING",
        state=word.lower(),
        result="" if word == "RUNNING" else more,
        reason=more if word in {"FATAL", "BACKOFF"} and not more.startswith("Exited") else "",
        main_pid=int(pid[1]) if pid else None,
        started=_started(lines),
        user=user,
        runs_as=user,
        groups=tuple(dict.fromkeys(map(int, " ".join(groups).split()))),
        working_directory=folder,
        workers=int(workers or 0),
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
    return file.epoch(now) - (float(uptime) - ticks / listeners.TICKS)


def _configuration(program: str, reread: str) -> str:
    """Give what `reread` says of the program's group.

    That is `changed`, `available` (it is new in the file), `disappeared`, "" (nothing), or why the
    file cannot be read.
    """
    group = program.partition(":")[0]
    for line in reread.strip().split("\n"):
        name, _, word = line.rpartition(": ")
        if line.startswith("ERROR"):
            return redact_foreign(line)
        if name == group and word in {"changed", "available", "disappeared"}:
            return word
    return ""


def _restarts(program: str, log: Iterable[str]) -> int:
    """Count how often it ended after a short life in which it was RUNNING, up to now.

    supervisord starts it for ever, and has no such count; what ends before it was RUNNING is
    BACKOFF, and then FATAL. Times are only compared with one another: in which zone they are it
    does not say.
    """
    life = re.compile(_LIFE.format(name=re.escape(program.rpartition(":")[2])))
    count, born, ran = 0, 0.0, False
    for said in filter(None, map(life.match, log)):
        at = datetime.fromisoformat(said["time"]).timestamp()
        if said["what"] == "spawned":
            born, ran = at, False
        elif said["what"] == "success":
            ran = True
        elif said["what"] == "exited" and "not expected" in said["how"] and at - born < _SHORT:
            count += ran
        else:
            count = 0
    return count
