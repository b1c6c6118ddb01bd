"""How a route is asked so that each of a backend's workers is met."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import gevent

if TYPE_CHECKING:
    from collections.abc import Callable

    from relogin import web

# Seconds between requests that should meet different workers. In step with how long an answer
# takes, one of two idle uvicorn workers got 8 of 8 in 6 rounds of 40, 16 of 16 in one; with these
# in turn none of 40 had 8 in a row. Each turn begins with two at once: of gunicorn's synchronous
# workers the one that was idle last got 28 of 28 that came one by one.
_APART = (0.0, 0.001, 0.015, 0.003, 0.03)
_EACH, _MOST = 10, 40  # requests for each of several workers, and for all of them
_AGAIN = 8  # of a route that refuses: now and then, or always?


def sampled(get: Callable[[], web.Reply], workers: int) -> list[web.Reply]:
    """Give a route's answers: one, or some for each worker; more where every one is a refusal."""
    replies = _times(get, min(_EACH * workers, _MOST) if workers > 1 else 1)
    if not any(reply.ok for reply in replies) and replies[0].status is not None:
        replies += _times(get, _AGAIN)
    return replies


def _times(get: Callable[[], web.Reply], times: int) -> list[web.Reply]:
    """Ask one after another, without waiting: one worker may take all that come at once."""
    waits = itertools.accumulate(itertools.islice(itertools.cycle(_APART), times - 1), initial=0.0)
    asked = [gevent.spawn_later(wait, get) for wait in waits]
    return [one.get() for one in asked]
