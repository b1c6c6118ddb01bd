"""A run's document as a person reads it: the verdict, then of each host cause, mending, proof.

Both forms of the report, the page and the write-up, are made of this, and add no judgement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relogin.outcome import Outcome
from relogin.report.headline import Tone, headline
from relogin.report.stages import Stage, needs, stages
from relogin.report.wording import EXITS, JUDGED_EXITS
from relogin.values import dataclass

Document = dict[str, Any]
Earlier = Mapping[str, Mapping[str, list[Document]]]


@dataclass(frozen=True)
class Site:
    """One backend of a host, or a host that was not reached: what became of it, and the chain.

    `needs` are the next steps that are a person's. `results` are those of earlier runs, the last
    one first, `again` what keeps coming back; `logins` when people were logged in, how long it
    took in seconds (None: not at all), and whether it was proven; the last one is this run's.
    """

    host: str
    backend: str
    headline: str
    tone: Tone
    seconds: float | None
    needs: tuple[tuple[str, str], ...]
    stages: tuple[Stage, ...]
    results: tuple[Document, ...]
    again: tuple[Document, ...]
    logins: tuple[tuple[float, float | None, bool], ...]

    @property
    def name(self) -> str:
        return f"{self.host} · {self.backend}" if self.backend else self.host


@dataclass(frozen=True)
class View:
    """A whole run. `problem` says why there is no history; `transcripts` are by host."""

    run: str
    purpose: str
    began: float
    seconds: float | None
    operator: str
    relogin: str
    exit: int
    verdict: str
    tone: Tone
    sites: tuple[Site, ...]
    transcripts: tuple[tuple[str, tuple[Document, ...]], ...]
    problem: str

    @property
    def exit_means(self) -> str:
        """Say what the exit code means; of a check or a probe it says nothing of a login."""
        judged = self.purpose in {"check", "probe"}
        return (JUDGED_EXITS if judged else EXITS).get(self.exit, "")


def view(document: Document, earlier: Earlier, *, problem: str = "") -> View:
    """Give what a report shows of a run; `problem` is why nothing is known of `earlier` ones."""
    found = [site for host in document["hosts"] for site in _sites(document, host, earlier)]
    sites = tuple(sorted(found, key=lambda one: -one.tone))
    lines = ((host["host"], tuple(host["transcript"])) for host in document["hosts"])
    verdict, tone = _verdict(document, sites)
    names = ("run", "purpose", "began", "seconds", "operator", "relogin", "exit")
    return View(
        **{name: document[name] for name in names},
        verdict=verdict,
        tone=tone,
        sites=sites,
        transcripts=tuple((name, said) for name, said in lines if said),
        problem=problem,
    )


def _verdict(document: Document, sites: tuple[Site, ...]) -> tuple[str, Tone]:
    if document["seconds"] is None:
        return "The run was cut short: what it was doing then may be half done", Tone.BAD
    if len(sites) == 1:
        said = sites[0].headline
        return f"{said[:1].upper()}{said[1:]}", sites[0].tone
    worst = max((site.tone for site in sites), default=Tone.BAD)
    alike = sum(site.tone is worst for site in sites)
    if worst is Tone.GOOD:
        return f"People can log in at all {len(sites)} backends", worst
    what = {Tone.BAD: "need somebody", Tone.WARN: "have findings"}.get(worst, "are as they were")
    return f"{alike} of {len(sites)} backends {what}", worst


def _sites(document: Document, host: Document, earlier: Earlier) -> Iterator[Site]:
    past = earlier.get(host["host"], {"results": [], "coming_back": []})
    if not host["reached"]:
        yield _unreached(host, past)
    for one in host["backends"]:
        said, tone = headline(one, document["purpose"])
        mine = tuple(row for row in past["results"] if row["backend"] in {"", one["backend"]})
        again = (row for row in past["coming_back"] if row["backend"] == one["backend"])
        yield Site(
            host=host["host"],
            backend=one["backend"],
            headline=said,
            tone=tone,
            seconds=one["seconds"],
            needs=tuple(needs(one)),
            stages=tuple(stages(one, document["purpose"])),
            results=mine,
            again=tuple(again),
            logins=tuple(_logins(document, one, mine)),
        )


def _unreached(host: Document, past: Mapping[str, list[Document]]) -> Site:
    left = host["outcome"] == Outcome.NOT_TRIED.word
    what = "not tried" if left else "could not be reached"
    why = host["error"] or "no reason was given"
    return Site(
        host=host["host"],
        backend="",
        headline=f"{what}; nothing is known",
        tone=Tone.BAD,
        seconds=None,
        needs=((why, "mend those that failed first" if left else "make it reachable by SSH"),),
        stages=(),
        results=tuple(past["results"]),
        again=tuple(past["coming_back"]),
        logins=(),
    )


def logins(results: tuple[Document, ...]) -> Iterator[tuple[float, float | None, bool]]:
    """Give when people were logged in by these runs, how long it took, and whether it was proven.

    The results come as the history has them, the last one first; the first one is given first.
    """
    for row in reversed(results):
        if row["proven"] is not None or row["outcome"] == "unreachable":
            yield row["began"], row["login"], bool(row["proven"])


def _logins(
    document: Document, one: Document, results: tuple[Document, ...]
) -> Iterator[tuple[float, float | None, bool]]:
    yield from logins(results)
    if one["proof"] is not None:
        moment = one["proof"]["at"] or document["began"]
        yield moment, one["proof"]["seconds"], one["proof"]["proven"]
