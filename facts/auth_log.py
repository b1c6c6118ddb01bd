"""What a backend's own log says of logins that it refused, and of starts: counted, by reason.

Of the lines themselves nothing is kept: they name people.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

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

    `blocked` are the keys for lack of which its last refused start was.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()
    blocked: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "lengths": list(self.lengths),
            "blocked": list(self.blocked),
        }


def read(lines: Iterable[str]) -> AuthLog:
    """Count what the lines of a log say."""
    counts: Counter[str] = Counter()
    lengths: dict[int, None] = {}
    blocked: tuple[str, ...] = ()
    for line in lines:
        if (refused := _BLOCKED.search(line)) is not None:
            blocked = tuple(dict.fromkeys(_KEY.findall(refused[1])))
        _, tag, said = line.partition("[AUTH]")
        reason = next((name for name, shape in _REASONS if tag and shape.search(said)), "")
        if reason:
            counts[reason] += 1
        if reason == PASSWORD_DIFFERS and (length := _LENGTH.search(said)):
            lengths[int(length[1])] = None
    return AuthLog(dict(counts), tuple(lengths), blocked)
