"""The report as an incident write-up in Markdown, to paste into an issue.

All that comes from hosts stands in code spans and fences: nothing in it is a link, an image, HTML,
a mention or a reference there (spec.commonmark.org, 6.1 and 4.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from relogin.finding import legible
from relogin.redaction import redact
from relogin.report.page import EVENTS, clock, day
from relogin.report.plot import span
from relogin.report.stages import Item, Stage
from relogin.report.timeline import Event, timeline
from relogin.report.view import Site, View

_MARKS = {"good": "✅ ", "bad": "❌ ", "warn": "⚠️ ", "unknown": "❔ ", "none": ""}
_TONES = {"good": "✅", "plain": "▫️", "warn": "⚠️", "bad": "❌"}


def markdown(view: View) -> str:
    """Give the write-up."""
    return "\n".join(_lines(view)) + "\n"


def _lines(view: View) -> Iterator[str]:
    yield f"# {_TONES[view.tone.word]} {_words(view.verdict)}\n"
    took = "" if view.seconds is None else f", {span(view.seconds)}"
    who = f"{_code(f'relogin {view.purpose}')} by {_code(view.operator)}"
    yield f"{who}, {day(view.began)} UTC{took};"
    ended = f"exit code {view.exit} ({view.exit_means})"
    yield f"run {_code(view.run)}, {ended}, relogin {_words(view.relogin)}.\n"
    if view.problem:
        yield f"Nothing is said of earlier runs: {_code(view.problem)}\n"
    for site in view.sites:
        yield from _site(site)
    for host, lines in view.transcripts:
        yield f"## Transcript of {_code(host)}\n"
        yield from _fenced([f"{clock(line['at'])} {_plain(line['line'])}" for line in lines])


def _site(site: Site) -> Iterator[str]:
    yield f"## {_code(site.name)}\n"
    yield f"{_TONES[site.tone.word]} {_words(site.headline)}\n"
    if site.needs:
        yield "### What needs you\n"
        yield from (f"- {_code(what)}\n  - {_code(step)}" for what, step in site.needs)
        yield ""
    for stage in site.stages:
        yield f"### {stage.title}\n"
        yield from _stage(stage)
    yield from _past(site)


def _stage(stage: Stage) -> Iterator[str]:
    if stage.title == "What the backend said":
        yield from _fenced([_plain(item.text) for item in stage.items])
        return
    for item in stage.items:
        yield from _item(item)
    yield ""


def _item(item: Item) -> Iterator[str]:
    took = "" if item.took is None else span(item.took)
    known = ", ".join(filter(None, (item.tag and _code(item.tag), clock(item.at), took)))
    yield f"- {_MARKS[item.mark]}{_code(item.text)}" + (f" ({known})" if known else "")
    for label, text in item.details:
        for line in text.splitlines():
            yield f"  - {label}: {_code(line)}"


def _past(site: Site) -> Iterator[str]:
    if site.again:
        yield "### What keeps coming back\n"
        for one in site.again:
            times = f"mended {one['times']} times since {day(one['since'])}, last"
            fault = _code(one["fault"])
            yield f"- {_code(one['what'])} ({fault}, {times} {day(one['last'])})"
        yield ""
    taken = sorted(seconds for _, seconds, _ in site.logins if seconds is not None)
    if len(taken) > 1:
        median = span(taken[len(taken) // 2])
        yield f"Logins took {median} in the median, {span(taken[-1])} at most ({len(taken)}).\n"
    if site.results:
        yield "### Earlier runs, the last one first\n"
        for event in list(timeline(site.results))[:EVENTS]:
            yield from _event(event)
        yield ""


def _event(event: Event) -> Iterator[str]:
    when = day(event.at) + (f" – {day(event.until)}" if event.count > 1 else "")  # noqa: RUF001 # a span
    what = f": {_code(event.first)}" if event.first else ""
    yield f"- {_TONES[event.tone.word]} {when} {_words(event.said)}{what} ({_code(event.run)})"
    yield from (f"  - {_code(change)}" for change in event.changes)


def _plain(text: str) -> str:
    return legible(redact(text))


def _words(text: str) -> str:
    """Give words as they are where nothing in them means something there, else a code span."""
    return text if re.fullmatch(r"[A-Za-z0-9 ,;:()]+", text) else _code(text)


def _code(text: str) -> str:
    """Give a code span: its fence is longer than any run of backticks in it."""
    plain = _plain(text).strip() or " "
    fence = _fence(plain, 1)
    blank = " " if "`" in (plain[0], plain[-1]) else ""
    return f"{fence}{blank}{plain}{blank}{fence}"


def _fenced(lines: list[str]) -> Iterator[str]:
    fence = _fence("\n".join(lines), 3)
    yield from (f"{fence}text", *lines, fence, "")


def _fence(text: str, least: int) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    return "`" * max(least, longest + 1)
