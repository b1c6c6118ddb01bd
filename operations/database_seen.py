"""What the judges of a whole database share: whether it was looked at, and how it is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from relogin import sql, undo
from relogin.facts.database_state import DatabaseState
from relogin.facts.postgres_state import Contents, Server
from relogin.fault import Change, Detect
from relogin.finding import Finding
from relogin.operations.administrator import administrator

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

Judged = Finding | Iterable[Finding] | None
PATIENCE = 3600  # seconds: a large index takes its time
# It waits for every transaction that is older, but lets nobody queue behind it for long.
UNHURRIED = sql.WRITE + "set statement_timeout = 0; set lock_timeout = '30s';\n"
PSQL = "runuser -u postgres -- psql -d DATABASE"


def where_looked(judge: Callable[[Backend, Observation, DatabaseState], Judged]) -> Detect:
    """Ask only where the whole database was looked at: the ordinary look does not."""

    def detect(backend: Backend, seen: Observation) -> Judged:
        state = seen.database
        return judge(backend, seen, state) if isinstance(state, DatabaseState) else None

    return detect


def state_of(seen: Observation) -> DatabaseState:
    """Give the database of a look that has a finding about it."""
    assert isinstance(seen.database, DatabaseState)  # noqa: S101 # there is no finding otherwise
    return seen.database


def of_users(seen: Observation) -> Contents:
    """Give what the layer `postgres` judges already: the tables that the backend needs."""
    contents = seen.postgres.contents if isinstance(seen.postgres, Server) else None
    return contents or Contents()


def changed(
    backend: Backend, seen: Observation, statements: str, why: str, *, stays: str
) -> Change:
    """Give a change of the database that cannot be taken back, and need not be.

    It has failed where psql has, or says so in a line that begins with `#failed`.
    """
    psql = sql.psql(
        UNHURRIED + statements, command=administrator(backend, seen, state_of(seen).name)
    )
    script = f"""\
said=$({{ {psql}; }} 2>&1) || {{ printf '%s\\n' "$said"; exit 1; }}
case $said in *'#failed '*) printf '%s\\n' "${{said#*#failed }}"; exit 1 ;; esac
"""
    return Change(undo.stays(backend, script, stays), why, deadline=PATIENCE)
