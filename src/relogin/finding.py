"""What was found: a finding, or that something could not be seen."""

from __future__ import annotations

import enum

from relogin.values import dataclass


class Severity(enum.IntEnum):
    """How much a finding matters, the worst first when sorted in reverse."""

    NOTE = 1
    WARNING = 2
    CRITICAL = 3


def legible(text: str) -> str:
    """Give a text in one line, with what a terminal would obey written as an escape."""
    return "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in text
    )


CUT_SHORT = " [cut short]"


def shortened(text: str, most: int) -> str:
    """Give a text of at most so many characters, and say so where more were there."""
    return text if len(text) <= most else text[:most] + CUT_SHORT


@dataclass(frozen=True)
class Unreadable:
    """Say that something could not be seen, and why: neither healthy nor broken.

    `held` are the leases on a host whose change is in the way (relogin.lease.among).
    """

    reason: str
    held: tuple[str, ...] = ()

    def to_json(self) -> dict[str, str]:
        return {"unreadable": self.reason}


@dataclass(frozen=True)
class Finding:
    """Say what is wrong on one host, in words that hold no secret.

    `what` is one line. `subject` tells findings of one fault apart (a key, a role, an account).
    `seen` is the evidence, `expected` what was declared, `remedy` what the fix will do or, where
    only a person may mend it, the next step. `accepted` is how severe it was before it was.
    """

    what: str
    subject: str = ""
    seen: str = ""
    expected: str = ""
    remedy: str = ""
    fault: str = ""
    severity: Severity = Severity.CRITICAL
    by_person: bool = False
    symptom: bool = False
    accepted: Severity | None = None

    @property
    def layer(self) -> str:
        return self.fault.partition(".")[0]

    @property
    def key(self) -> tuple[str, str]:
        """Two findings of one backend are the same when their keys are."""
        return self.fault, self.subject

    @property
    def critical(self) -> bool:
        return self.severity is Severity.CRITICAL

    def to_json(self) -> dict[str, object]:
        return {
            "fault": self.fault,
            "severity": self.severity.name.lower(),
            "subject": self.subject,
            "what": self.what,
            "seen": self.seen,
            "expected": self.expected,
            "remedy": self.remedy,
            "by_person": self.by_person,
            "symptom": self.symptom,
        }
