"""What a probe of an API tried, and what came of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from relogin.values import dataclass

AUTHENTICATION, API, INTEGRATION, PERFORMANCE = (
    "authentication",
    "api",
    "integration",
    "performance",
)


@dataclass(frozen=True)
class Tried:
    """One thing that was tried: `ok` is None where it could not be, and `said` says why.

    `part` is the document that it belongs to, `subject` what was asked (`GET /users/me as ops`).
    `kind` names what is wrong where it failed (the fault's id without its layer), and `expected`
    what should have come. No body, token or cookie is ever in it.
    """

    part: str
    subject: str
    ok: bool | None
    said: str
    kind: str = ""
    expected: str = ""


@dataclass(frozen=True)
class Probed:
    """What a probe tried, in order, with how many requests, in how many seconds."""

    tried: tuple[Tried, ...]
    requests: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "tried": [asdict(one) for one in self.tried]}
