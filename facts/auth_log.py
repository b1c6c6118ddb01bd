"""What a backend's own log says of logins that it refused, and of starts: counted, by reason.

Of the lines themselves nothing is kept: they name people.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import field
from datetime import datetime
from typing import Any

from relogin.values import dataclass

# In the awk programs that thin a log out on the host: such lines are wanted however old they are.
TELLING = r"\[AUTH\]|startup BLOCKED"
UNKNOWN_USER = "unknown user"
PASSWORD_DIFFERS = "password differs"  # noqa: S105 # a reason
HASH_FAILS = "bcrypt cannot read the hash"
TOKEN_EXPIRED = "token expired"  # noqa: S105 # a reason
TOKEN_INVALID = "token invalid"  # noqa: S105 # a reason
_REASONS = (
    (UNKNOWN_USER, re.compile(r"(?i)(user|account) not found|(unknown|no such) user")),
    (HASH_FAILS, re.compile(r"(?i)bcrypt\S* (failed|error)|checkpw failed|hash could not be")),
    (PASSWORD_DIFFERS, re.compile(r"(?i)password (mismatch|differs|does not match)")),
    (TOKEN_EXPIRED, re.compile(r"(?i)(jwt|token|signature) (has )?expired")),
    (TOKEN_INVALID, re.compile(r"(?i)(jwt|token) (is )?invalid|invalid (jwt|token)")),
)
_LENGTH = re.compile(r"(?i)hash length: (\d+)")
_BLOCKED = re.compile(r"startup BLOCKED\b(.*)")
_KEY = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")


@dataclass(frozen=True)
class AuthLog:
    """How often the backend said each reason; `lengths` are those of hashes that did not match.

    `blocked` are the keys for lack of which its last refused start was. `times` are the moments at
    which it said a reason, by the host's clock (Unix time), where its lines begin with one.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()
    blocked: tuple[str, ...] = ()
    times: Mapping[str, tuple[float, ...]] = field(default_factory=dict, compare=False)

    def between(self, first: float, last: float) -> dict[str, int]:
        """Count what it said between two moments, of each reason that is in the log at all."""
        return {
            reason: sum(first < moment <= last for moment in moments)
            for reason, moments in self.times.items()
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "lengths": list(self.lengths),
            "blocked": list(self.blocked),
        }


def read(lines: Iterable[str]) -> AuthLog:
    """Count what the lines of a log say."""
    counts: Counter[str] = Counter()
    times: dict[str, tuple[float, ...]] = {}
    lengths: dict[int, None] = {}
    blocked: tuple[str, ...] = ()
    for line in lines:
        if (refused := _BLOCKED.search(line)) is not None:
            blocked = tuple(dict.fromkeys(_KEY.findall(refused[1])))
        _, tag, said = line.partition("[AUTH]")
        reason = next((name for name, shape in _REASONS if tag and shape.search(said)), "")
        if reason:
            counts[reason] += 1
            if (moment := _moment(line)) is not None:
                times[reason] = (*times.get(reason, ()), moment)
        if reason == PASSWORD_DIFFERS and (length := _LENGTH.search(said)):
            lengths[int(length[1])] = None
    return AuthLog(dict(counts), tuple(lengths), blocked, times)


def _moment(line: str) -> float | None:
    """Give when a line was logged: the journal and Docker say it first, with the time zone."""
    with suppress(ValueError):
        moment = datetime.fromisoformat(line.partition(" ")[0])
        return moment.timestamp() if moment.tzinfo is not None else None
    return None
