"""The report as one page that needs nothing else: for a phone, a screen, and paper."""

from __future__ import annotations

import time
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from relogin.finding import legible
from relogin.report.plot import HEIGHT, WIDTH, plot, span
from relogin.report.timeline import timeline
from relogin.report.view import View
from relogin.secret import redact

EVENTS = 40  # earlier runs that are told of each backend
_MARKS = {"good": "✓", "bad": "✗", "warn": "!", "unknown": "?", "none": "·"}
_MARKS_SAID = {"good": "good", "bad": "bad", "warn": "warning", "unknown": "not known", "none": ""}


def page(view: View) -> bytes:
    """Give the page, in UTF-8. All that comes from hosts stays text in it, whatever it holds."""
    template = _environment().get_template("report.html.j2")
    return template.render(view=view).encode("utf-8", "replace")


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
