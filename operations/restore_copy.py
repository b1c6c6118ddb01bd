"""Prove what was restored before anybody meets it: by a second copy of the backend, beside."""

from __future__ import annotations

import dataclasses
import shlex
import time
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from pyinfra import host as current_host

from relogin import remote, shell, sql
from relogin.backing import Backing, Outcome
from relogin.deed import do, failed
from relogin.facts import api
from relogin.facts.api_state import Probed
from relogin.facts.login import prove
from relogin.facts.side_database import CLIENT
from relogin.fault import Change
from relogin.finding import Unreadable
from relogin.operations import database_client
from relogin.operations.own_command import as_owner
from relogin.operations.release_proof import of_before
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
    from relogin.parts.api import Api
    from relogin.parts.proof import Login
    from relogin.remote import Answer
    from relogin.secret import Secret

_LIFE = 900  # seconds after which a copy ends by itself, should a run not come to end it
_MARK = "RELOGIN_COPY"
# What a page or a measurement would be asked for says nothing of a database.
_ELSEWHERE = {"cookie-unsafe", "cors-refused", "cors-open", "slow", "memory-grows"}
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
        problem = _problem(record, seen, port) or _elsewhere(backend, of, side, before)
        older = None if problem or token is None else _of_before(backend, port, seen, token)
    yield do(record, _ended(backend, port))
    if problem and record.entry.halted is None:
        if _said(record) and not problem.startswith("it did not start"):
            say(record, f"the copy said: {_said(record)}", "yellow")
        record.stop(Outcome.REFUSED, f"by the copy beside: {problem}; database {side} is left")
    return older


def _of_before(backend: Backend, port: int, seen: Observation, token: Secret) -> Check:
    """Ask the copy with a token of before, and with one of its own."""
    assert backend.login is not None  # noqa: S101 # without it nothing is restored
    copy = copied(backend, port, backend.login.account)
    proof = prove(current_host, copy, _beside(seen), refusals=False, patience=0)
    return of_before(copy, seen, token, proof.token)


def _beside(seen: Observation) -> Observation:
    return dataclasses.replace(seen, accounts=Unreadable("those of another database"))


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


def _problem(record: Backing, seen: Observation, port: int) -> str:
    """Prove every declared login by the copy, then what is declared of its API."""
    backend = record.entry.backend
    assert backend.accounts is not None and backend.login is not None  # noqa: S101, PT018
    beside = _beside(seen)
    problems: list[str] = []
    known = [account for account in backend.accounts.present if account.password is not None]
    patience = backend.login.deadline
    for account in known:
        proof = prove(
            current_host,
            copied(backend, port, account.login),
            beside,
            refusals=False,
            patience=patience,
        )
        patience = 0
        wrong = next((check.said for check in proof.checks if check.failed), "")
        if wrong or not proof.proven:
            problems.append(f"account {account.login}: {wrong or proof.said('login')}")
    if not problems and backend.api is not None:
        problems += _of_api(copied(backend, port, backend.login.account), beside)
    if not problems:
        named = ", ".join(account.login for account in known)
        say(record, f"by a copy of the backend beside: {named} can log in")
    return "; ".join(problems)


def _of_api(backend: Backend, seen: Observation) -> list[str]:
    probed = api.probe(current_host, backend, seen)
    if not isinstance(probed, Probed):
        return [probed.reason]
    return [
        one.said
        for one in probed.tried
        if one.ok is False
        and one.kind not in _ELSEWHERE
        and backend.accepts(f"api.{one.kind}") is None
    ]


def copied(backend: Backend, port: int, account: str) -> Backend:
    """Describe the copy: the same backend on another port, without what is in front of it."""
    login = backend.login
    assert login is not None and backend.backup is not None  # noqa: S101, PT018
    prefix = backend.backup.copy_prefix or ""

    def at(url: str) -> str:
        pieces = urlsplit(url)
        path = pieces.path.removeprefix(prefix) if prefix else pieces.path
        return urlunsplit(("http", f"127.0.0.1:{port}", path, pieces.query, ""))

    moved: Login = dataclasses.replace(
        login,
        url=at(login.url),
        account=account,
        protected=at(login.protected) if login.protected else None,
        refresh=login.refresh and dataclasses.replace(login.refresh, url=at(login.refresh.url)),
        host_header=login.host_header or urlsplit(login.url).netloc,
        public_url=None,
        origin=None,
        documented=False,
    )
    return dataclasses.replace(backend, login=moved, probes=(), api=_api(backend.api, at))


def _api(declared: Api | None, at: Callable[[str], str]) -> Api | None:
    """Give what is asked of a copy's API: its endpoints, once each, and nothing that changes it."""
    if declared is None:
        return None
    return dataclasses.replace(
        declared,
        url=at(declared.url) if declared.url else None,
        endpoints=tuple(dataclasses.replace(one, timed=False) for one in declared.endpoints),
        public_url=None,
        origin=None,
        journeys=(),
        limits=(),
        logout=None,
    )


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
