"""A check of the whole database: what it judges, by which baseline, and what it learns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import logger

from relogin import baseline, run
from relogin.errors import UsageError
from relogin.facts.database_state import DatabaseState
from relogin.facts.proof import Check
from relogin.fault import Fault
from relogin.finding import Finding, Severity, Unreadable
from relogin.mend import say
from relogin.report.lines import counted
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.backend import Backend
    from relogin.facts.observation import Observation

# What is wrong with the database, and what keeps it from being looked at.
LAYERS = ("machine", "volumes", "postgres", "migrations", "database", "accounts")
TITLE = "Database health"


@dataclass(frozen=True)
class Checking:
    """Say that a look is at the whole database, and with what it is compared."""

    baseline: baseline.Baseline | None = None

    def judges(self, faults: Iterable[Fault]) -> tuple[Fault, ...]:
        """Give those of the faults that are the database's."""
        return tuple(fault for fault in faults if fault.layer in LAYERS)

    def compared(
        self, seen: DatabaseState | Unreadable | None
    ) -> DatabaseState | Unreadable | None:
        """Give the same database, to be compared with the baseline."""
        return seen.against(self.baseline) if isinstance(seen, DatabaseState) else seen


def begin(state: State, host: Host, backend: Backend) -> run.Entry:
    """Give the entry of a backend whose database alone is judged.

    Raises:
        UsageError: its baseline cannot be read.
    """
    record = run.entry(state, host, backend)
    named = host.data.get("baseline") or (backend.database and backend.database.health.baseline)
    try:
        known = baseline.read(Path(str(named))) if named and not to_learn(host) else None
    except baseline.BaselineError as error:
        raise UsageError(f"{backend!r}: baseline: {error}") from None
    if record.checking is None:
        record.forget()  # a look that was begun for something else is not at the whole database
    record.checking = Checking(known)
    return record


def to_learn(host: Host) -> str:
    """Give the file that `--data learn=FILE` names, or nothing."""
    return str(host.data.get("learn") or "")


def judge(record: run.Entry, seen: Observation) -> bool:
    """Judge the database, log what is wrong, and tell whether it is sound, or accepted as it is."""
    record.judge(seen)
    say(record, list(record.left.values()))
    if not isinstance(seen.database, DatabaseState):
        return False
    left = [one for one in record.left.values() if one.layer in LAYERS]
    record.reports[TITLE] = tuple(_health(seen.database, left))
    return not any(one.severity > Severity.NOTE for one in left)


def _health(state: DatabaseState, left: Iterable[Finding]) -> Iterator[Check]:
    """Give the document of a check: what was looked at, and what is wrong with it."""
    kinds = ("tables", "constraints", "indexes", "sequences")
    told = ", ".join(f"{len(getattr(state, kind))} {kind}" for kind in kinds)
    yield Check(f"database {state.name}", True, f"database {state.name}: {told} were looked at")
    for table, rows in state.counts.items():
        yield Check(f"rows of {table}", True, f"{table}: {rows} rows")
    for one in left:
        said = f"{one.what} ({one.seen})" if one.seen else one.what
        known = one.severity is Severity.NOTE
        yield Check(f"{one.fault}: {one.subject}", known, said, one.fault)


def learn(record: run.Entry, seen: Observation, path: Path) -> bool:
    """Write the baseline that a database without findings is; tell whether that was done."""
    wrong = [one for one in record.left.values() if one.severity > Severity.NOTE]
    if wrong or not isinstance(seen.database, DatabaseState):
        why = counted(wrong) if wrong else "it could not be read"
        return _told(f"nothing is learnt of this database: {why}", well=False)
    if seen.database.unasked and any("not counted" in one for one in seen.database.unasked):
        return _told(f"nothing is learnt: {seen.database.unasked[0]}", well=False)
    try:
        baseline.write(path, baseline.learned(seen.database))
    except baseline.BaselineError as error:
        return _told(f"nothing is learnt: {error}", well=False)
    tables = len(seen.database.tables)
    return _told(f"{path}: what its {tables} tables have; keep it in git", well=True)


def _told(line: str, *, well: bool) -> bool:
    log = logger.info if well else logger.error
    current_host.log_styled(line, fg="green" if well else "red", log_func=log)
    return well
