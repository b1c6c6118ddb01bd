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
from relogin.secret import mark

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.backend import Backend
    from relogin.drift import Former
    from relogin.facts.observation import Observation
    from relogin.facts.proof import Proof
    from relogin.releasing import Releasing
    from relogin.undoing import Undoing


@dataclasses.dataclass
class Done:
    """A change that was tried: why, whether it succeeded, how long it took (0: it never ran).

    `fault` and `subject` name the finding for which it was made; it may mend others as well.
    """

    why: str
    ok: bool
    seconds: float = 0.0
    output: str = ""
    fault: str = ""
    subject: str = ""


@dataclasses.dataclass(repr=False)
class Entry:
    """What a run knows of one backend on one host.

    `first` holds every finding in the order in which it was first seen, `late` the keys of those
    first seen after a change of ours, `left` what is still there. `held` says of a finding why its
    fix was not tried. `halted` is why nothing more is changed on the host, or None; `told` that
    this was logged. `kept` says that what was overwritten is in the host's undo store. `said` is
    what the backend logged while a proof failed. `before` and `after` are fingerprints of what a
    finding is about (`marked`), as it was found and as it was left; `declared` and `signing` those
    of the description and of the JWT secret. `former` is what the history knows. `withhold` gives
    the reason not to mend a finding now, `refused` those given, `disabled` that nobody may,
    `causes` who changed what. `leased` says that we hold the lease, `holder` who else does: in one
    line, the run, and on which machine and as which process it runs (relogin.lease).
    """

    host: str
    backend: Backend
    first: dict[tuple[str, str], Finding] = dataclasses.field(default_factory=dict)
    mended: dict[tuple[str, str], None] = dataclasses.field(default_factory=dict)
    left: dict[tuple[str, str], Finding] = dataclasses.field(default_factory=dict)
    late: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    held: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    unseen: dict[str, str] = dataclasses.field(default_factory=dict)
    changes: list[Done] = dataclasses.field(default_factory=list)
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
    leased: bool = False
    holder: tuple[str, str, str] | None = None
    halted: str | None = None
    told: bool = False
    kept: bool = False
    looked: bool = False
    executed: bool = False
    started: float = dataclasses.field(default_factory=time.monotonic)
    _look: tuple[object, Observation | Unreadable] | None = None

    def seen(self, host: Host, stage: object) -> Observation | Unreadable:
        """Give the look of this stage, taking it where there is none."""
        from relogin.facts.observation import look

        if self._look is None or self._look[0] != stage:
            seen = look(host, self.backend)
            if not isinstance(seen, Unreadable):
                seen = dataclasses.replace(seen, done=tuple(self.changes), former=self.former)
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

    def forget(self) -> None:
        """Drop the look: a command of ours has run."""
        self._look = None

    def found(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Record findings; give those that are new."""
        for finding in findings:
            if finding.key not in self.first:
                self.first[finding.key] = finding
                self.before[finding.key] = marked(self.last, finding.key, finding)
                if self.changes:
                    self.late.add(finding.key)
                yield finding

    def judge(self, seen: Observation) -> None:
        """Judge the whole catalogue on the last look: what is left, and so what is mended."""
        from relogin.mend import narrowed
        from relogin.operations import catalogue

        faults = narrowed(catalogue.of(self.backend))
        found = [finding for fault in faults for finding in fault.found(self.backend, seen)]
        ours = {key: old for key, old in self.first.items() if old.layer == "relogin"}
        self.left = ours | {finding.key: finding for finding in found}
        self.mended = dict.fromkeys(key for key in self.first if key not in self.left)
        self.note_after(seen)

    def note_after(self, seen: Observation) -> None:
        """Note the fingerprints of what is there now, of all that was found."""
        self.after = {key: marked(seen, key, self.left.get(key)) for key in self.first}

    @property
    def seconds(self) -> float:
        """How long it took until now, in seconds since this backend was first worked on."""
        return time.monotonic() - self.started

    def _note_hold(self, seen: Observation | Unreadable) -> None:
        held = None if isinstance(seen, Unreadable) else seen.hold
        if isinstance(held, Unreadable):
            self.disabled = (
                f"whether somebody has disabled it cannot be seen ({held.reason}):"
                " nothing is changed"
            )
        elif held is not None:
            self.disabled = held.said

    def _note_unseen(self) -> None:
        from relogin.facts.machine import Machine

        look = self._look[1] if self._look else None
        if isinstance(look, Unreadable):
            self.unseen = {"host": look.reason}
        elif look is not None:
            self.unseen = dict(look.unreadable())
            if self.unseen and isinstance(look.machine, Machine) and not look.machine.root:
                self.unseen = {"host": _without_root(look.machine.user), **self.unseen}


def _without_root(user: str) -> str:
    return (
        f"we were {user} there, without root: log in as root, let {user} use sudo, or, where sudo"
        " asks, give its password (sudo_password in the host's data, or --use-sudo-password)"
    )


@dataclasses.dataclass
class Run:
    """One run of pyinfra: its entries, what it takes back or releases, if a verdict is printed.

    `purpose` is the deploy's name. `lost` says why hosts were not reached. `kept` says that it goes
    into the history, `report_only` that it mends nothing. `began` is Unix time.
    """

    entries: dict[tuple[str, str], Entry] = dataclasses.field(default_factory=dict)
    undoings: dict[tuple[str, str], Undoing] = dataclasses.field(default_factory=dict)
    releases: dict[tuple[str, str], Releasing] = dataclasses.field(default_factory=dict)
    purpose: str = "operations"
    lost: dict[str, str] = dataclasses.field(default_factory=dict)
    reporting: bool = False
    kept: bool = False
    report_only: bool = False
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


def marked(seen: Observation | None, key: tuple[str, str], finding: Finding | None) -> str:
    """Give the fingerprint of what a finding's key is about: an env value, else the evidence.

    It is empty where neither is there.
    """
    fault, subject = key
    value = None
    if seen is not None and fault.startswith(("env_file.", "jwt.")):
        value = seen.env(subject.rpartition(":")[2])
    if value is None and finding is not None:
        value = f"{finding.what} {finding.seen}"
    return "" if value is None else mark(value)


_runs: weakref.WeakKeyDictionary[Any, Run] = weakref.WeakKeyDictionary()


def of(state: State) -> Run:
    """Give the record that belongs to a pyinfra state."""
    from pyinfra.context import ctx_state

    real = ctx_state.get() if type(state).__name__ != "State" else state
    if real not in _runs:
        _runs[real] = Run()
        if pyinfra.is_cli:  # a program of somebody's own keeps its own books
            from relogin.ledger import follow

            follow.until_exit(_runs[real], real)
    return _runs[real]


def entry(state: State, host: Host, backend: Backend) -> Entry:
    """Give the entry of one backend on one host."""
    entries = of(state).entries
    key = host.name, backend.name
    if key not in entries:
        entries[key] = Entry(host.name, backend)
    return entries[key]
