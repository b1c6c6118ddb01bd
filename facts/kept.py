"""What runs have kept of what they overwrote: which runs there are, and how one's values stand."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import remote
from relogin.backend import Backend
from relogin.facts import alone, elsewhere
from relogin.finding import Unreadable, legible
from relogin.undo import back
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand
    from pyinfra.api.host import Host

    from relogin.remote import Answer

DEADLINE = 120.0


class Stands(enum.Enum):
    """How a value of a run stands today."""

    AS_LEFT = "as the run left it"
    AS_BEFORE = "as it was before the run"
    OTHERWISE = "changed since by somebody else"
    CUT = "of a run that was cut while it changed this"
    UNSEEN = "not to be seen"
    STAYS = "never taken back"


@dataclass(frozen=True)
class Value:
    """A value that a run has overwritten, or (kind `stays`) something that it has made.

    `before`, `after` and `now` tell it from other values, and say nothing of it; `key` tells which
    value it is. `undone` is the run that brought it back, `lost` what of it was not kept.
    """

    number: str
    kind: str
    key: str
    before: str
    after: str
    now: str
    undone: str
    lost: tuple[str, ...]
    what: str


@dataclass(frozen=True)
class Kept:
    """The names of all runs, the one that is meant ("": none), and its values in their order."""

    runs: tuple[str, ...]
    meant: str
    values: tuple[Value, ...] = ()

    def standing(self) -> Iterator[tuple[Value, Stands]]:
        """Give how each value stands once those after it are back, the last one first."""
        now: dict[str, str] = {}
        for value in reversed(self.values):
            stands = _stands(value, now.get(value.key, value.now))
            if stands is Stands.AS_LEFT:
                now[value.key] = value.before
            yield value, stands


def _stands(value: Value, now: str) -> Stands:
    if value.kind == "stays":
        return Stands.STAYS
    if value.before in {now, value.after}:
        return Stands.AS_BEFORE
    if now == "unseen":
        return Stands.UNSEEN
    if now == value.after:
        return Stands.AS_LEFT
    if value.undone:
        return Stands.AS_BEFORE  # it was; what it is now was never this run's
    return Stands.OTHERWISE if value.after else Stands.CUT


def look(host: Host, backend: Backend, run: str = "") -> Kept | Unreadable:
    """Look at what a run (by default the last one that undid no other) has kept of a backend."""
    answers = remote.ask(
        host, {"kept": elsewhere.functions(backend) + back.look(backend, run)}, deadline=DEADLINE
    )
    if isinstance(answers, Unreadable):
        return answers
    if "kept" not in answers:
        return Unreadable("its part of the answer did not arrive")
    try:
        return parse(answers["kept"])
    except (ValueError, IndexError) as error:
        return Unreadable(f"its answer could not be understood ({type(error).__name__})")


def parse(answer: Answer) -> Kept | Unreadable:
    """Take the answer apart."""
    if answer.status != 0:
        return Unreadable("the undo store could not be read")
    names, meant, *nested = answer.lines
    values = [_value(name, part) for name, part in sorted(alone.answers(nested).items())]
    return Kept(tuple(names.split()), meant, tuple(values))


def _value(number: str, answer: Answer) -> Value:
    kind, key, before, after, now, undone, lost, *what = answer.lines
    gone = tuple(filter(None, lost.split(",")))
    return Value(number, kind, key, before, after, now, undone, gone, legible("\n".join(what)))


class KeptValues(FactBase[Any]):
    """Give the runs that have kept something of a backend, and how one's values stand today.

    + backend: the backend's name
    + run: the run; by default the last one that undid no other
    """

    def command(self, backend: str, run: str = "") -> StringCommand:
        return alone.command({"kept": back.look(Backend(backend), run)})

    def process(self, output: Iterable[str]) -> Any:
        return alone.parsed(output, "kept", _told)


def _told(answer: Answer) -> Any:
    kept = parse(answer)
    if isinstance(kept, Unreadable):
        return kept
    values = {value.what: stands.value for value, stands in kept.standing()}
    return {"runs": list(kept.runs), "run": kept.meant, "values": values}
