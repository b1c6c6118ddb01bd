"""The report as one page that needs nothing else: for a phone, a screen, and paper."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from relogin.finding import legible
from relogin.redaction import redact
from relogin.report.headline import Tone
from relogin.report.plot import HEIGHT, WIDTH, plot, span
from relogin.report.timeline import timeline
from relogin.report.view import View

if TYPE_CHECKING:
    from relogin.report.past import Past

EVENTS = 40  # earlier runs that are told of each backend
_MARKS = {"good": "✓", "bad": "✗", "warn": "!", "unknown": "?", "none": "·"}
_MARKS_SAID = {"good": "good", "bad": "bad", "warn": "warning", "unknown": "not known", "none": ""}


def page(view: View) -> bytes:
    """Give the page, in UTF-8. All that comes from hosts stays text in it, whatever it holds."""
    return _rendered("report.html.j2", view=view, version=view.relogin)


def history_page(title: str, pasts: Sequence[Past], now: float, version: str) -> bytes:
    """Give the page of what is known of these backends, in UTF-8; `now` is in Unix time."""
    tone = max((one.tone for one in pasts), default=Tone.PLAIN)
    told = {"title": title, "pasts": pasts, "tone": tone, "written": now, "version": version}
    return _rendered("history.html.j2", **told)


def _rendered(name: str, **told: Any) -> bytes:
    return _environment().get_template(name).render(**told).encode("utf-8", "replace")


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("relogin.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"day": day, "clock": clock, "iso": iso, "span": span}
    known = {"plot": plot, "timeline": timeline, "width": WIDTH, "height": HEIGHT}
    made.globals |= {**known, "marks": _MARKS, "marks_said": _MARKS_SAID, "events": EVENTS}
    return made


def _shown(value: Any) -> Any:
    """Have every text in one legible line, without what this process knows to be a secret."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return legible(redact(value))
    return value


def day(moment: float) -> str:
    """Give a moment with its day; empty where it is not known (0)."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment)) if moment else ""


def clock(moment: float) -> str:
    """Give a moment of a run's day; empty where it is not known (0)."""
    return time.strftime("%H:%M:%S", time.gmtime(moment)) if moment else ""


def iso(moment: float) -> str:
    """Give a moment as programs read it (RFC 3339)."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
