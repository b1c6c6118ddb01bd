"""Which databases the running backend really uses: its open files, its connections, their server.

Asked only once a login was refused: then the process that answered has just asked its database, and
a pool keeps that connection open.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from relogin import remote, shell, sql
from relogin.facts import postgres
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.parts.database import Peer
from relogin.parts.runtime import Compose
from relogin.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Target
    from relogin.remote import Answer

_DEADLINE = 20.0
# The main process and all below it (proc(5), /proc/PID/task/TID/children). It is asked as the
# process's own user: in a container without CAP_SYS_PTRACE not even root may see what it has open.
_PROCESS = """\
ls "/proc/$pid/fd" >/dev/null 2>&1 || exit 4
tree() {
  for one; do
    printf '%s ' "$one"
    for below in "/proc/$one/task"/*/children; do
      kids=; [ ! -r "$below" ] || read -r kids <"$below"
      [ -z "$kids" ] || tree $kids
    done
  done
}
pids=$(tree "$pid")
for one in $pids; do
  ls -l "/proc/$one/fd" 2>/dev/null |
    sed -nE 's/.* -> (\\/.*\\.(db|db3|sqlite|sqlite3))$/file \\1/p'
done
getent ahosts "$host" 2>/dev/null | sed 's/ .*//; s/^/host /'
all=$(ss -Htnp state established 2>/dev/null) || exit 5
for one in $pids; do
  printf '%s\\n' "$all" | grep -F "pid=$one," | while read -r _ _ near far _; do
    printf 'peer %s %s\\n' "$near" "$far"
  done
done
exit 0"""
_ACTIVITY = """\
select jsonb_build_object('part', 'activity', 'used', coalesce(jsonb_agg(distinct
 jsonb_build_object('database', datname, 'role', usename, 'port', client_port)), '[]'))
from pg_stat_activity where datname is not null and pid <> pg_backend_pid();
"""
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True)
class DatabasesInUse:
    """What the process has open: `files` that look like SQLite's, and `servers` (address, port).

    `servers` are other ones than the declared; `databases` are the names on the declared server of
    which it is known that a connection of the process is in them.
    """

    target: Target
    files: tuple[str, ...] = ()
    servers: tuple[tuple[str, int], ...] = ()
    databases: tuple[str, ...] = ()


def ask(host: Host, backend: Backend, seen: Observation) -> DatabasesInUse | Unreadable | None:
    """Ask, in one remote command; None where no process or no PostgreSQL is known.

    A container's connections are not among the host's own: there nothing is known.
    """
    pid = seen.service.main_pid if isinstance(seen.service, ServiceState) else None
    if pid is None or backend.database is None or isinstance(backend.service, Compose):
        return None
    target = postgres.declared_target(backend) or postgres.target_in_force(backend, seen.env)
    if isinstance(target, Unreadable):
        return target
    parts = {"process": script(pid, target)}
    if isinstance(backend.database.admin, Peer):  # elsewhere other hosts' ports are seen as well
        command = postgres.admin_command(backend.database.admin, port=target.port)
        parts["activity"] = sql.psql(sql.READ + _ACTIVITY, command=command)
    answers = remote.ask(host, parts, deadline=_DEADLINE)
    return answers if isinstance(answers, Unreadable) else parse(target, answers)


def script(pid: int, target: Target) -> str:
    """Give what asks for the open files and connections of a process and all below it."""
    asked = f"{{ pid={pid}; host={shell.quote(target.host)}\n{_PROCESS}\n}}\n"
    as_owner = shell.fed(asked, 'as_user "$owner" sh -s')
    return f"owner=$(stat -Lc %U /proc/{pid}) || return 3\n{as_owner}"


def parse(target: Target, answers: Mapping[str, Answer]) -> DatabasesInUse | Unreadable:
    """Take the answers apart."""
    process = answers.get("process")
    if process is None or process.status != 0:
        why = {3: "it has ended", 4: "it is shown to its own user alone", 5: "the host has no ss"}
        said = why.get(process.status if process else 0, "it is shown to root alone")
        return Unreadable(f"what the backend's process has open: {said}")
    words = [line.split(" ", 1) for line in process.lines if " " in line]
    files = dict.fromkeys(rest for kind, rest in words if kind == "file")
    declared = {_plain(rest) for kind, rest in words if kind == "host"} | {target.host}
    if declared & _LOOPBACK:
        declared |= _LOOPBACK
    peers = [_peer(rest) for kind, rest in words if kind == "peer"]
    known = [peer for peer in peers if peer is not None]
    ours = {near for near, far in known if far[1] == target.port and far[0] in declared}
    others = (far for near, far in known if near not in ours and _may_be_one(far[1], target))
    return DatabasesInUse(
        target,
        tuple(files),
        tuple(dict.fromkeys(others)),
        tuple(_databases(answers.get("activity"), ours)),
    )


def _databases(answer: Answer | None, ports: set[int]) -> list[str]:
    """Give the databases that the process's own connections are in, by their ports."""
    rows = postgres.rows(answer) if answer is not None and answer.status == 0 else {}
    used: list[dict[str, Any]] = rows.get("activity", {}).get("used", [])
    return sorted({one["database"] for one in used if one["port"] in ports})


def _peer(text: str) -> tuple[int, tuple[str, int]] | None:
    """Read `127.0.0.1:40000 [::1]:5432`: the port of the near end, and the far end."""
    found = re.fullmatch(r"\S*:(\d+) (\S*):(\d+)", text)
    return (int(found[1]), (_plain(found[2]), int(found[3]))) if found else None


def _plain(address: str) -> str:
    return address.strip("[]").removeprefix("::ffff:")


def _may_be_one(port: int, target: Target) -> bool:
    """Tell a port of PostgreSQL's (clusters count upwards) or of a pooler's from any other."""
    return port == target.port or 5432 <= port < 5450 or port == 6432
