"""How a run ended for a backend on a host, and the exit code of a whole run."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import TYPE_CHECKING

from relogin.finding import Severity
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.run import Entry

USAGE = 64  # sysexits.h, EX_USAGE
_SAMPLED = "database in part"  # of a large table some rows are looked at, and that is said
_WORST_FIRST = (4, 1, 3, 2, 0)


class Outcome(enum.Enum):
    """How it ended: a word for programs to read, and the exit code."""

    PROVEN = "proven", 0
    HEALTHY = "healthy", 0
    PLANNED = "planned", 0
    DONE = "done", 0
    FINDINGS = "findings", 2
    NOT_PROVEN = "not-proven", 3
    ERROR = "error", 1
    UNREACHABLE = "unreachable", 1
    REFUSED = "refused", 4
    NOT_TRIED = "not-tried", 1

    @property
    def word(self) -> str:
        return self.value[0]

    @property
    def code(self) -> int:
        return self.value[1]


@dataclass(frozen=True)
class Ended:
    """The exit code of a run; `healed` says that all it found is mended, and the login proven."""

    code: int
    healed: bool = False

    def told(self, *, healed_ok: bool) -> int:
        """Give the exit code for whoever may count what was healed as a success."""
        return 0 if self.healed and healed_ok else self.code


def worst(outcomes: Iterable[Outcome]) -> Outcome | None:
    """Give the one that decides over a host, or a whole run; None where there is none."""
    return min(outcomes, key=lambda one: _WORST_FIRST.index(one.code), default=None)


def worst_word(words: Iterable[str]) -> str | None:
    """Give the word that decides, of several; None where there is none."""
    by_word = {one.word: one for one in Outcome}
    decides = worst(by_word[word] for word in words)
    return decides.word if decides else None


def code(words: Iterable[str | None]) -> int:
    """Give the exit code of a run from its hosts' outcomes; that of wrong usage without one."""
    by_word = {one.word: one for one in Outcome}
    decides = worst(by_word[word] for word in words if word is not None)
    return USAGE if decides is None else decides.code


def of(entry: Entry, *, changing: bool, drift: bool = False) -> Outcome:
    """Judge how a run ended for a backend.

    `changing` is one that was to mend what it found; in a `drift` run it counts all the same.
    """
    if entry.refused or (changing and (entry.disabled or _ambiguous(entry))):
        return Outcome.REFUSED
    if entry.halted is not None or not entry.looked or _failed_itself(entry):
        return Outcome.ERROR
    if changing and not entry.executed:
        return Outcome.PLANNED
    judged = entry.checking or entry.probing
    proves = judged is None and (changing or entry.backend.login is not None)
    if entry.proof is None and proves:
        return Outcome.NOT_PROVEN
    if entry.proof is not None and not entry.proof.proven:
        return Outcome.NOT_PROVEN
    counts = entry.first if drift else {} if changing and not judged else entry.left
    if any(one.severity > Severity.NOTE for one in counts.values()):
        return Outcome.FINDINGS
    if entry.proof is not None:
        return Outcome.PROVEN
    unseen = entry.unseen.keys() - {_SAMPLED}
    if entry.probing is not None and entry.checking is None:
        unseen &= {"api"}  # it says itself what it could not ask
    return Outcome.ERROR if unseen else Outcome.HEALTHY


def of_deed(entry: Entry) -> Outcome:
    """Judge how what was asked for ended: it is done, or not, and no login is proven by it."""
    if entry.disabled and not entry.halted:
        return Outcome.REFUSED
    if entry.halted is not None or not all(change.ok for change in entry.changes):
        return Outcome.ERROR
    return Outcome.DONE


def _ambiguous(entry: Entry) -> bool:
    """Tell whether what is declared could be meant of several: which one is a person's word."""
    return any(one.fault == "accounts.ambiguous" and one.critical for one in entry.left.values())


def _failed_itself(entry: Entry) -> bool:
    return any(fault == "relogin.internal-error" for fault, _ in entry.left)
