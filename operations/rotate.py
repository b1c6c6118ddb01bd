"""Rotate a secret: confirmed, put in force by one restart, proven, else taken back by itself."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand, operation

from relogin import deed, rotating, tokens
from relogin.facts import rotation as facts
from relogin.facts.login import prove
from relogin.finding import Unreadable
from relogin.mend import observe
from relogin.operations import rotation_plan, rotation_steps
from relogin.operations.rotation_proof import proven
from relogin.rotating import Kind, Outcome, Rotated

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.rotation import Rotation, UnderWay
    from relogin.fault import Change
    from relogin.rotating import Rotating


@operation()
def rotated(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Rotate the secret that `--data key=…` names, once `--data confirm=HOST/KEY` says so.

    Each confirmation counts once: the second rotation is confirmed by HOST/KEY/2. What fails after
    the first change, the proof of the login above all, takes it back, and fails the host. A run
    that was killed is gone on with.

    + backend: the backend, as described
    """
    record = rotating.of(current_state, current_host, backend)
    yield from deed.concluded(
        record,
        _rotated(record),
        good=rotating.GOOD,
        what="the rotation",
        again="run again, it goes on from there",
    )


def _rotated(record: Rotating) -> Iterator[FunctionCommand]:
    what = rotating.meant(record.entry.backend, str(current_host.data.get("key") or ""))
    if isinstance(what, str):
        record.outcome, record.entry.halted = Outcome.REFUSED, what
    else:
        record.what = what
        yield from _Rotation(record, what).steps()


class _Rotation:
    """One rotation, from its confirmation to its proof or its way back."""

    def __init__(self, record: Rotating, what: Rotated) -> None:
        self.record, self.what, self.entry = record, what, record.entry
        self.backend = record.entry.backend
        self.given = str(current_host.data.get("confirm") or "")

    @property
    def rotation(self) -> Rotation:
        assert self.record.rotation is not None  # noqa: S101 # _look has had it
        return self.record.rotation

    @property
    def under_way(self) -> UnderWay:
        assert self.rotation.under_way is not None  # noqa: S101 # it has begun
        return self.rotation.under_way

    def steps(self) -> Iterator[FunctionCommand]:
        seen = self._look()
        if seen is None:
            return
        number = rotating.number(self.given, current_host.name, self.what.key)
        if number is None or number > self.rotation.done + 1:
            self._unconfirmed()
        elif number <= self.rotation.done:
            yield from self._again(seen)
        elif problem := self._problem(seen):
            self._stop(Outcome.REFUSED, problem)
        elif not current_state.is_executing:
            self._planned()
            yield deed.do(self.record, self._begin(seen, number))
        else:
            yield from self._forward(seen, number)

    def _look(self) -> Observation | None:
        """Look at the backend, log in as it was, and look at the key's rotations."""
        seen = observe(self.entry)
        if seen is None:
            return None
        self.entry.proof = prove(current_host, self.backend, seen, refusals=False, patience=0)
        return seen if self._look_at_rotations(seen) else None

    def _look_at_rotations(self, seen: Observation) -> bool:
        found = facts.look(current_host, self.backend, seen, self.what.key)
        if isinstance(found, Unreadable):
            self.entry.halted = self.entry.halted or found.reason
            return False
        self.record.rotation = found
        return True

    def _unconfirmed(self) -> None:
        """Say what would be done and what it means; a rotation that was cut off is said, too."""
        word = rotating.word(current_host.name, self.what.key, self.rotation.done + 1)
        self._planned()
        cut = "a rotation was cut off, and goes on then; " if self.rotation.under_way else ""
        self._stop(Outcome.UNCONFIRMED, cut + rotation_plan.unconfirmed(word, self.given))

    def _planned(self) -> None:
        self.record.plan = rotation_plan.lines(self.backend, self.what, self.rotation)
        for line in self.record.plan:
            deed.say(f"would rotate: {line}", "cyan")
        self.record.outcome = Outcome.PLANNED

    def _again(self, seen: Observation) -> Iterator[FunctionCommand]:
        """Take out what is not needed any more; else change nothing: it is rotated already."""
        self.record.outcome = Outcome.ALREADY
        if due := self.rotation.due():
            yield deed.do(self.record, rotation_steps.retired(self.backend, seen, self.what, due))
            if current_state.is_executing:
                problem = "" if deed.failed(self.record) else self._prove_login()
                self.record.outcome = (
                    Outcome.UNKNOWN if deed.failed(self.record) else Outcome.RETIRED
                )
                if problem:
                    self._stop(Outcome.NEITHER, problem)
        elif not (self.entry.proof and self.entry.proof.proven):
            self._stop(Outcome.REFUSED, "rotated already, but the login is not proven now")

    def _prove_login(self) -> str:
        from relogin.operations.release_proof import proven as login_proven

        return login_proven(self.entry, None)

    def _problem(self, seen: Observation) -> str:
        """Say why it must not begin, or go on."""
        if self.entry.disabled:
            return self.entry.disabled
        under_way = self.rotation.under_way
        if broken := rotation_plan.in_the_way(
            self.entry, seen, self.what, under_way=under_way is not None
        ):
            return f"a restart needs what is broken: {', '.join(broken)}; restore access first"
        in_force = self._in_force(seen)
        if under_way is not None:
            known = {under_way.former.reveal(), under_way.new.reveal()}
            return "" if in_force in known else self._changed_meanwhile()
        proof = self.entry.proof
        if proof is None or not proof.proven:
            said = (
                next((one.said for one in proof.checks if one.ok is not True), "") if proof else ""
            )
            return f"a new value could not be proven: restore access first ({said or 'no login'})"
        new = self.what.source.reveal() if self.what.source.declared else None
        return rotation_plan.unfit(self.backend, self.what, in_force, new)

    def _changed_meanwhile(self) -> str:
        return (
            f"{self.what.key} was set to a third value since the rotation was cut off: decide which"
            f" is right, then remove {self.under_way.where} on the host"
        )

    def _in_force(self, seen: Observation) -> str | None:
        return self.what.of(seen.env(self.what.key))

    def _begin(self, seen: Observation, number: int) -> Change:
        former = self._in_force(seen) or ""
        token = self.entry.proof.token if self.entry.proof else None
        return rotation_steps.begin(
            self.backend, self.what, number=number, former=former, token=token
        )

    def _stop(self, outcome: Outcome, why: str) -> None:
        self.record.outcome, self.entry.halted = outcome, why

    def _forward(self, seen: Observation, number: int) -> Iterator[FunctionCommand]:
        if self.rotation.under_way is None:
            yield deed.do(self.record, self._begin(seen, number))
            again = None if deed.failed(self.record) else observe(self.entry)
            if again is None or not self._look_at_rotations(again):
                why = self.entry.disabled or self.entry.halted or "it could not be begun"
                self._stop(Outcome.REFUSED, why)
                return
            seen = again
        if self.under_way.phase == "back":
            yield from self._back(seen, "an interrupted rotation that was going back")
            return
        new, former = self.under_way.new.reveal(), self._beside()
        yield deed.do(
            self.record, rotation_steps.applied(self.backend, seen, self.what, new, former=former)
        )
        problem = self.entry.changes[-1].output if deed.failed(self.record) else self._prove()
        if self.entry.halted is not None:
            return
        if problem or deed.failed(self.record):
            yield from self._back(seen, problem or "it failed")
            return
        yield deed.do(self.record, self._ended(number))
        self.record.outcome = Outcome.UNKNOWN if deed.failed(self.record) else Outcome.ROTATED

    def _beside(self) -> str | None:
        """Give the former secret where the backend is to check tokens by it as well."""
        several = self.what.kind is Kind.TOKENS and self.backend.token and self.backend.token.former
        return self.under_way.former.reveal() if several else None

    def _ended(self, number: int) -> Change:
        former, token = self._beside(), self.under_way.token
        read = tokens.read(token.reveal()) if token else None
        claims = read.claims if read else {}
        staying = {former: rotation_steps.until(self.backend, claims)} if former else {}
        return rotation_steps.ended(self.backend, self.what, number=number, retiring=staying)

    def _prove(self) -> str:
        problem = proven(self.record, self.what, self.under_way)
        for check in self.record.checks:
            deed.say(check.said, "red" if check.ok is False else "green")
        return problem

    def _back(self, seen: Observation, why: str) -> Iterator[FunctionCommand]:
        """Put the former value in force again, and prove that; what is not proven is said aloud."""
        self.record.failed = why
        deed.say(f"not proven: {why}; going back to the former {self.what.key}", "red")
        self.entry.forget()
        today = observe(self.entry) or seen
        former = self.under_way.former.reveal()
        yield deed.do(self.record, rotation_steps.back(self.backend, today, self.what, former))
        if self.entry.halted is not None:
            return
        self.record.outcome, self.record.checks = Outcome.NEITHER, ()
        if deed.failed(self.record) or self._prove_login():
            return
        number = self.under_way.number
        yield deed.do(
            self.record, rotation_steps.ended(self.backend, self.what, number=number, counts=False)
        )
        self.record.outcome = Outcome.NEITHER if deed.failed(self.record) else Outcome.BACK
