"""A systemd unit, as `systemctl show`, the journal and /proc have it."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts import (
    alone,
    auth_log,
    copies,
    journal,
    listeners,
    service_state,
    unit_files,
    user_units,
)
from relogin.facts.service_state import Need, ServiceState
from relogin.finding import CUT_SHORT, Unreadable
from relogin.redaction import redact_foreign

if TYPE_CHECKING:
    from relogin.parts.runtime import Systemd
    from relogin.remote import Answer

# Never `Environment`: any user may read it, and it holds secrets.
_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,Result,UnitFileState,NRestarts,MainPID,ExecMainCode,"
    "ExecMainStatus,ExecMainStartTimestamp,WorkingDirectory,EnvironmentFiles,User,MemoryMax,"
    "NeedDaemonReload,DropInPaths,FragmentPath,ConditionResult,ConditionTimestamp"
)
# `--timestamp` came with systemd 247; without it times are in the caller's zone, in whole seconds.
# The kernel is only asked, and ports are only listed, of a unit that does not run well. Of a line
# that systemd refuses the value is left out: it may be a secret.
_SCRIPT = """\
log() {{
  [ "$uid" = 0 ] || id -Gn | grep -Eqw 'adm|systemd-journal' || return 4
  {{
    within 8 journalctl -q -u {unit} -n 240 -o short-iso --no-pager
    [ "$?" -ge 124 ] || echo '#end'
  }} |
    awk 'length($0) > 2000 {{ $0 = substr($0, 1, 2000) "{cut_short}" }}
      {{ line[NR] = $0 }}
      END {{
        if (line[NR] != "#end") exit 5
        for (n = 1; n < NR; n++) if (n > NR - 61 || line[n] ~ /{telling}/) print line[n]
      }}'{redact}
}}
kernel() {{
  within 8 journalctl -q -k -n 400 -o short-iso --no-pager | grep -F /{unit}, | tail -n 5
}}
verify() {{
  words=$(within 8 systemd-analyze verify {unit} 2>&1); rc=$?
  printf '%s\\n' "$words" | sed -n 's|^\\(/[^ ]*:[0-9]*: [^:]*\\).*|\\1|p' | grep -F /{unit}
  [ "$rc" -lt 2 ]
}}
show() {{
  printf '%s\\n' "Cwd=$cwd" "Groups=$groups" "RunsAs=$runs_as" "Workers=$workers" "$said"
  return "$rc"
}}
{workers}
down() {{
  for id in $down; do
    within 8 journalctl -q -u "$id" -n 12 -o short-iso --no-pager |
      {shortened} | sed "s/^/$id /"
  done
}}
{files}
{ports}
{user_units}
{environ}
{copies}
names() {{ within 8 systemctl list-unit-files --type=service --no-legend --no-pager; }}
process() {{
  cwd=; groups=; runs_as=
  if [ "${{pid:-0}}" -gt 0 ] 2>/dev/null; then
    cwd=$folder; command=
    [ "/proc/$pid/cwd" -ef "$folder" ] || cwd=$(readlink "/proc/$pid/cwd")
    while read -r key value; do
      case $key in Gid:) groups=${{value%%[!0-9]*}} ;; Groups:) groups="$groups $value" ;; esac
    done <"/proc/$pid/status"
    {runs_as}
  elif [ -n "$user" ]; then groups=$(id -G "$user"); fi
}}
look() {{
  said=$(within 8 systemctl show {units} --no-pager --timestamp=us+utc -p {properties} 2>&1); rc=$?
  if [ "$rc" != 0 ]; then
    said=$(within 8 systemctl show {units} --no-pager -p {properties} 2>&1); rc=$?
  fi
  first=; pid=; folder=; user=; load=; restarts=; state=; down=; id=
  while IFS== read -r key value; do
    case $key in
      MainPID) [ -n "$first" ] || pid=$value ;;
      NRestarts) [ -n "$first" ] || restarts=$value ;;
      LoadState) [ -n "$first" ] || load=$value ;;
      User) [ -n "$first" ] || user=$value ;;
      WorkingDirectory) [ -n "$first" ] || folder=${{value#'!'}} ;;
      Id) id=$value ;;
      ActiveState)
        if [ -z "$first" ]; then first=$id; state=$value
        elif [ "$value" != active ]; then down="$down $id"; fi ;;
    esac
  done <<EOF
$said
EOF
  unit={unit}; command={command}; process; count_workers
  part show show
  part environ environ
  part copies copies
  if [ "$state" != active ] || [ "${{restarts:-0}}" != 0 ]; then
    part ports ports; part kernel kernel
  fi
  [ -z "$down" ] || part down down
  [ "$load" != bad-setting ] || part verify verify
  if [ "$load" = not-found ]; then part user_units user_units; part names names; fi
}}
TZ=UTC; export TZ
echo systemd
part files files | {{ part log log | {{ look; cat; }}; cat; }}"""
_ENOUGH = 3
_ERROR = re.compile(r"(?i)\[emerg\]|error|fatal|failed")


def script(part: Systemd, keys: tuple[str, ...], *, redacted: bool = False) -> str:
    """Give the part of the look that asks for a unit, the units it needs, its log and environment.

    `systemctl show` says nothing of a unit's log, and a plain user's `journalctl` is empty with
    status 0: that one is told apart by who we are.
    """
    needs = (need if "." in need else f"{need}.service" for need in part.needs)
    return _SCRIPT.format(
        unit=shell.quote(part.full_name),
        units=shell.words([part.full_name, *needs]),
        properties=_PROPERTIES + (",ExecStart" if part.exec_start else ""),
        environ=service_state.environ_script(keys),
        workers=service_state.WORKERS,
        redact=f" | {alone.REDACT}" if redacted else "",
        telling=journal.TELLING,
        cut_short=CUT_SHORT,
        shortened=service_state.shortening(2000),
        files=unit_files.script(part.full_name, _declarable(part)),
        ports=listeners.SCRIPT,
        user_units=user_units.SCRIPT,
        copies=copies.SCRIPT,
        command=shell.quote((part.exec_start or "").lstrip("@-:+!")),
        runs_as='runs_as=$(stat -Lc %U "/proc/$pid")' if part.user else ":",
    )


def _declarable(part: Systemd) -> tuple[str, ...]:
    named = (("User", part.user), ("ExecStart", part.exec_start))
    return (*unit_files.SETTINGS, *(name for name, declared in named if declared))


def parse(answers: Mapping[str, Answer]) -> ServiceState | Unreadable:
    """Take the part's answers apart."""
    show = answers.get("show")
    if show is None or show.status != 0:
        last = show.lines[-1:] if show else []
        return Unreadable(redact_foreign(": ".join(["systemd does not answer", *last])))
    unit, *needs = map(_block, show.text.decode("utf-8", "replace").strip().split("\n\n"))
    environ = service_state.environ(answers.get("environ"))
    state = _state(unit)
    refused = state.load == "bad-setting"
    return dataclasses.replace(
        _with_log(state, answers, environ),
        configuration=_refused(answers.get("verify")) if refused else "",
        environ=environ,
        files=unit_files.parse(answers.get("files")),
        user_units=user_units.parse(answers.get("user_units")),
        alike=_alike(state.name, answers.get("names")),
        listening=listeners.parse(answers["ports"]) if "ports" in answers else (),
        copies=copies.parse(answers.get("copies")),
        needs=tuple(_need(need, answers.get("down"), environ) for need in needs),
    )


def _alike(name: str, listed: Answer | None) -> tuple[str, ...]:
    """Give the units that may be meant by a name that none has: it is in theirs, or nearly is."""
    lines = listed.lines if listed is not None and listed.status == 0 else []
    units = [line.partition(" ")[0].removesuffix(".service") for line in lines]
    there = [one for one in units if one and not one.endswith("@")]
    short = name.removesuffix(".service")
    near = difflib.get_close_matches(short, there, n=_ENOUGH)
    near += [one for one in there if short.lower() in one.lower()]
    return tuple(f"{one}.service" for one in dict.fromkeys(near))[:_ENOUGH]


def _with_log(
    state: ServiceState, answers: Mapping[str, Answer], secrets: journal.Secrets
) -> ServiceState:
    """Add what the journal says; in a crash loop the start of this moment may have nothing yet."""
    log = journal.log(answers.get("log"), secrets)
    kernel = journal.log(answers.get("kernel"), secrets) if "kernel" in answers else []
    lines = () if isinstance(log, Unreadable) else journal.of_last_start(log)
    return dataclasses.replace(
        state,
        log=log
        if isinstance(log, Unreadable)
        else tuple(map(str, log[-service_state.LOG_LINES :])),
        auth=auth_log.read(map(str, [] if isinstance(log, Unreadable) else log)),
        exceptions=journal.exceptions(lines) or (journal.exceptions(log) if state.restarts else ()),
        reason=journal.reason(lines),
        start_limit=any("Start request repeated too quickly" in line.message for line in lines),
        crashes=journal.crashes(lines),
        timeouts=journal.timeouts(lines),
        kills=journal.kills(log),
        out_of_memory=journal.out_of_memory(log) or journal.out_of_memory(kernel),
    )


def _refused(verify: Answer | None) -> str:
    """Say what systemd refuses, by file and line; "" where that has been corrected since."""
    if verify is None or verify.status != 0:
        return "ERROR: bad-setting"
    lines = [line for line in verify.lines if line]
    return f"ERROR: {lines[-1]}" if lines else ""


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
        runs_as=one("RunsAs"),
        groups=tuple(dict.fromkeys(map(int, one("Groups").split()))),
        commands=tuple(map(_command, unit.get("ExecStart", ()))),
        memory_limit=int(one("MemoryMax")) if one("MemoryMax").isdigit() else None,
        cwd=one("Cwd"),
        workers=int(one("Workers") or 0),
        stale=one("NeedDaemonReload") == "yes",
        fragment=one("FragmentPath"),
        drop_ins=tuple(filter(None, one("DropInPaths").split(" "))),
        condition_failed=one("ConditionResult") == "no" and one("ConditionTimestamp") != "",
    )


def _command(shown: str) -> str:
    """Give the words of `{ path=… ; argv[]=… ; ignore_errors=no ; … }`, a blank between two."""
    return shown.partition(" argv[]=")[2].partition(" ; ignore_errors=")[0]


def _need(unit: Mapping[str, list[str]], down: Answer | None, secrets: journal.Secrets) -> Need:
    state = _state(unit)
    prefix = f"{state.name} "
    lines = down.text.decode("utf-8", "replace").split("\n") if down is not None else []
    own = "\n".join(line.removeprefix(prefix) for line in lines if line.startswith(prefix))
    last = journal.of_last_start(journal.parse(own, secrets))
    said = [line.message for line in last if not line.process.startswith("systemd[")]
    why = [line for line in said if _ERROR.search(line)] or said
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
