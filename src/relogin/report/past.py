"""What the history knows of each backend, as the page of `relogin history` shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from relogin.report.headline import Tone
from relogin.report.timeline import timeline
from relogin.report.view import Earlier, logins
from relogin.values import dataclass

Document = dict[str, Any]


@dataclass(frozen=True)
class Past:
    """One backend of a host, or a host of which no run reached a backend.

    `said` and `tone` are of its last run. `changes` and `mended` are those of the run that last
    changed it. The rest is as in a report's site: what keeps coming back, results, logins.
    """

    host: str
    backend: str
    said: str
    tone: Tone
    changes: tuple[Document, ...]
    mended: tuple[Document, ...]
    again: tuple[Document, ...]
    results: tuple[Document, ...]
    logins: tuple[tuple[float, float | None, bool], ...]

    @property
    def name(self) -> str:
        return f"{self.host} · {self.backend}" if self.backend else self.host


def pasts(history: Document, earlier: Earlier) -> list[Past]:
    """Give each backend's, the worst first.

    `history` is what relogin.ledger.read gives, `earlier` what relogin.ledger.whole does.
    """
    found = [one for host in earlier for one in _of_host(host, history, earlier)]
    return sorted(found, key=lambda one: -one.tone)


def _of_host(host: str, history: Document, earlier: Earlier) -> Iterator[Past]:
    results = earlier[host]["results"]
    backends = dict.fromkeys(row["backend"] for row in results)
    for backend in [name for name in backends if name] or backends:
        # a run that did not reach the host, or halted before it looked, has no backend
        mine = tuple(row for row in results if row["backend"] in {"", backend})
        latest = next(timeline(mine))
        yield Past(
            host=host,
            backend=backend,
            said=latest.said,
            tone=latest.tone,
            changes=_of(history["last_changes"], host, backend),
            mended=_of(history["last_mended"], host, backend),
            again=_of(earlier[host]["coming_back"], host, backend),
            results=mine,
            logins=tuple(logins(mine)),
        )


def _of(rows: Iterable[Document], host: str, backend: str) -> tuple[Document, ...]:
    return tuple(row for row in rows if (row["host"], row["backend"]) == (host, backend))
