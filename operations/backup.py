"""Take a backup that reads back: the database, its accounts and roles, the env files."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import logger
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand, operation

from relogin import backing, deed, pulling
from relogin.backing import Backing, Outcome
from relogin.change import carry_out
from relogin.deed import do, failed
from relogin.facts import own_url
from relogin.fault import Change
from relogin.finding import Unreadable, legible
from relogin.mend import observe
from relogin.operations import (
    backup_take,
    release_database,
    restore_judged,
    restore_look,
    restore_steps,
    side_sql,
)
from relogin.operations.restore_switch import drop, say
from relogin.redaction import redact

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.backend import Backend
    from relogin.facts.observation import Observation


@operation(is_idempotent=False, idempotent_notice="each run takes another backup")
def taken(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Take a backup for root only, and pull it where `Backup(to=…)` says so.

    `--data test=true` restores it into a database beside the live one as well, and compares them.

    It counts once it was read back whole; older ones are removed then, as `Backup(keep=…)` says.

    + backend: the backend, as described
    """
    record = backing.of(current_state, current_host, backend)
    yield from concluded(record, _taken(record), "the backup")


def concluded(
    record: Backing, steps: Iterator[FunctionCommand], what: str
) -> Iterator[FunctionCommand]:
    """Yield the steps of a backup or a restore, as relogin.deed does."""
    record.seen = []  # of what was planned before the prompt nothing has come yet
    yield from deed.concluded(record, steps, good=backing.GOOD, what=what)


def _taken(record: Backing) -> Iterator[FunctionCommand]:
    entry, backend = record.entry, record.entry.backend
    seen = observe(entry)
    if seen is None:
        return
    if _tests() and (problem := restore_judged.untestable(backend)):
        record.stop(Outcome.REFUSED, problem)
        return
    change = _change(backend, seen)
    if isinstance(change, Unreadable):
        record.stop(Outcome.REFUSED, change.reason)
        return
    if not current_state.is_executing:
        record.outcome = Outcome.PLANNED
        record.plan = tuple(_plan(backend))
    yield FunctionCommand(carry_out, (entry, change), {})
    if entry.halted is not None or not entry.changes:
        return
    done = entry.changes[-1]
    record.outcome = Outcome.TAKEN if done.ok else Outcome.FAILED
    lines = done.output.splitlines() if done.ok else []
    record.seen += [line for line in lines if not line.startswith("#")]
    if made := next((line[6:] for line in lines if line.startswith("#made ")), ""):
        yield from _pulled(record, made)
        if _tests() and record.outcome is Outcome.TAKEN:
            yield from _tested(record, seen, made)


def _change(backend: Backend, seen: Observation) -> Change | Unreadable:
    reached = own_url.reached(backend, seen.env)
    if isinstance(reached, Unreadable):
        return Unreadable(f"the database cannot be reached: {reached.reason}")
    target = release_database.target(reached, seen)
    if isinstance(target, Unreadable):
        return target
    script = backup_take.script(reached, seen, target)
    why = f"back up the database {target.database}, read it back"
    return Change(script, why, release_database.DEADLINE)


def _plan(backend: Backend) -> Iterator[str]:
    yield "dump the database, list its accounts, tables and roles in the same snapshot"
    yield "keep the env files beside it, all of it for root only, with its sums; read it back"
    if backend.backup is not None and backend.backup.create is not None:
        yield f"keep what {backend.backup.create} writes"
    if backend.backup is not None and backend.backup.to is not None:
        yield f"pull it to {backend.backup.to} on this machine"
    if _tests():
        yield "restore it into a database beside the live one, and compare them"
    if backend.backup is not None and backend.backup.keep is not None:
        yield f"keep the newest {backend.backup.keep} of them"


def _tests() -> bool:
    return str(current_host.data.get("test")).lower() == "true"


def _tested(record: Backing, seen: Observation, made: str) -> Iterator[FunctionCommand]:
    """Restore it beside the live database, where a restore of it finds it; it is left there."""
    backend = record.entry.backend
    target = release_database.target(backend, seen)
    assert not isinstance(target, Unreadable)  # noqa: S101 # it was dumped by it
    found = restore_look.look(current_host, backend, target, made)
    if isinstance(found, Unreadable):
        record.stop(Outcome.FAILED, f"it was taken, but not tested: {found.reason}")
        return
    if problem := restore_judged.unfit(backend, target, *found):
        record.stop(Outcome.FAILED, f"it was taken, but not tested: {problem}")
        return
    side = side_sql.beside(target.database, made)
    yield do(record, restore_steps.beside(backend, target, found[0], side, seen))
    if failed(record):
        record.stop(Outcome.FAILED, f"it was taken, but is not what can be restored; {drop(side)}")
        return
    say(record, f"restored into database {side}, and as it says that it is; {drop(side)}")


def _pulled(record: Backing, made: str) -> Iterator[FunctionCommand]:
    backup = record.entry.backend.backup
    if backup is None or backup.to is None:
        return

    def pull(state: State, host: Host) -> bool:
        try:
            where = pulling.pull(host, record.entry.backend, made)
        except pulling.NotPulled as error:
            record.stop(Outcome.FAILED, f"it is on the host, but was not pulled: {error}")
            return True
        said = legible(redact(f"pulled to {where}, for this user only"))
        record.seen.append(said)
        host.log_styled(said, fg="cyan", log_func=logger.info)
        return True

    yield FunctionCommand(pull, (), {})
