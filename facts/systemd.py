"""A systemd unit, as `systemctl show`, the journal and /proc have it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts import alone, listeners, service_state, unit_files
from relogin.facts.service_state import Need, ServiceState
from relogin.finding import Unreadable
from relogin.secret import redact_foreign

if TYPE_CHECKING:
    from relogin.parts.runtime import Systemd
    from relogin.remote import Answer

# Never `Environment`: any user may read it, and it holds secrets.
_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,Result,UnitFileState,NRestarts,MainPID,ExecMainCode,"
    "ExecMainStatus,ExecMainStartTimestamp,WorkingDirectory,EnvironmentFiles,User,"
    "NeedDaemonReload,DropInPaths"
)
# Of older lines only those that tell of a start, or of a worker that died: a traceback is long.
_TELLING = r"""systemd\[1\]: Start|: Process [A-Za-z]*Process-[0-9]+:|exited with code [1-9]"""
# `--timestamp` came with systemd 247; without it times are in the caller's zone, in whole seconds.
_SCRIPT = """\
log() {{
  [ "$uid" = 0 ] || id -Gn | grep -Eqw 'adm|systemd-journal' || return 4
  {{
    within 8 journalctl -q -u {unit} -n 240 -o short-iso --no-pager
    [ "$?" -ge 124 ] || echo '#end'
  }} |
    awk '{{ line[NR] = substr($0, 1, 2000) }}
      END {{
        if (line[NR] != "#end") exit 5
        for (n = 1; n < NR; n++) if (n > NR - 61 || line[n] ~ /{telling}/) print line[n]
      }}'{redact}
}}
show() {{ printf 'Cwd=%s\\nWorkers=%s\\n%s\\n' "$cwd" "$workers" "$said"; return "$rc"; }}
{workers}
down() {{
  for id in $down; do
    within 8 journalctl -q -u "$id" -n 12 -o short-iso --no-pager |
      cut -c 1-2000 | sed "s/^/$id /"
  done
}}
{files}
{ports}
{environ}
look() {{
  said=$(within 8 systemctl show {units} --no-pager --timestamp=us+utc -p {properties} 2>&1); rc=$?
  if [ "$rc" != 0 ]; then
    said=$(within 8 systemctl show {units} --no-pager -p {properties} 2>&1); rc=$?
  fi
  first=; pid=; folder=; restarts=; state=; down=; id=
  while IFS== read -r key value; do
    case $key in
      MainPID) [ -n "$first" ] || pid=$value ;;
      NRestarts) [ -n "$first" ] || restarts=$value ;;
      WorkingDirectory) [ -n "$first" ] || folder=${{value#'!'}} ;;
      Id) id=$value ;;
      ActiveState)
        if [ -z "$first" ]; then first=$id; state=$value
        elif [ "$value" != active ]; then down="$down $id"; fi ;;
    esac
  done <<EOF
$said
EOF
  cwd=; count_workers
  if [ "${{pid:-0}}" -gt 0 ] 2>/dev/null; then
    cwd=$folder
    [ "/proc/$pid/cwd" -ef "$folder" ] || cwd=$(readlink "/proc/$pid/cwd")
  fi
  part show show
  part environ environ
  [ "$state" = active ] && [ "${{restarts:-0}}" = 0 ] || part ports ports
  [ -z "$down" ] || part down down
}}
TZ=UTC; export TZ
echo systemd
part files files | {{ part log log | {{ look; cat; }}; cat; }}"""
_JOURNAL = re.compile(r"(?P<time>\S+) \S+ (?P<process>[^:]+): ?(?P<message>.*)")
# Without its environment file a unit is not even started, and systemd says so first.
_START = re.compile(r"Started |Starting |\S+: Failed to load environment files")
# multiprocessing says it of a child that an exception ends (uvicorn's), gunicorn of its workers.
_WORKER_CRASHED = re.compile(r"Process \w*Process-\d+:|.*Worker \(pid:\d+\) exited with code [1-9]")
_ERROR = re.compile(r"(?i)\[emerg\]|error|fatal|failed")
Secrets = Mapping[str, str] | None
_REASON = re.compile(r"\S+\.\w+: (Failed (?!with result|to run).*|Changing to .* failed: .*)")


def script(part: Systemd, keys: tuple[str, ...], *, redacted: bool = False) -> str:
    """Give the part of the look that asks for a unit, the units it needs, its log and environment.

    `systemctl show` says nothing of a unit's log, and a plain user's `journalctl` is empty with
    status 0: that one is told apart by who we are.
    """
    needs = (need if "." in need else f"{need}.service" for need in part.needs)
    return _SCRIPT.format(
        unit=shell.quote(part.full_name),
        units=shell.words([part.full_name, *needs]),
        properties=_PROPERTIES,
        environ=service_state.environ_script(keys),
        workers=service_state.WORKERS,
        redact=f" | {alone.REDACT}" if redacted else "",
        telling=_TELLING,
        files=unit_files.script(part.full_name),
        ports=listeners.SCRIPT,
    )


def parse(answers: Mapping[str, Answer]) -> ServiceState | Unreadable:
    """Take the part's answers apart."""
    show = answers.get("show")
    if show is None or show.status != 0:
        last = show.lines[-1:] if show else []
        return Unreadable(redact_foreign(": ".join(["systemd does not answer", *last])))
    unit, *needs = map(_block, show.text.decode("utf-8", "replace").strip().split("\n\n"))
    environ = service_state.environ(answers.get("environ"))
    log = _log(answers.get("log"), environ)
    lines = () if isinstance(log, Unreadable) else _of_last_start(log)
    state = _state(unit)
    return dataclasses.replace(
        state,
        environ=environ,
        log=log
        if isinstance(log, Unreadable)
        else tuple(map(str, log[-service_state.LOG_LINES :])),
        exceptions=_exceptions(lines) or (_exceptions(log) if state.restarts else ()),
        reason=_reason(lines),
        start_limit=any("Start request repeated too quickly" in line.message for line in lines),
        crashes=tuple(_epoch_of(line) for line in lines if _WORKER_CRASHED.match(line.message)),
        files=unit_files.parse(answers.get("files")),
        listening=listeners.parse(answers["ports"]) if "ports" in answers else (),
        needs=tuple(_need(need, answers.get("down"), environ) for need in needs),
    )


@dataclasses.dataclass(frozen=True)
class _Line:
    """A line of the journal."""

    time: str
    process: str
    message: str

    def __str__(self) -> str:
        return f"{self.time} {self.process}: {self.message}"

    @property
    def starts(self) -> bool:
        by_systemd = self.process.startswith("systemd[")
        return by_systemd and _START.match(self.message) is not None


def _block(text: str) -> dict[str, list[str]]:
    """Give a unit's properties; some come more than once, or not at all."""
    properties: dict[str, list[str]] = {}
    for line in text.split("\n"):
        name, _, value = line.partition("=")
        properties.setdefault(name, []).append(value)
    return properties


def _state(unit: Mapping[str, list[str]]) -> ServiceState:
    def one(name: str) -> str:
        return unit.get(name, [""])[0]

    files = (value.partition(" (ignore_errors=")[0] for value in unit.get("EnvironmentFiles", ()))
    return ServiceState(
        name=one("Id"),
        exists=one("LoadState") != "not-found" or one("ActiveState") == "active",
        active=one("ActiveState") == "active",
        state=one("ActiveState"),
        sub=one("SubState"),
        result=one("Result"),
        load=one("LoadState"),
        enabled=one("UnitFileState"),
        started=_epoch(one("ExecMainStartTimestamp")),
        restarts=int(one("NRestarts") or 0),
        exit_status=int(one("ExecMainStatus") or 0)
        if one("ExecMainCode") not in {"", "0"}
        else None,
        main_pid=int(one("MainPID") or 0) or None,
        working_directory=one("WorkingDirectory").removeprefix("!"),
        environment_files=tuple(files),
        user=one("User"),
        cwd=one("Cwd"),
        workers=int(one("Workers") or 0),
        stale=one("NeedDaemonReload") == "yes",
        drop_ins=tuple(filter(None, one("DropInPaths").split(" "))),
    )


def _need(unit: Mapping[str, list[str]], down: Answer | None, secrets: Secrets) -> Need:
    state = _state(unit)
    prefix = f"{state.name} "
    lines = down.text.decode("utf-8", "replace").split("\n") if down is not None else []
    log = _parsed(
        "\n".join(line.removeprefix(prefix) for line in lines if line.startswith(prefix)), secrets
    )
    last = [line for line in _of_last_start(log) if not line.process.startswith("systemd[")]
    own = [line.message for line in last]
    why = [said for said in own if _ERROR.search(said)] or own
    return Need(
        state.name, state.active, state.state, state.sub, state.result, state.load, *why[:1]
    )


def _epoch(stamp: str) -> float | None:
    """Read `Sat 2026-11-21 10:26:41.610896 UTC`; None where there is no time."""
    words = stamp.split(" ")
    if len(words) != 4:
        return None
    moment = datetime.fromisoformat(f"{words[1]}T{words[2]}")
    return moment.replace(tzinfo=UTC).timestamp()


def _log(answer: Answer | None, environ: Secrets) -> list[_Line] | Unreadable:
    if answer is not None and answer.status == 5:
        return Unreadable("journalctl took longer than 8 s")
    if answer is None or answer.status != 0:
        return Unreadable("the journal can be read by root and the group systemd-journal alone")
    return _parsed(answer.text.decode("utf-8", "replace"), environ)


def _parsed(text: str, secrets: Secrets) -> list[_Line]:
    text = service_state.clean(text, secrets)
    found = (_JOURNAL.fullmatch(line) for line in text.split("\n"))
    return [_Line(line["time"], line["process"], line["message"]) for line in found if line]


def _exceptions(lines: Sequence[_Line] | Unreadable) -> tuple[str, ...]:
    """Give the exceptions; in a crash loop the start of this moment may have none yet."""
    if isinstance(lines, Unreadable):
        return ()
    return tuple(service_state.exceptions((line.process, line.message) for line in lines))


def _epoch_of(line: _Line) -> float:
    return datetime.fromisoformat(line.time).timestamp()


def _of_last_start(log: list[_Line]) -> tuple[_Line, ...]:
    starts = [number for number, line in enumerate(log) if line.starts]
    return tuple(log[starts[-1] :] if starts else log)


def _reason(lines: tuple[_Line, ...]) -> str:
    found = [said[1] for line in lines if (said := _REASON.fullmatch(line.message))]
    return found[-1] if found else ""
