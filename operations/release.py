"""Release a revision so that nobody is locked out: checked before, proven, else taken back."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand, operation

from relogin import deed, releasing
from relogin.facts import own_url
from relogin.facts.login import prove
from relogin.facts.service_state import ServiceState
from relogin.finding import Unreadable
from relogin.mend import observe
from relogin.operations import (
    release_backup,
    release_checks,
    release_fetched,
    release_steps,
    release_unfit,
)
from relogin.operations.release_proof import proven
from relogin.parts.database import Django
from relogin.proving import seen_after_failure
from relogin.releasing import Outcome

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.facts.postgres_state import Target
    from relogin.facts.release_new import NewRevision
    from relogin.facts.release_state import ReleaseState, UnderWay
    from relogin.fault import Change
    from relogin.parts.source import Source
    from relogin.releasing import Releasing


_LOGGED = 20  # lines of the backend's that deploy.log keeps of a failure


@operation()
def released(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Release the declared revision, or `--data revision=…`; nothing where it runs and is proven.

    What is found wrong before stops it before the first change; what fails after, the proof of the
    login above all, takes it back, and fails the host. A run that was killed is gone on with.

    + backend: the backend, as described
    """
    record = releasing.of(current_state, current_host, backend)
    yield from deed.concluded(
        record,
        _released(record),
        good=releasing.GOOD,
        what="the release",
        again="run again, it goes on from there",
    )


def _released(record: Releasing) -> Iterator[FunctionCommand]:
    if problem := release_unfit.impossible(record.entry.backend, record.revision):
        record.outcome, record.entry.halted = Outcome.REFUSED, problem
    elif (before := releasing.stopped(current_state)) and current_state.is_executing:
        record.entry.halted = f"not begun: the release of {before} failed"
    else:
        yield from _Release(record).steps()


class _Release:
    """One release, from its checks to its proof or its way back."""

    def __init__(self, record: Releasing) -> None:
        self.record, self.entry = record, record.entry
        self.backend = record.entry.backend
        assert record.source is not None  # noqa: S101 # impossible() has seen to it
        self.source: Source = record.source
        self.new: NewRevision | None = None

    def steps(self) -> Iterator[FunctionCommand]:
        seen = self._look()
        if seen is None:
            return
        self._check(seen)
        if refused := release_checks.refused(self.record.checks):
            names = ", ".join(check.name for check in refused)
            self._stop(Outcome.REFUSED, f"refused before anything was changed: {names}")
        elif self._unfinished() and self._goes_back():
            yield from self._back(seen, self.under_way.failed or "an interrupted release", "")
        elif self._runs_already(seen):
            self.record.outcome = Outcome.ALREADY
        elif not current_state.is_executing:
            yield from self._planned(seen)
        else:
            yield from self._forward(seen)

    @property
    def state(self) -> ReleaseState:
        assert self.record.state is not None  # noqa: S101 # _look has had it
        return self.record.state

    @property
    def under_way(self) -> UnderWay:
        assert self.state.under_way is not None  # noqa: S101 # it has begun
        return self.state.under_way

    def _look(self) -> Observation | None:
        """Look at the backend, log in, and look at the tree; None where that could not be done."""
        seen = observe(self.entry)
        if seen is None:
            return None
        self.entry.proof = prove(current_host, self.backend, seen, refusals=False, patience=0)
        seen = dataclasses.replace(seen, login=self.entry.proof)
        return seen if self.record.look(current_host, seen) else None

    def _check(self, seen: Observation) -> None:
        repair = str(current_host.data.get("repair")).lower() == "true"
        self.record.checks = release_checks.checked(self.backend, seen, self.state, repair=repair)
        for check in self.record.checks:
            colour = "green" if check.ok else "red"
            deed.say(f"{'✓' if check.ok else '✗'} {check.name}: {check.said}", colour)

    def _stop(self, outcome: Outcome, why: str) -> None:
        self.record.outcome, self.entry.halted = outcome, why

    def _unfinished(self) -> bool:
        return self.state.under_way is not None

    def _goes_back(self) -> bool:
        """Tell whether what is under way goes back: it has begun to, or another one is meant."""
        return self.under_way.phase == "back" or self.under_way.new != self.state.tree.wanted

    def _runs_already(self, seen: Observation) -> bool:
        tree, service = self.state.tree, seen.service
        proven = self.entry.proof is not None and self.entry.proof.proven
        since = service.started if isinstance(service, ServiceState) else None
        new_enough = self.state.running == tree.head or (since or 0) >= tree.moved
        return proven and new_enough and tree.head == tree.wanted and not self._unfinished()

    def _planned(self, seen: Observation) -> Iterator[FunctionCommand]:
        tree = self.state.tree
        self.record.plan = (
            f"{'push' if self.source.checkout else 'fetch'} {tree.wanted[:12]}"
            f" ({self.record.revision}), in the place of {tree.head[:12]}",
            release_backup.WHY,
            *release_steps.planned(self.backend, self.source),
            "prove the login, and that a token of today is still good; else go back to"
            f" {tree.head[:12]} and prove that",
        )
        for line in self.record.plan:
            deed.say(f"would {line}", "cyan")
        self.record.outcome = Outcome.PLANNED
        yield deed.do(self.record, release_steps.fetch(self.source, self.state))

    def _forward(self, seen: Observation) -> Iterator[FunctionCommand]:
        try:
            yield deed.do(self.record, release_steps.fetch(self.source, self.state))
        except ValueError as error:
            self._stop(Outcome.REFUSED, str(error))
            return
        if deed.failed(self.record):
            why = self.entry.disabled or "the new revision could not be had on the host"
            self._stop(Outcome.REFUSED, why)
            return
        if problem := self._unfit(seen):
            if not self._unfinished():
                yield deed.do(self.record, release_steps.clear(self.source))
            self._stop(Outcome.REFUSED, problem)
            return
        fresh = not self._unfinished()
        if fresh:
            yield from self._begin(seen)
        if self.record.outcome is Outcome.NONE:
            yield from self._begun(
                seen, None if fresh else release_fetched.target(self.backend, seen)
            )

    def _begin(self, seen: Observation) -> Iterator[FunctionCommand]:
        """See to a backup, and note what is meant: up to here nothing that runs has changed."""
        assert self.new is not None  # noqa: S101 # _unfit has had it
        reached = own_url.reached(self.backend, seen.env)
        assert not isinstance(reached, Unreadable)  # noqa: S101 # nor it
        backup = yield from release_backup.made(
            self.record, reached, release_fetched.target(self.backend, seen)
        )
        if refused := release_checks.refused(self.record.checks):
            if self.entry.halted is None:
                yield deed.do(self.record, release_steps.clear(self.source))
            why = self.entry.halted or f"refused before anything was changed: {refused[0].said}"
            self._stop(Outcome.REFUSED, why)
            return
        checks = self.record.checks
        yield deed.do(
            self.record,
            release_steps.begin(self.backend, seen, self.state, self.new, checks, backup),
        )
        if deed.failed(self.record) or not self.record.look(current_host, seen):
            why = self.entry.disabled or "the release could not be begun"
            self._stop(Outcome.REFUSED, why)

    def _unfit(self, seen: Observation) -> str:
        """Look at what the fetched revision brings; say why it must not be released."""
        new, why = release_fetched.judged(self.record, seen, self.state.tree.wanted)
        self.new = new or self.new
        return why

    def _begun(self, seen: Observation, target: Target | None) -> Iterator[FunctionCommand]:
        """Do what is left of a release that has begun; what fails takes it back.

        Without a `target` its backup has been seen to.
        """
        assert self.new is not None  # noqa: S101 # _unfit has had it
        backend, source, new = self.backend, self.source, self.under_way.new
        for change in release_steps.prepare(backend, seen, source, target, new):
            yield deed.do(self.record, change)
            if deed.failed(self.record):
                yield from self._back(seen, change.why, self.entry.changes[-1].output)
                return
        problem, what = release_fetched.other_secret(self.entry, seen), "the JWT secret"
        if not problem and isinstance(backend.migrations, Django):
            problem, what = self._unfit(seen), "what the new environment brings"
            if not problem and "migrating" not in self.under_way.steps:
                yield deed.do(self.record, release_steps.noted(backend, self.new))
                problem = self.entry.changes[-1].output if deed.failed(self.record) else ""
        if not problem:
            migrate = bool(self.new.pending) or "migrating" in self.under_way.steps
            switch = release_steps.switch(backend, seen, source, new, migrate=migrate)
            yield deed.do(self.record, switch)
            problem, what = self._proof_of(switch, seen)
        if problem:
            yield from self._back(seen, what, problem)
        elif self.entry.halted is None:
            lines = [f"proven: {self.entry.proof.said('login')}" if self.entry.proof else ""]
            old = self.under_way.old
            yield deed.do(self.record, release_steps.finish(backend, source, old, new, lines))
            self.record.outcome = (
                Outcome.RELEASED if not deed.failed(self.record) else Outcome.UNKNOWN
            )

    def _proof_of(self, switch: Change, before: Observation) -> tuple[str, str]:
        """Give what is wrong with what was switched to, and which step says so.

        What did not start has said why in its log, which in a container ends with it.
        """
        if deed.failed(self.record):
            if self.entry.halted is None:
                seen_after_failure(self.entry, before)
            return self.entry.changes[-1].output or "it failed", switch.why
        return self._prove(), "the proof"

    def _back(self, seen: Observation, failed: str, said: str) -> Iterator[FunctionCommand]:
        """Go back to the former revision, and prove that; what cannot be proven is said aloud.

        Where nothing is known of the last step any more, nothing more is done in this run.
        """
        if self.entry.halted is not None:
            return
        self.record.failed = f"{failed}: {said}" if said else failed
        deed.say(f"{self.record.failed}; going back to {self.under_way.old[:12]}", "red")
        logged = "; ".join(self.entry.said[-_LOGGED:])
        noted = f"{said}; the backend said: {logged}" if logged else said
        change = release_steps.back(
            self.backend, seen, self.source, self.state, failed=failed, said=noted
        )
        yield deed.do(self.record, change)
        if self.entry.halted is not None:
            return
        if release_steps.SCHEMA_LEFT in self.entry.changes[-1].output:
            self.record.failed += f"; {release_steps.SCHEMA_LEFT}"
            deed.say(release_steps.SCHEMA_LEFT, "red")
        self.record.outcome = Outcome.NEITHER
        if deed.failed(self.record):
            return
        problem = self._prove()
        if self.entry.halted is not None:
            return
        old = self.under_way.old
        lines = [f"back at {old}: {f'not proven: {problem}' if problem else 'proven'}"]
        running = "" if problem else old
        yield deed.do(
            self.record, release_steps.close(self.backend, self.source, lines, running=running)
        )
        if running:
            self.record.outcome = Outcome.BACK

    def _prove(self) -> str:
        problem = proven(self.entry, self.under_way.token)
        if problem:
            deed.say(f"not proven: {problem}", "red")
        return problem
