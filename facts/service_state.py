"""What is known of a service, whatever runs it, and what its log says of its last start."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, field, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from relogin import shell
from relogin.facts.auth_log import AuthLog
from relogin.facts.compose_state import Project
from relogin.facts.copies import Copy
from relogin.facts.listeners import Listener
from relogin.facts.unit_files import UnitFile
from relogin.finding import CUT_SHORT, Unreadable, shortened
from relogin.redaction import redact_lines, revealed
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.remote import Answer

LOG_LINES = 40
_SHOWN = 20
_TRACEBACK = "Traceback (most recent call last):"
# What uvicorn and gunicorn say where there is no traceback.
_SAID = re.compile(r"Error loading ASGI app.*|.*address already in use.*|Connection in use: .*")


@dataclass(frozen=True)
class Need:
    """Another unit without which nobody gets in; `reason` is what its log says where it is down."""

    name: str
    active: bool
    state: str
    sub: str
    result: str
    load: str = "loaded"
    reason: str = ""


@dataclass(frozen=True)
class ServiceState:
    """A systemd unit, a supervisord program or a service of a Docker Compose project.

    `state`, `sub` and `result` are the process manager's own words: `active`, `running`, `success`
    or `fatal`, ``, `Exited too quickly`. `load` is systemd's: `loaded`, `not-found`, `masked`,
    `bad-setting`; `down` says that supervisord itself does not run. `started` is when the main
    process was started, in epoch seconds of the host's clock; `exit_status` is None while it has
    not ended. `reason` is why the process manager could not start it, `start_limit` that it tried
    too often; `exceptions` are the last lines of the last start's tracebacks, oldest first, and
    `auth` counts what its log says of refused logins; `crashes` is when its workers crashed, whose
    parent runs on, `timeouts` when it killed them, `kills` when anybody killed the main process
    (SIGKILL), and `out_of_memory` when it is known that the kernel did that to one of them.

    Of a unit, `working_directory`, `environment_files`, `user`, `commands` (the words of ExecStart,
    where one is declared), `fragment` and `drop_ins` are what systemd has read, `files` what lies
    on disk; `stale` is its own word that these differ, which it does not always see. Of the main
    process, `cwd` is where it is, `workers` how many children it has, and `runs_as` its user, where
    one is declared; `groups` are the ids of all its groups, or else of its user's. `copies` are
    processes of the same program that are none of it. `listening` is only asked for where the
    service does not run well.
    `user_units` are (user, path) of units of this name that belong to users' own managers (user
    `*`: of all users), and `alike` units that may have been meant by the name; both are only
    looked for where systemd itself knows none.
    `configuration` is what supervisord says of its file: `changed`, `available` (it is new there),
    `disappeared`, or `ERROR: …`, why it cannot be read; the latter is systemd's word, too.

    `environ` holds the declared keys that the running main process was started with (proc(5): the
    block given at execve; what `load_dotenv` sets never shows there). Its values are secrets. It is
    None where nothing runs or it could not be read. `project` is what is known of the Docker
    Compose project whose service it is.
    """

    name: str
    exists: bool
    active: bool
    state: str
    sub: str = ""
    result: str = ""
    load: str = "loaded"
    enabled: str = ""
    started: float | None = None
    restarts: int | None = None
    exit_status: int | None = None
    main_pid: int | None = None
    working_directory: str = ""
    environment_files: tuple[str, ...] = ()
    user: str = ""
    environ: Mapping[str, str] | None = field(default=None, repr=False)
    log: tuple[str, ...] | Unreadable = field(default=(), repr=False)
    exceptions: tuple[str, ...] = ()
    auth: AuthLog = field(default_factory=AuthLog)
    reason: str = ""
    start_limit: bool = False
    crashes: tuple[float, ...] = ()
    timeouts: tuple[float, ...] = ()
    out_of_memory: tuple[float, ...] = ()
    kills: tuple[float, ...] = ()
    memory_limit: int | None = None
    condition_failed: bool = False
    cwd: str = ""
    workers: int = 0
    runs_as: str = ""
    groups: tuple[int, ...] = ()
    commands: tuple[str, ...] = ()
    configuration: str = ""
    user_units: tuple[tuple[str, str], ...] = ()
    alike: tuple[str, ...] = ()
    stale: bool = False
    fragment: str = ""
    drop_ins: tuple[str, ...] = ()
    files: tuple[UnitFile, ...] = ()
    listening: tuple[Listener, ...] | Unreadable = ()
    copies: tuple[Copy, ...] | Unreadable = ()
    needs: tuple[Need, ...] = ()
    project: Project | None = None

    @property
    def fragment_gone(self) -> bool:
        """Tell whether the unit's own file is gone from where people and packages put it."""
        kept = [one for one in self.files if not one.name.endswith(".conf")]
        generated = self.fragment.startswith("/run/systemd/generator")
        return self.load == "loaded" and self.stale and not kept and not generated

    def to_json(self) -> dict[str, Any]:
        """Give everything but the values of `environ`, in whose place their lengths stand."""
        values = self.environ or {}
        lengths = None if self.environ is None else {key: len(values[key]) for key in values}
        return {name: _json(value) for name, value in vars(self).items()} | {"environ": lengths}


def _json(value: object) -> Any:
    if isinstance(value, Unreadable | Project | AuthLog):
        return value.to_json()
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


# The shell function `count_workers`: how many children process `$pid` has (proc(5)), as `$workers`;
# without a fork. The kernel may have been built without the file.
WORKERS = """\
count_workers() {
  children=; workers=0
  [ ! -r "/proc/$pid/task/$pid/children" ] || read -r children <"/proc/$pid/task/$pid/children"
  for _ in $children; do workers=$((workers + 1)); done
}"""


def environ_script(keys: tuple[str, ...]) -> str:
    """Give the shell function `environ`: the keys' variables of process `$pid`, one a line.

    A newline in a value travels as a byte 1. Status 3: no process; 4: it may not be read.
    """
    if not keys:
        return "environ() { return 3; }"
    wanted = shell.quote("/^(" + "|".join(keys) + ")=/p")
    return f"""environ() {{
  [ "${{pid:-0}}" -gt 0 ] 2>/dev/null || return 3
  cat "/proc/$pid/environ" >/dev/null 2>&1 || return 4
  tr '\\000\\n' '\\n\\001' <"/proc/$pid/environ" | sed -nE {wanted}
}}"""


def environ(answer: Answer | None) -> dict[str, str] | None:
    """Take apart what `environ` wrote."""
    if answer is None or answer.status != 0:
        return None
    lines = answer.text.decode("utf-8", "surrogateescape").split("\n")
    pairs = (line.replace("\x01", "\n").partition("=") for line in lines if "=" in line)
    return {key: value for key, _, value in pairs}


def shortening(most: int) -> str:
    """Give a filter of lines that cuts them after so many bytes, and marks those that it cut."""
    return shlex.join(
        ["awk", f'length($0) > {most} {{ $0 = substr($0, 1, {most}) "{CUT_SHORT}" }} 1']
    )


def clean(text: str, secrets: Mapping[str, str] | None) -> str:
    """Give a log's text without the values of `secrets` and without what looks like a secret.

    Nor has a line that the host cut short, where a value ended it, what was left of that.
    """
    if CUT_SHORT in text:
        values = {*(secrets or {}).values(), *revealed()}
        cut = re.compile(f"^.*(?={re.escape(CUT_SHORT)}$)", re.MULTILINE)
        text = cut.sub(lambda line: _without_begun(line[0], values), text)
    for value in sorted((secrets or {}).values(), key=len, reverse=True):  # one may hold another
        if len(value) >= 8:  # a port or a flag is no secret, and blotting it out helps nobody
            text = text.replace(value, "***")
    # systemd prints the value that it could not decode: "invalid UTF-8 value for key K: 'v'".
    text = re.sub(r"(for key \S+: ).*", r"\1***", text)
    return redact_lines(text)


def without_former(
    service: ServiceState | Unreadable | None, former: Mapping[str, str]
) -> tuple[ServiceState | Unreadable | None, Mapping[str, str]]:
    """Take what earlier processes were started with out of a log; give what is known of all.

    One that has ended shows its values nowhere any more, but its last words may have them.
    """
    if not isinstance(service, ServiceState):
        return service, former
    started, log = service.environ or {}, service.log
    if former.items() <= started.items():  # the log is without them as it is
        return service, started
    known = {**former, **started}
    service = replace(
        service,
        log=log if isinstance(log, Unreadable) else tuple(clean(line, known) for line in log),
        exceptions=tuple(clean(line, known) for line in service.exceptions),
        reason=clean(service.reason, known),
    )
    return service, known


def _without_begun(text: str, values: Iterable[str]) -> str:
    """Give a text that was cut off without the beginning of a value at its end."""
    begun = max((_begun(text, value) for value in values), default=0)
    return text[:-begun] + "***" if begun else text


def _begun(text: str, value: str) -> int:
    longest = min(len(value), len(text))
    return next((n for n in range(longest, 3, -1) if text.endswith(value[:n])), 0)


def said_meanwhile(
    before: tuple[str, ...], after: tuple[str, ...] | Unreadable, secrets: Mapping[str, str]
) -> tuple[str, ...]:
    """Give what a log grew by between two looks, its last lines at most, without `secrets`.

    Both are the end of one log, so what `after` begins with is what `before` ends with.
    """
    if isinstance(after, Unreadable):
        return (f"could not be seen: {after.reason}",)
    known = next(
        known
        for known in range(len(before), -1, -1)
        if after[:known] == before[len(before) - known :]
    )
    return tuple(clean(line, secrets) for line in after[known:][-_SHOWN:])


def exceptions(messages: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Give the last line of each traceback among (process, message) pairs.

    Several processes write into one log at once, so each has its own traceback open.
    """
    open_in: set[str] = set()
    for process, message in messages:
        if _TRACEBACK in message or message.startswith('  File "'):  # the log may begin in one
            open_in.add(process)
        elif process in open_in and message.strip() and not message.startswith((" ", "\t")):
            open_in.discard(process)
            yield shortened(message, 200)
        elif said := _SAID.search(message):
            yield shortened(said[0], 200)
