"""The record of a run: per host and backend, what was seen, changed and proven."""

from __future__ import annotations

import dataclasses
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pyinfra

from relogin import undo
from relogin.finding import Finding, Unreadable
from relogin.fingerprints import marked
from relogin.transcript import Transcript
from relogin.transcript import follow as follow_log

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.backend import Backend
    from relogin.backing import Backing
    from relogin.checking import Checking
    from relogin.drift import Former
    from relogin.early import Early
    from relogin.facts.api_state import Probed
    from relogin.facts.observation import Observation
    from relogin.facts.proof import Check, Proof
    from relogin.fault import Fault
    from relogin.probing import Probing
    from relogin.releasing import Releasing
    from relogin.rotating import Rotating
    from relogin.undoing import Undoing


@dataclasses.dataclass
class Done:
    """A change that was tried: why, whether it succeeded, how long it took (0: it never ran).

    `began` is Unix time. `fault` and `subject` name the finding for which it was made; it may mend
    others as well.
    """

    why: str
    ok: bool
    seconds: float = 0.0
    output: str = ""
    fault: str = ""
    subject: str = ""
    began: float = dataclasses.field(default_factory=time.time)


@dataclasses.dataclass(repr=False)
class Entry:
    """What a run knows of one backend on one host.

    `first` holds every finding in the order in which it was first seen, `times` when, `late` the
    keys of those first seen after a change of ours, `left` what is still there. `held` says of a
    finding why its fix was not tried. `doing` is the change that is under way. `halted` is why
    nothing more is changed on the host, or None; `told` that this was logged. `kept` says that what
    was overwritten is in the host's undo store. `said` is what the backend logged while a proof
    failed. `before` and `after` are fingerprints of what a finding is about (`marked`), as it was
    found and as it was left; `declared` and `signing` those of the description and of the JWT
    secret. `former` is what the history knows. `withhold` gives the reason not to mend a finding
    now, `refused` those given, `disabled` that nobody may, `causes` who changed what. `leased` says
    that we hold the lease, `holder` who else does: one line, the run, its machine and process
    (relogin.lease). `early` is a look, and maybe a login, begun before anybody asked. `asked` is a
    login that was tried for a fault's sake, after how many changes: it is part of the looks until
    the next one. `refusals` are those that the backend logged since the run before, by reason. With
    `checking` the database alone is judged, and with `probing` the API (with both, both): no login
    is proven then. `api` is what the probe brought; `reports` are documents, as checks by their
    title. `onboarding` looks at what a bare host lacks; `fits` is a look that was judged to fit.
    """

    host: str
    backend: Backend
    first: dict[tuple[str, str], Finding] = dataclasses.field(default_factory=dict)
    mended: dict[tuple[str, str], None] = dataclasses.field(default_factory=dict)
    left: dict[tuple[str, str], Finding] = dataclasses.field(default_factory=dict)
    times: dict[tuple[str, str], float] = dataclasses.field(default_factory=dict)
    late: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    held: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    unseen: dict[str, str] = dataclasses.field(default_factory=dict)
    changes: list[Done] = dataclasses.field(default_factory=list)
    doing: str = ""
    proof: Proof | None = None
    said: tuple[str, ...] = ()
    before: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    after: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    refused: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    causes: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    declared: Mapping[str, str] = dataclasses.field(default_factory=dict)
    signing: str = ""
    former: Former | None = None
    withhold: Callable[[Finding], str] | None = None
    disabled: str = ""
    refusals: Mapping[str, int] = dataclasses.field(default_factory=dict)
    leased: bool = False
    holder: tuple[str, str, str] | None = None
    halted: str | None = None
    told: bool = False
    kept: bool = False
    looked: bool = False
    executed: bool = False
    started: float = dataclasses.field(default_factory=time.monotonic)
    early: Early | None = None
    asked: tuple[int, Proof] | None = None
    checking: Checking | None = None
    onboarding: bool = False
    probing: Probing | None = None
    api: Probed | Unreadable | None = None
    reports: dict[str, tuple[Check, ...]] = dataclasses.field(default_factory=dict)
    fits: Observation | None = None
    _environ: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    _look: tuple[object, Observation | Unreadable] | None = None
    _judged: tuple[Observation, dict[int, tuple[Fault, tuple[Finding, ...]]]] | None = None

    def seen(self, host: Host, stage: object) -> Observation | Unreadable:
        """Give the look of this stage, taking it where there is none."""
        from relogin.facts import observation, service_state

        if self._look is None or self._look[0] != stage:
            taken = self.early.taken() if self.early else None
            deep, bare = self.checking is not None, self.onboarding
            seen = taken or observation.look(host, self.backend, deep=deep, onboards=bare)
            if not isinstance(seen, Unreadable):
                began = time.time() - self.seconds
                whole = self.checking.compared(seen.database) if self.checking else seen.database
                service, self._environ = service_state.without_former(seen.service, self._environ)
                seen = dataclasses.replace(
                    seen, done=tuple(self.changes), former=self.former, login=self._asked,
                    api=self.api, began=began, database=whole, service=service,
                )  # fmt: skip
                self._note_refusals(seen)
            self._look = stage, seen
            self.looked = True
            self._note_hold(seen)
            self._note_unseen()
        return self._look[1]

    @property
    def last(self) -> Observation | None:
        """Give the look that was taken last, unless it was dropped or could not be taken."""
        seen = self._look[1] if self._look else None
        return None if isinstance(seen, Unreadable) else seen

    @property
    def _asked(self) -> Proof | None:
        return self.asked[1] if self.asked and self.asked[0] == len(self.changes) else None

    def forget(self) -> None:
        """Drop the look, and what was judged by it: a command of ours has run, or all have."""
        self._look = self._judged = self.fits = None

    def judged(self, fault: Fault, seen: Observation) -> tuple[Finding, ...]:
        """Give a fault's findings in a look, which is judged once: detecting changes nothing."""
        if self._judged is None or self._judged[0] is not seen:
            self._judged = seen, {}
        known = self._judged[1]
        if id(fault) not in known:  # a check's repair has other fixes; a kept fault keeps its id
            known[id(fault)] = fault, fault.found(self.backend, seen)
        return known[id(fault)][1]

    def found(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Record findings; give those that are new, or weigh more than they did."""
        for finding in findings:
            if (old := self.first.get(finding.key)) is None or finding.critical > old.critical:
                self.first[finding.key] = finding
                self.times[finding.key] = time.time()
                self.before[finding.key] = marked(self.last, finding.key, finding)
                if self.changes:
                    self.late.add(finding.key)
                yield finding

    def judge(self, seen: Observation) -> None:
        """Judge the whole catalogue on the last look: what is left, and so what is mended."""
        from relogin.mend import narrowed
        from relogin.operations import catalogue

        faults = narrowed(catalogue.of(self.backend))
        kinds = [one for one in (self.checking, self.probing) if one is not None]
        wanted = {fault.id for one in kinds for fault in one.judges(faults)}
        faults = tuple(one for one in faults if one.id in wanted) if kinds else faults
        ours = {key: old for key, old in self.first.items() if old.layer == "relogin"}
        found = {one.key: one for fault in faults for one in self.judged(fault, seen)}
        self.left = ours | found
        self.mended = dict.fromkeys(key for key in self.first if key not in self.left)
        self.note_after(seen)

    def note_after(self, seen: Observation) -> None:
        """Note the fingerprints of what is there now, of all that was found."""
        self.after = {key: marked(seen, key, self.left.get(key)) for key in self.first}

    @property
    def seconds(self) -> float:
        """How long it took until now, in seconds since this backend was first worked on."""
        return time.monotonic() - self.started

    def _note_refusals(self, seen: Observation) -> None:
        """Count them on the first look, up to this run's own beginning: it may be refused too."""
        from relogin.operations.auth_evidence import refused_since

        if not self.looked and self.former is not None and self.former.ended:
            self.refusals = refused_since(seen, self.former.ended, time.time() - self.seconds)

    def _note_hold(self, seen: Observation | Unreadable) -> None:
        if isinstance(seen, Unreadable):
            from relogin import lease

            if (holder := lease.among(seen.held, self.backend)) is not None:
                self.holder, self.disabled = holder, holder[0]
            return
        held = seen.hold
        if isinstance(held, Unreadable):
            unknown = f"whether somebody has disabled it cannot be seen ({held.reason})"
            self.disabled = f"{unknown}: nothing is changed"
        elif held is not None:
            self.disabled = held.said

    def _note_unseen(self) -> None:
        from relogin.facts.machine import Machine

        if isinstance(look := self._look[1] if self._look else None, Unreadable):
            self.unseen = {"host": look.reason}
        elif look is not None:
            self.unseen = dict(look.unreadable())
            if self.unseen and isinstance(look.machine, Machine) and not look.machine.root:
                self.unseen = {"host": look.machine.without_root, **self.unseen}


@dataclasses.dataclass
class Run:
    """One run of pyinfra: its entries, and what it takes back, releases, backs up, rotates.

    `purpose` is the deploy's name, `of_pass` the fleet's pass, `lost` why hosts were not reached,
    `early` looks begun before an entry. `kept`: it goes into the history. `began` is Unix time.
    """

    entries: dict[tuple[str, str], Entry] = dataclasses.field(default_factory=dict)
    undoings: dict[tuple[str, str], Undoing] = dataclasses.field(default_factory=dict)
    releases: dict[tuple[str, str], Releasing] = dataclasses.field(default_factory=dict)
    backings: dict[tuple[str, str], Backing] = dataclasses.field(default_factory=dict)
    rotations: dict[tuple[str, str], Rotating] = dataclasses.field(default_factory=dict)
    purpose: str = "operations"
    lost: dict[str, str] = dataclasses.field(default_factory=dict)
    early: dict[tuple[str, str], Early] = dataclasses.field(default_factory=dict)
    said: Transcript = dataclasses.field(default_factory=Transcript)
    reporting: bool = False
    kept: bool = False
    report_only: bool = False
    of_pass: str = ""
    began: float = dataclasses.field(default_factory=time.time)
    _started: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        """Give the name that this run has on the hosts as well (relogin.undo)."""
        return undo.run_id("undo") if self.purpose == "undo" else undo.run_id()

    @property
    def changing(self) -> bool:
        """Tell whether it is there to mend what it finds."""
        return self.purpose != "diagnose" and not self.report_only

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started


_runs: weakref.WeakKeyDictionary[Any, Run] = weakref.WeakKeyDictionary()


def known(state: State) -> Run | None:
    """Give the record that belongs to a pyinfra state, if it has one already."""
    return _runs.get(state)


def of(state: State) -> Run:
    """Give the record that belongs to a pyinfra state."""
    from pyinfra.context import ctx_state

    real = ctx_state.get() if type(state).__name__ != "State" else state
    if real not in _runs:
        _runs[real] = Run()
        follow_log()
        if pyinfra.is_cli:  # a program of somebody's own keeps its own books
            from relogin.ledger import follow

            follow.until_exit(_runs[real], real)
    return _runs[real]


def entry(state: State, host: Host, backend: Backend) -> Entry:
    """Give the entry of one backend on one host."""
    entries, key = of(state).entries, (host.name, backend.name)
    if key not in entries:
        entries[key] = Entry(host.name, backend, early=of(state).early.pop(key, None))
    return entries[key]
