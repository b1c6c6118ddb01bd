"""A fault: how it is found and how it is mended, in one place."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from relogin.finding import Finding, Severity, Unreadable, legible
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.remote import Answer

# In the order in which one can cause the next: that of the catalogue, of a run and of its verdict.
LAYERS = (
    *(
        "machine",
        "venv",
        "image",
        "env_file",
        "jwt",
        "volumes",
        "postgres",
        "migrations",
        "database",
        "accounts",
        "service",
    ),
    "login",
    "api",
)
# What these would make anew may lie in a volume that is not there tonight.
_IN_VOLUMES = ("postgres", "migrations", "database", "accounts")
Detect = Callable[["Backend", "Observation"], "Finding | Iterable[Finding] | None"]
Fix = Callable[["Backend", "Observation", Finding], "Iterator[Change]"]


# A file that is rewritten on a full disk is cut short, and a service that is stopped on one may not
# start again.
NO_ROOM = ("machine.filesystem-read-only", "machine.disk-full", "machine.inodes-full")
# While one of these stands rows that are there are not seen, so that a new one may be a second one.
HIDING = (
    *("postgres.collation-changed", "postgres.index-invalid"),
    *("postgres.row-security-hides-rows", "postgres.search-path-wrong"),
    *("postgres.schema-usage-missing", "postgres.users-table-locked"),
)
# Who accepts one of these may not mind it; a write is as harmful as before.
HARMFUL = frozenset((*NO_ROOM, "postgres.in-recovery", *HIDING))


# For `Fault.check`: a login by hand, whose password is typed on stdin, so in no argument list.
LOGIN_BY_HAND = (
    "# type the password, then Ctrl-D twice",
    "curl -s -o - -w '%{http_code}\\n' LOGIN_URL -d username=ACCOUNT --data-urlencode password@-",
)


@dataclass(frozen=True)
class Change:
    """Describe one change to a host: the script that makes it, and the line that says it.

    The script is POSIX sh, reaches the host on stdin and may hold secrets; it succeeded if it ends
    with status 0 within `deadline` seconds. `why` is shown, and holds none. It is not made while a
    fault or layer in `unless` has a critical finding. `request`, in place of a script, asks the
    backend itself; what it gives is judged as a script's answer is.
    """

    script: str = dataclasses.field(repr=False)
    why: str
    deadline: float = 60
    unless: tuple[str, ...] = ()
    request: Callable[[Host], Answer | Unreadable] | None = dataclasses.field(
        default=None, repr=False
    )


@dataclass(frozen=True)
class Fault:
    """Pair what finds a fault with what mends it.

    `about` says in a few words what is wrong, `remedy` what is done about it: by the fix, or by the
    person who is needed. `check` holds the commands by which a person would look for it on
    the host, with the placeholders of relogin.report.faults.

    `look` gives the script (POSIX sh, read-only, as root where that can be had) by which a fault of
    a user's own looks for what no fact of ours sees: its answer is `seen.own[id]`.

    `detect` is pure. `fix` yields changes and has no side effect before its first one; without it a
    person is needed. A symptom names the layers (or fault ids) that can cause it: it is shown as
    their consequence. While a fault or layer in `unless` or among its causes has a critical
    finding, the fix is not tried; nor is one that `writes` where nothing can be written (NO_ROOM).
    `part_of` is a wider fault: who accepts or skips that one means this one as well.
    """

    id: str
    detect: Detect
    fix: Fix | None = None
    about: str = ""
    severity: Severity = Severity.CRITICAL
    symptom_of: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    remedy: str = ""
    check: tuple[str, ...] = ()
    look: Callable[[Backend], str] | None = None
    part_of: str = ""
    writes: bool = True

    @property
    def held_by(self) -> set[str]:
        """Give the layers and fault ids whose critical findings keep the fix from being tried."""
        elsewhere = ("volumes",) if self.layer in _IN_VOLUMES else ()
        return {*self.unless, *self.symptom_of, *(NO_ROOM if self.writes else ()), *elsewhere}

    @property
    def layer(self) -> str:
        return self.id.partition(".")[0]

    def found(self, backend: Backend, seen: Observation) -> tuple[Finding, ...]:
        """Give this fault's findings; an exception in `detect` becomes one of its own."""
        if self.look is not None and isinstance(seen.own[self.id], Unreadable):
            return ()
        try:
            found = self.detect(backend, seen)
            findings = () if found is None else (found,) if isinstance(found, Finding) else found
            return tuple(self._marked(backend, finding) for finding in findings)
        except Exception as error:  # noqa: BLE001 # pyinfra would abort every host
            return (internal_error(error, self.id),)

    def _marked(self, backend: Backend, finding: Finding) -> Finding:
        marked = dataclasses.replace(
            finding,
            what=legible(finding.what),
            seen=legible(finding.seen),
            expected=legible(finding.expected),
            remedy=legible(finding.remedy),
            fault=self.id,
            severity=min(finding.severity, self.severity),
            by_person=finding.by_person or self.fix is None,
            symptom=bool(self.symptom_of),
        )
        reason = backend.accepts(self.id, self.part_of)
        return marked if reason is None else _accepted(marked, reason)

    def to_json(self) -> str:
        return self.id


def _accepted(finding: Finding, reason: str) -> Finding:
    """Give a finding that is shown, but neither mended nor anybody's business."""
    seen = "; ".join(filter(None, (finding.seen, f"accepted: {legible(reason)}")))
    return dataclasses.replace(
        finding, seen=seen, remedy="", severity=Severity.NOTE, accepted=finding.severity
    )


def internal_error(error: BaseException, where: str) -> Finding:
    """Give the finding for a mistake of our own: its type and place, not its message."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return Finding(
        what=f"relogin itself failed in {where}",
        subject=where,
        seen=f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}",
        remedy="report it with these two lines; the other checks went on",
        fault="relogin.internal-error",
        by_person=True,
    )
