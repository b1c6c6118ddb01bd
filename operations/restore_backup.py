"""Restore a backup without a broken window: beside the live database, compared, then switched."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand, operation

from relogin import backing, remote, shell
from relogin.backing import Backing, Outcome
from relogin.deed import do, failed
from relogin.facts.login import prove
from relogin.finding import Unreadable
from relogin.mend import observe
from relogin.operations import (
    database_client,
    release_database,
    restore_copy,
    restore_judged,
    restore_look,
    restore_reinit,
    restore_steps,
    side_sql,
)
from relogin.operations.backup import concluded
from relogin.operations.restore_switch import Switch, drop, now, say

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Target
    from relogin.facts.proof import Check
    from relogin.facts.side_database import Kept, Sides
    from relogin.operations.restore_look import Difference
    from relogin.secret import Secret


@operation()
def restored(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Restore a backup: beside, compared, switched, proven; else the former database comes back.

    `--data from=NAME` names it (the newest), `method=reinit` has the backend's own commands do it,
    `rehearse=true` does all but the switch, `undo=true` switches back to the database before,
    `confirm=HOST/DATABASE` confirms what would be lost. The backup that was restored last is not
    restored again while its accounts and rows are what is live, unless `again=true` says so.

    + backend: the backend, as described
    """
    record = backing.of(current_state, current_host, backend)
    yield from concluded(record, _restored(record), "the restore")


def _restored(record: Backing) -> Iterator[FunctionCommand]:
    backend, method = record.entry.backend, _given("method")
    problem = restore_judged.impossible(backend)
    if method not in {"", "reinit"}:
        problem = f"there is no method={method}; leave it out, or say method=reinit"
    elif method:
        problem = problem or restore_reinit.impossible(backend)
    if problem:
        record.stop(Outcome.REFUSED, problem)
    else:
        yield from _Restore(record).steps()


class _Restore:
    """One restore, from its checks to its proof or its way back."""

    def __init__(self, record: Backing) -> None:
        self.record, self.entry = record, record.entry
        self.backend = record.entry.backend
        self.token: Secret | None = None

    def steps(self) -> Iterator[FunctionCommand]:
        seen = self._look()
        if seen is None:
            return
        target = release_database.target(self.backend, seen)
        if isinstance(target, Unreadable):
            self.record.stop(Outcome.REFUSED, target.reason)
            return
        self.of: Target = target
        found = restore_look.look(current_host, self.backend, target, _given("from"))
        if isinstance(found, Unreadable):
            self.record.stop(Outcome.REFUSED, found.reason)
            return
        kept, sides = found
        self.sides: Sides = sides
        known, own = side_sql.noted(self._comment(target.database))
        self.switch = Switch(self.record, target, sides, self.token, self._confirmed)
        if known.get("state") == "unproven":
            yield from self.switch.go_on(known, own, undo=_asked("undo"))
        elif _asked("undo"):
            yield from self.switch.undo()
        elif problem := restore_judged.unfit(self.backend, target, kept, sides):
            self.record.stop(Outcome.REFUSED, problem)
        else:
            yield from self._restore(kept, own, seen)

    def _look(self) -> Observation | None:
        """Look at the backend and log in, to have a token of today; None where that cannot be."""
        seen = observe(self.entry)
        if seen is None:
            return None
        self.entry.proof = prove(current_host, self.backend, seen, refusals=False, patience=0)
        # where a session is a row, it is one of another database: that is said before
        self.token = self.entry.proof.token if self.backend.token else None
        if not self.entry.proof.proven:
            say(
                self.record,
                "nobody can log in now: only the login after it will be proven",
                "yellow",
            )
        return dataclasses.replace(seen, login=self.entry.proof)

    def _comment(self, database: str) -> str | None:
        found = self.sides.databases.get(database)
        return found["comment"] if found else None

    def _restore(self, kept: Kept, own: str, seen: Observation) -> Iterator[FunctionCommand]:
        found = self._compared(kept, seen)
        if found is None:
            return
        name, live = kept.name.rpartition("/")[2], self.of.database
        if self._is_live(name, kept, found):
            return
        needs = self._taken_away(kept, found)
        side = side_sql.beside(live, name, _given("method") or "restore")
        ours, _ = side_sql.noted(self._comment(side))
        if side in self.sides.databases and not ours:
            self.record.stop(Outcome.REFUSED, f"database {side} is there, and is none of ours")
            return
        if needs and not self._may_lose("this"):
            return
        filled = restore_reinit.parts(self.backend, side, seen) if _given("method") else None
        if isinstance(filled, Unreadable):
            self.record.stop(Outcome.REFUSED, filled.reason)
            return
        beside = restore_steps.beside(self.backend, self.of, kept, side, seen, filled)
        if not current_state.is_executing:  # pyinfra may ask no further than the first command
            self._plan(side, name)
        yield do(self.record, beside)
        if not current_state.is_executing:
            return
        if self.entry.disabled:
            self.record.outcome = Outcome.REFUSED
        elif failed(self.record):
            said = f"nothing that runs was changed; database {side} may be left"
            self.record.stop(Outcome.REFUSED, said)
        elif problem := self._unfit_accounts(side):
            self.record.stop(Outcome.REFUSED, f"{problem}; database {side} is left beside")
        else:
            token = self.switch.token
            older = yield from restore_copy.proven(self.record, self.of, side, seen, token)
            if self.entry.halted is None and self._of_tokens(older):
                yield from self._switched(side, name, own)

    @property
    def _place(self) -> str:
        return f"{current_host.name}/{self.of.database}"

    @property
    def _confirmed(self) -> bool:
        return _given("confirm") == self._place

    def _may_lose(self, what: str) -> bool:
        """Tell whether what is lost was confirmed, or nothing is switched; else stop."""
        if _asked("rehearse") or self._confirmed:
            return True
        why = f"{what} has to be confirmed: --data confirm={self._place}"
        self.record.stop(Outcome.REFUSED, why)
        return False

    def _of_tokens(self, older: Check | None) -> bool:
        """Say how the copy beside took a token of today; tell whether the restore may go on."""
        if older is None:
            return True
        if older.ok is not False:
            say(self.record, f"by the copy beside: {older.said}")
            return True
        if older.name == "identity":
            self.record.stop(Outcome.REFUSED, f"by the copy beside: {older.said}")
            return False
        lost = "everybody has to log in again"
        say(self.record, f"by the copy beside: {older.said}; {lost}", "yellow")
        self.switch.token = None
        return self._may_lose(f"that {lost}")

    def _switched(self, side: str, name: str, own: str) -> Iterator[FunctionCommand]:
        if _asked("rehearse"):
            self.record.outcome = Outcome.REHEARSED
            took = sum(one.seconds for one in self.entry.changes)
            say(
                self.record,
                f"all but the switch took {took:.1f} s, in which everybody works on; the switch is"
                " one transaction, of milliseconds: who connects meanwhile waits for it",
            )
            say(
                self.record,
                f"database {side} is left, and the restore of {name} uses it; {drop(side)}",
            )
        else:
            former = side_sql.named(self.of.database, f"before_{now()}")
            yield from self.switch.to(side, former, own, Outcome.RESTORED, name)

    def _is_live(self, name: str, kept: Kept, found: Difference) -> bool:
        """Tell whether this backup is what is live, and proven; then nothing is left to do."""
        last, proof = self.switch.last(), self.entry.proof
        if last is None or last[1] != name or _asked("again") or _asked("rehearse"):
            return False
        if proof is None or not proof.proven or not restore_judged.untouched(kept, found):
            return False
        self.record.outcome = Outcome.LIVE
        say(
            self.record,
            f"backup {name} was restored before ({last[0]} is the database before it), and its"
            " accounts and rows are the live ones; to restore it all the same: --data again=true",
        )
        return True

    def _compared(self, kept: Kept, seen: Observation) -> Difference | None:
        """Compare the live database with the backup; None where it must not be restored."""
        found = restore_look.difference(current_host, self.backend, self.of, kept)
        if isinstance(found, Unreadable):
            self.record.stop(Outcome.REFUSED, found.reason)
            return None
        if problem := restore_judged.other_schema(self.backend, kept, found, seen):
            self.record.stop(Outcome.REFUSED, problem)
            return None
        return found

    def _taken_away(self, kept: Kept, found: Difference) -> list[str]:
        """Say what the restore takes away; give what of it has to be confirmed."""
        taken = list(restore_judged.taken_away(self.backend, kept, found))
        say(self.record, f"backup {kept.name}: {len(kept.rows)} tables, made {kept.head['made']}")
        for line in taken:
            say(self.record, f"it takes away: {line}", "yellow")
        say(self.record, restore_judged.tokens(self.backend, found))
        if self.backend.login and self.backend.login.account in found.moved:
            self.switch.token = None  # of an account that is another one then
        say(self.record, restore_judged.sessions(self.sides))
        return [*taken, *found.moved]

    def _plan(self, side: str, name: str) -> None:
        self.record.outcome = Outcome.PLANNED
        declared = self.backend.backup
        copied = ("prove every login by a copy of the backend beside, then end it",)
        self.record.plan = (
            f"restore {name} into database {side}, compare accounts, rows and rules",
            *(copied if declared is not None and declared.copy is not None else ()),
            f"put it in the place of {self.of.database} in one transaction, keep the former one",
            "prove the login, and that a token of today is still good; else switch back",
        )

    def _unfit_accounts(self, side: str) -> str:
        """Say which accounts beside must not become live."""
        psql = database_client.psql(self.backend, self.of, side)
        script = database_client.functions(self.backend, self.of) + shell.fed(
            restore_look.logins(self.backend), psql
        )
        answers = remote.ask(current_host, {"logins": script}, deadline=60)
        if isinstance(answers, Unreadable) or "logins" not in answers:
            return "its accounts could not be read"
        if answers["logins"].status != 0:
            return "its accounts could not be read"
        return "; ".join(restore_judged.bad_accounts(self.backend, answers["logins"]))


def _given(option: str) -> str:
    return str(current_host.data.get(option) or "")


def _asked(option: str) -> bool:
    return _given(option).lower() == "true"
