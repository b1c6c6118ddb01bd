"""Prove what was restored before anybody meets it: by a second copy of the backend, beside."""

from __future__ import annotations

import shlex
import time
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING

from pyinfra import host as current_host

from relogin import remote, shell, sql
from relogin.backing import Backing, Outcome
from relogin.deed import do, failed
from relogin.facts.side_database import CLIENT
from relogin.fault import Change
from relogin.finding import Unreadable
from relogin.operations import database_client
from relogin.operations import restore_copy_proof as copy_proof
from relogin.operations.own_command import as_owner
from relogin.operations.restore_steps import beside_url
from relogin.operations.restore_switch import say
from relogin.parts.runtime import Compose
from relogin.undo.store import place

if TYPE_CHECKING:
    from pyinfra.api import FunctionCommand

    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Target
    from relogin.facts.proof import Check
    from relogin.remote import Answer
    from relogin.secret import Secret

_LIFE = 900  # seconds after which a copy ends by itself, should a run not come to end it
_MARK = "RELOGIN_COPY"
_TAKEN = """\
taken() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '{ print $2 }' |
    grep -q ":$(printf %04X "$1")$"
}
"""
_PORT = f"""\
{_TAKEN}port=18431; while taken "$port"; do port=$((port + 1)); done; echo "$port\""""
# Its processes are known by what is in their environment: a number alone may be another one's.
_STOP = """\
of_copy() {{ grep -lzxF -e {mark} /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3; }}
stop_copy() {{
  n=0; while left=$(of_copy); [ -n "$left" ]; do
    signal=TERM; [ "$n" -lt 50 ] || signal=KILL
    kill -s "$signal" $left 2>/dev/null; n=$((n + 1)); [ "$n" -lt 70 ] || return 1; sleep 0.1
  done
  {container}
}}
"""
# What was run with --rm the engine itself takes away, once it has ended (docker-run(1)).
_GONE = """\
n=0; while docker inspect {name} >/dev/null 2>&1; do
    n=$((n + 1)); [ "$n" -lt 100 ] || return 1; sleep 0.1
  done"""
_START = """\
{taken}{stop}{place}mkdir -p "$kept"; chmod 700 "$kept"
stop_copy || {{ echo 'a copy of an earlier run does not end'; exit 1; }}
run_copy() {{
{run}
}}
: >"$kept/log"
( trap '' HUP; run_copy >"$kept/log" 2>&1 </dev/null ) >/dev/null 2>&1 &
n=0; until taken {port}; do
  n=$((n + 1)); [ "$n" -lt 600 ] && kill -0 $! 2>/dev/null || {{
    grep -v '^#begins' "$kept/log" | tail -n 3; echo 'it does not listen'; exit 1
  }}
  sleep 0.1
done
"""
_END = """\
{stop}{place}stop_copy || {{ echo 'it does not end'; exit 1; }}
grep -v '^#begins' "$kept/log" | tail -n 3 || :
rm -f "$kept/log"
"""
_LIVES = 'echo "#begins"; if command -v timeout >/dev/null; then exec timeout "$0" "$@"; fi; "$@"'
# Sessions are counted when they end, or after some seconds (PostgreSQL docs, 27.2).
_SEEN = """\
select coalesce((to_jsonb(d)->>'sessions')::bigint, xact_commit) + (select count(*)
 from pg_stat_activity a where a.datname = d.datname and :client:)
 from pg_stat_database d where datname = :side:;
"""


def proven(
    record: Backing, of: Target, side: str, seen: Observation, token: Secret | None
) -> Generator[FunctionCommand, None, Check | None]:
    """Start the declared copy against the database beside, prove every login, end it.

    The record is stopped where one is not proven; nothing is done where no copy is declared. What
    it returns is how the copy took `token`, which is one of before.
    """
    backend, older = record.entry.backend, None
    if backend.backup is None or backend.backup.copy is None:
        return None
    port, before = _port(), _sessions(backend, of, side)
    if port is None or before is None:
        record.stop(Outcome.REFUSED, "the copy beside could not be started: the host said nothing")
        return None
    yield do(record, _started(backend, side, seen, port))
    if record.entry.halted is not None:
        return None
    if failed(record):
        problem = f"it did not start: {_said(record)}"
    else:
        problem = copy_proof.problem(record, seen, port) or _elsewhere(backend, of, side, before)
        older = (
            None if problem or token is None else copy_proof.of_token(backend, port, seen, token)
        )
    yield do(record, _ended(backend, port))
    if problem and record.entry.halted is None:
        if _said(record) and not problem.startswith("it did not start"):
            say(record, f"the copy said: {_said(record)}", "yellow")
        record.stop(Outcome.REFUSED, f"by the copy beside: {problem}; database {side} is left")
    return older


def _said(record: Backing) -> str:
    return record.entry.changes[-1].output.replace("\n", "; ")


def _port() -> int | None:
    answers = remote.ask(current_host, {"port": _PORT}, deadline=20)
    return _number(answers, "port")


def _number(answers: Mapping[str, Answer] | Unreadable, part: str) -> int | None:
    if isinstance(answers, Unreadable) or part not in answers:
        return None
    said = answers[part].lines[-1:]
    return int(said[0]) if said and said[0].strip().isdigit() else None


def _sessions(backend: Backend, of: Target, side: str) -> int | None:
    """Give how many sessions the database beside has had: each of a client counts."""
    psql = database_client.psql(backend, of, "postgres")
    asked = shell.fed(sql.READ + sql.fill(_SEEN, side=sql.literal(side), client=CLIENT), psql)
    script = database_client.functions(backend, of) + asked
    answers = remote.ask(current_host, {"sessions": script}, deadline=60)
    return _number(answers, "sessions")


def _elsewhere(backend: Backend, of: Target, side: str, before: int) -> str:
    """Say that the copy has not used the database beside, but another one; '' where it has."""
    for _ in range(4):
        now = _sessions(backend, of, side)
        if now is not None and now > before:
            return ""
        time.sleep(1)  # cooperative: other hosts go on
    return f"it was not seen in {side}: it takes its database's URL from elsewhere"


def _started(backend: Backend, side: str, seen: Observation, port: int) -> Change:
    assert backend.backup is not None and backend.backup.copy is not None  # noqa: S101, PT018
    secrets = beside_url(backend, side, seen)
    if isinstance(secrets, Unreadable):
        return Change(f"printf '%s\\n' {shell.quote(secrets.reason)}; exit 1", _why(side, port))
    words = [word.replace("{port}", str(port)) for word in shlex.split(backend.backup.copy)]
    run = as_owner(
        backend,
        seen,
        backend.directory,
        ["sh", "-c", _LIVES, str(_LIFE), *words],
        secrets=secrets,
        published=(_named(backend), port),
        **{_MARK: _named(backend)},
    )
    script = _START.format(
        taken=_TAKEN, stop=_stop(backend), place=place(backend, "copy"), run=run, port=port
    )
    return Change(script, _why(side, port), deadline=120)


def _why(side: str, port: int) -> str:
    return f"start a copy of the backend on port {port} of the host alone, with database {side}"


def _ended(backend: Backend, port: int) -> Change:
    script = _END.format(stop=_stop(backend), place=place(backend, "copy"))
    return Change(script, f"end the copy on port {port}")


def _stop(backend: Backend) -> str:
    name = shell.quote(_named(backend))
    mark = shell.quote(f"{_MARK}={_named(backend)}")
    in_container = isinstance(backend.service, Compose)
    return _STOP.format(mark=mark, container=_GONE.format(name=name) if in_container else ":")


def _named(backend: Backend) -> str:
    return f"relogin-copy-{backend.name}"
