"""The backend's own commands where several hosts have one database: one host after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import remote, shell, sql
from relogin.facts import elsewhere
from relogin.finding import Unreadable
from relogin.operations.user_row import psql_of
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.observation import Observation

# Seconds for which it is waited for those of the others.
PATIENCE = 240
# A number of its own: what follows such a command takes that of sql.LOCK. The lock is a session's
# (PostgreSQL docs, 13.3.5), which must not end for being idle (20.11; since version 14).
_HOLD = f"""\
select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'
 \\g /dev/null
set statement_timeout = 0; set lock_timeout = '{PATIENCE}s';
select pg_advisory_lock(7354367) \\g /dev/null
select 'held';
"""
# The session has its lock for as long as anybody can write to it: the command as well, so that one
# whose shell was ended at its deadline keeps the lock until it is done.
_ALONE = """\
pipes=$(mktemp -d) && mkfifo "$pipes/ask" "$pipes/said" || exit 1
{psql} -X -qAt -v ON_ERROR_STOP=1 <"$pipes/ask" >"$pipes/said" 2>/dev/null &
holder=$!
exec 8>"$pipes/ask" 9<"$pipes/said"
rm -r "$pipes"
printf '%s\\n' {hold} >&8
held=; read -r held <&9 || :
[ "$held" = held ] || {{ echo 'the lock that hosts of one database share was not had'; exit 1; }}
left_alone() {{ echo '#already'; exit 0; }}
done_by_now() {{ [ "$({there})" = t ]; }}
! done_by_now || left_alone
if {{
{run}
}} 9<&-; then status=0; else status=$?; fi
exec 8>&- 9<&-
wait "$holder" || :
if [ "$status" != 0 ]; then
  ! done_by_now || left_alone
  exit "$status"
fi
"""


def applies(backend: Backend) -> bool:
    """Tell whether another host may have the same database."""
    return elsewhere.admin_url(backend) is not None and not isinstance(backend.service, Compose)


def done_by_now(host: Host, backend: Backend, seen: Observation, query: str) -> bool:
    """Tell whether another host has done it: by the query, asked on this one."""
    asked = sql.psql(sql.READ + query, command=psql_of(backend, seen))
    answer = remote.change(host, elsewhere.functions(backend) + asked, deadline=30)
    return not isinstance(answer, Unreadable) and answer.lines == ["t"]


def alone(backend: Backend, seen: Observation, run: str, *, already: str) -> str:
    """Let a command wait for those of other hosts; it is left out where they have done its work.

    `already` is the query that tells that: t or f.
    """
    psql = psql_of(backend, seen)
    return _ALONE.format(
        psql=psql,
        hold=shell.quote(sql.WRITE + _HOLD),
        there=sql.psql(sql.READ + already, command=psql),
        run=run.strip(),
    )
