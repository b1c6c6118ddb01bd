"""Put a database in the place of the live one, prove the login, else put the former one back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand

from relogin import deed, sql
from relogin.backing import Backing, Outcome
from relogin.deed import do, failed
from relogin.operations import restore_steps, side_sql
from relogin.operations.release_proof import BEFORE, proven
from relogin.proving import use_up_ended_sessions

if TYPE_CHECKING:
    from relogin.facts.postgres_state import Target
    from relogin.facts.side_database import Sides
    from relogin.secret import Secret


class Switch:
    """The switch of one backend's database, to a restored one or back to a former one.

    `token` is one of before: who has it must stay logged in, unless it was `confirmed` that
    sessions may end, which are rows of the database in some backends.
    """

    def __init__(
        self, record: Backing, of: Target, sides: Sides, token: Secret | None, confirmed: bool
    ) -> None:
        self.record, self.entry, self.backend = record, record.entry, record.entry.backend
        self.of, self.sides, self.token, self.confirmed = of, sides, token, confirmed

    def to(
        self, following: str, former: str, own: str, good: Outcome, backup: str = ""
    ) -> Iterator[FunctionCommand]:
        """Put a database in the place of the live one, and prove it; else put it back.

        The former one's comment keeps the backup that took its place.
        """
        live = self.of.database
        was = side_sql.note(own, state="former", of=live, at=now(), backup=backup)
        new = side_sql.note(own, state="unproven", former=former, good=good.name)
        why = f"put database {following} in the place of {live}, which becomes {former}"
        notes = (was, new)
        yield self._switched(following, former, notes, why)
        if self.entry.halted is not None:
            return
        if failed(self.record):
            self.record.stop(Outcome.REFUSED, "the databases could not be switched: as before")
            return
        say(self.record, self.entry.changes[-1].output.replace("\n", "; "))
        yield from self.prove(former, own, good)

    def prove(self, former: str, own: str, good: Outcome) -> Iterator[FunctionCommand]:
        """Prove the login of what is live now; else switch back by itself."""
        problem = self._proven()
        if self.entry.halted is not None:
            return
        if problem:
            self.record.failed = f"not proven: {problem}{self._way_on()}"
            say(self.record, f"{self.record.failed}; going back to {former}", "red")
            yield from self.back(former, own)
            return
        ended = restore_steps.ended(former, self.of, own)
        why = f"close {former}: nobody writes into it any more"
        yield do(self.record, restore_steps.administered(self.backend, self.of, ended, why))
        self.record.outcome = Outcome.UNKNOWN if failed(self.record) else good
        say(self.record, f"the former database is kept as {former}; {drop(former)}")

    def back(self, former: str, own: str) -> Iterator[FunctionCommand]:
        """Switch back to the former database, and prove that."""
        live = self.of.database
        unproven = side_sql.named(live, f"failed_{now()}")
        was = side_sql.note(own, state="failed", of=live)
        why = f"switch back to {former}"
        yield self._switched(former, unproven, (was, own), why)
        if self.entry.halted is not None:
            return
        self.record.outcome = Outcome.NEITHER
        if failed(self.record):
            return
        say(self.record, f"what was restored is kept as {unproven}; {drop(unproven)}")
        if not self._proven() and self.entry.halted is None:
            self.record.outcome = Outcome.BACK

    def _switched(
        self, following: str, former: str, notes: tuple[str, str], why: str
    ) -> FunctionCommand:
        superuser = self.sides.superuser
        return do(
            self.record,
            restore_steps.switch(
                self.backend,
                self.of,
                following,
                former,
                notes=notes,
                why=why,
                superuser=superuser,
            ),
        )

    def _proven(self) -> str:
        """Prove the login behind a switch; give what is wrong with it, or ''."""
        use_up_ended_sessions(self.entry, sum(number for number, _, _ in self.sides.sessions))
        return proven(self.entry, self.token, may_end=self.confirmed)

    def _way_on(self) -> str:
        """Say how it is confirmed that sessions end, where that is all that is wrong."""
        proof = self.entry.proof
        wrong = {check.name for check in proof.checks if check.failed} if proof else set()
        if wrong != {BEFORE}:
            return ""
        place = f"{current_host.name}/{self.of.database}"
        return f"; that everybody has to log in again has to be confirmed: --data confirm={place}"

    def go_on(self, known: dict[str, str], own: str, *, undo: bool) -> Iterator[FunctionCommand]:
        """Go on with a restore, or an undo, whose run ended between the switch and the proof."""
        former, good = known.get("former", ""), Outcome[known.get("good", Outcome.RESTORED.name)]
        if former not in self.sides.databases:
            self.record.stop(Outcome.REFUSED, f"the former database {former!r} is gone")
            return
        say(self.record, f"a run was cut behind its switch; the former database is {former}")
        if not current_state.is_executing:
            self.record.outcome = Outcome.PLANNED
            self.record.plan = (f"prove the login; else switch back to {former}",)
            yield do(
                self.record,
                restore_steps.administered(self.backend, self.of, "", "prove the login"),
            )
        elif undo and good is not Outcome.UNDONE:
            yield from self.back(former, own)
        else:
            yield from self.prove(former, own, good)

    def last(self) -> tuple[str, str, str] | None:
        """Give the newest former database, the backup that took its place, its own comment."""
        formers = []
        for name, found in self.sides.databases.items():
            known, own = side_sql.noted(found["comment"])
            if known.get("state") == "former" and known.get("of") == self.of.database:
                formers.append((known.get("at", ""), name, known.get("backup", ""), own))
        return max(formers)[1:] if formers else None

    def undo(self) -> Iterator[FunctionCommand]:
        """Switch back to the database that was the live one before the last restore."""
        live, last = self.of.database, self.last()
        if last is None:
            why = f"there is no former database of {live} to go back to"
            self.record.stop(Outcome.REFUSED, why)
            return
        former, _, own = last
        undone = side_sql.named(live, f"undone_{now()}")
        opened = restore_steps.opened(former)
        why = f"let people into {former} again"
        if not current_state.is_executing:  # pyinfra may ask no further than the first command
            self.record.outcome = Outcome.PLANNED
            self.record.plan = (f"switch back to {former}, and prove the login",)
        yield do(self.record, restore_steps.administered(self.backend, self.of, opened, why))
        if not current_state.is_executing:
            return
        if failed(self.record):
            self.record.stop(Outcome.REFUSED, f"{former} could not be opened")
            return
        yield from self.to(former, undone, own, Outcome.UNDONE)


def say(record: Backing, text: str, colour: str = "cyan") -> None:
    """Log a line, and keep it for the verdict."""
    record.seen.append(deed.say(text, colour))


def now() -> str:
    """Give this moment (UTC) as a part of a database's name."""
    return time.strftime("%Y%m%dt%H%M%Sz", time.gmtime())


def drop(database: str) -> str:
    """Say how a person removes a database; nobody else does."""
    return f"when nobody needs it any more: DROP DATABASE {sql.name(database)};"
