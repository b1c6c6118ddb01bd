"""The host itself: its clock, and who we are on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin.facts import alone
from relogin.finding import Unreadable

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.remote import Answer


@dataclass(frozen=True)
class Machine:
    """`now` is the host's clock in epoch seconds; `user` and `uid` are who our scripts run as."""

    now: float
    user: str
    uid: int
    system: str

    @property
    def root(self) -> bool:
        return self.uid == 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def script() -> str:
    """Give the part of the look that says who and when."""
    return r"""date +%s.%N; printf '%s\n' "$me" "$uid"; uname -srm"""


def parse(answer: Answer) -> Machine | Unreadable:
    """Take the part's answer apart."""
    try:
        now, user, uid, system = answer.lines[:4]
        return Machine(float(now.replace(".%N", "").rstrip("N")), user, int(uid), system)
    except ValueError:
        return Unreadable("the host did not say who we are and what time it is")


class Host(FactBase[Any]):
    """Give the host's clock and the user that scripts run as."""

    def command(self) -> StringCommand:
        return alone.command({"machine": script()})

    def process(self, output: Iterable[str]) -> Machine | Unreadable:
        return alone.parsed(output, "machine", parse)
