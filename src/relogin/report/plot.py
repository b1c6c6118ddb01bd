"""How long each login took, as the places of a plot: the template only draws them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from relogin.values import dataclass

WIDTH, HEIGHT = 360, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 352, 12, 126

Login = tuple[float, float | None, bool]  # Unix time, seconds or None, whether it was proven


@dataclass(frozen=True)
class Point:
    """One run: where it is, whether its login was proven, and whether anybody answered."""

    x: float
    y: float
    proven: bool
    answered: bool


@dataclass(frozen=True)
class Plot:
    """The points from left to right, the lines that join proven ones, and the axes' labels.

    `rows` are the lines that a label stands beside: its height and its text. `first` and `last`
    are the moments at the two ends, in Unix time.
    """

    points: tuple[Point, ...]
    lines: tuple[str, ...]
    rows: tuple[tuple[float, str], ...]
    first: float
    last: float
    median: str
    slowest: str


def plot(logins: Sequence[Login]) -> Plot | None:
    """Give the plot of logins in their order of time; None where fewer than two were answered."""
    taken = sorted(seconds for _, seconds, _ in logins if seconds is not None)
    if len(taken) < 2:
        return None
    top = _ceiling(taken[-1])
    first, last = logins[0][0], logins[-1][0]
    points = tuple(_point(one, first, last, top) for one in logins)
    shares = ((0.0, 0.0), (0.5, top / 2), (1.0, top))
    return Plot(
        points=points,
        lines=tuple(_joined(points)),
        rows=tuple((_y(share), span(seconds)) for share, seconds in shares),
        first=first,
        last=last,
        median=span(taken[len(taken) // 2]),
        slowest=span(taken[-1]),
    )


def span(seconds: float) -> str:
    """Give a span of time as a person says it."""
    if seconds == 0:
        return "0"
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _ceiling(seconds: float) -> float:
    """Give the next number of the kind 1, 2, 5, 10."""
    unit: float = 10.0 ** math.floor(math.log10(max(seconds, 0.001)))
    return next(unit * step for step in (1, 2, 5, 10) if unit * step >= seconds or step == 10)


def _point(one: Login, first: float, last: float, top: float) -> Point:
    at, seconds, proven = one
    share = (at - first) / (last - first) if last > first else 0.5
    x = round(_LEFT + min(max(share, 0), 1) * (_RIGHT - _LEFT), 1)
    return Point(x, _y((seconds or 0) / top), proven, seconds is not None)


def _y(share: float) -> float:
    return round(_BOTTOM - min(max(share, 0), 1) * (_BOTTOM - _TOP), 1)


def _joined(points: Sequence[Point]) -> Iterator[str]:
    """Give the lines through proven logins that follow on one another, as SVG has them."""
    line: list[str] = []
    for one in points:
        if one.proven and one.answered:
            line.append(f"{one.x},{one.y}")
            continue
        if len(line) > 1:
            yield " ".join(line)
        line = []
    if len(line) > 1:
        yield " ".join(line)
