"""The first look, and the login beside it, begun before anybody asks: the host works meanwhile."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event
from pyinfra.context import ctx_host, ctx_state

from relogin import run, settled, unfit

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.finding import Unreadable
    from relogin.run import Entry
    from relogin.web import Reply

_FRESH = 10.0  # seconds: as long as pyinfra may take from the deploy to its first operation
_MOST = 30  # hosts: of more, the first ones' looks would be old before pyinfra asks for them
_NEXT = ("relogin.operations.catalogue",)
_ONLY_TOLD = {"--dry", "--debug-facts", "--debug-operations"}  # with -y pyinfra runs nothing then


class Early:
    """A look that is on its way, and a login that was sent as soon as the host had the look."""

    def __init__(self, host: Host, backend: Backend, *, login: bool) -> None:
        from relogin.facts.observation import look

        self._asked = time.monotonic()
        self._fresh = True
        self._login: gevent.Greenlet | None = None
        sent = Event()

        def begun() -> None:
            if login:
                self._login = gevent.spawn(_log_in, host, backend)
            sent.set()

        self._look: gevent.Greenlet | None = gevent.spawn(look, host, backend, begun)
        gevent.wait([sent, self._look], count=1)  # what follows may not let the others run
        gevent.spawn(settled.load, _NEXT)

    def taken(self) -> Observation | Unreadable | None:
        """Give the look once it is there; None where it was given, or would be too old."""
        look, self._look = self._look, None
        if look is None:
            return None
        self._fresh = time.monotonic() - self._asked <= _FRESH
        if not self._fresh:
            return None
        seen: Observation | Unreadable = look.get()
        return seen

    def answered(self, backend: Backend, seen: Observation) -> Reply | None:
        """Give what came of the login; None where it was given, was not sent, or not for sure.

        Nor where the host has other values than those that are declared, with which it was sent.
        """
        from relogin.facts.login_requests import as_declared

        login, self._login = self._login, None
        reply: Reply | None = login.get() if login is not None else None
        return reply if reply is not None and as_declared(backend, seen) else None

    def let_in(self, record: Entry) -> Reply | None:
        """Give what came of the login where it brought a token, and the host is still the same.

        Any other answer proves nothing: what the backend logs of a failing login is looked for
        behind the look, so that it has to be sent behind it.
        """
        from relogin.facts.proof import token_in

        login, seen = record.backend.login, record.last
        if seen is None or record.changes or not self._fresh:
            return None
        reply = self.answered(record.backend, seen)
        return reply if reply and login and token_in(login.token, reply) else None


def _log_in(host: Host, backend: Backend) -> Reply | None:
    """Send the login, unless it depends on what the look will tell; None where it may not have."""
    from relogin.facts.login_requests import unasked

    try:
        reply = unasked(host, backend)
    except Exception:  # noqa: BLE001 # the proof meets the same and says it
        return None
    return None if reply.trouble in {"untried", "unsendable"} else reply


def begin(backend: Backend) -> None:
    """Begin the look at a backend, where nothing is to happen on its host before the look is used.

    Not behind another deploy's operations, nor for a host's second backend: what is done for the
    first one may be what mends the second. Where a secret has no value, nothing is touched. The
    login is only tried where pyinfra does not ask first.
    """
    state, host = ctx_state.get(), ctx_host.get()  # what stands for them is each greenlet's own
    record = run.of(state)
    others = [name for name, _ in (*record.entries, *record.early) if name == host.name]
    if others or state.ops.get(host) or len(state.inventory) > _MOST:
        return
    yes = not state.should_check_for_changes()
    if yes and _ONLY_TOLD & set(sys.argv):
        return
    if (begun := _begun(host, backend, login=yes)) is not None:
        record.early[host.name, backend.name] = begun


def begin_at_once(host: Host, record: Entry) -> None:
    """Begin the look at a record's backend, with its login."""
    record.early = _begun(host, record.backend, login=True)


def _begun(host: Host, backend: Backend, *, login: bool) -> Early | None:
    if unfit.unresolved(backend) is not None:
        return None
    tried = login and backend.login is not None and unfit.beyond_any_scheme(backend) is None
    return Early(host, backend, login=tried)
