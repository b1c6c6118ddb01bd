"""A probe of a whole API: logins, endpoints, what pages do with it, and how it bears that."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from relogin import wire
from relogin.facts import api_endpoints, api_load, api_sessions
from relogin.facts.api_ask import Asker, EnoughAsked
from relogin.facts.api_cross import crossed
from relogin.facts.api_document import Document, read
from relogin.facts.api_journeys import gone
from relogin.facts.api_state import API, PERFORMANCE, Probed, Tried
from relogin.fault import internal_error
from relogin.finding import Unreadable
from relogin.secret import SecretMissing

if TYPE_CHECKING:
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.api import Endpoint


def probe(
    host: Host, backend: Backend, seen: Observation, *, limits: bool = False
) -> Probed | Unreadable:
    """Ask all that is declared of an API, or that its own document names.

    Nothing is sent that can change something, but for logins and what is declared safe. `limits`
    tries the declared rate limits as well. It never raises: what could not be asked says so.
    """
    try:
        prober = _Prober(Asker(host, backend, seen), limits=limits)
        probed = prober.probed()
    except SecretMissing as missing:
        return Unreadable(str(missing))
    except Exception as error:  # noqa: BLE001 # out of a deploy it would abort every host
        return Unreadable(f"relogin itself failed in the probe: {internal_error(error, '').seen}")
    if isinstance(probed, Probed) and not wire.reaches(host):
        return Unreadable("the connection to the host was lost meanwhile")
    return probed


class _Prober:
    """Asks one thing after another, up to the most that may be asked."""

    def __init__(self, asker: Asker, *, limits: bool) -> None:
        self.asker, self.limits = asker, limits
        self.tried: list[Tried] = []

    def probed(self) -> Probed | Unreadable:
        began = time.monotonic()
        try:
            problem = self._ask_all()
        except EnoughAsked:
            most = self.asker.api.load.most
            said = f"what follows was not asked: it would be more than {most} requests"
            self.tried.append(Tried(API, "the rest", None, said))
            problem = None
        if problem is not None:
            return problem
        return Probed(tuple(self.tried), self.asker.sent, time.monotonic() - began)

    def _ask_all(self) -> Unreadable | None:
        asker, api = self.asker, self.asker.api
        document = self._document()
        endpoints = api.endpoints or (document.endpoints if document else ())
        if not (endpoints or api.journeys or asker.login):
            return Unreadable(f"no endpoints are declared, and {asker.base} has no openapi.json")
        self._note(api_sessions.logins(asker))
        if any(one.kind == "not-answered" for one in self.tried):
            return None  # nobody is there: each further request would only say so again
        if not api.endpoints:
            self._say_unasked(document)
        for endpoint in endpoints:
            self._note(self._of(endpoint, document))
        self._note(api_sessions.renewed(asker))
        self._note(crossed(asker, endpoints))
        for journey in api.journeys:
            self._note(gone(asker, journey))
        self._measure(endpoints)
        self._note(api_sessions.lasted(asker))
        self._note(api_sessions.ended(asker, api.logout))
        if self.limits:
            self._note(api_load.limited(asker))
        else:
            self._say_unlimited()
        return None

    def _note(self, tried: Iterable[Tried]) -> None:
        """Note one by one: what is known stays known where no more may be asked."""
        for one in tried:
            self.tried.append(one)

    def _of(self, endpoint: Endpoint, document: Document | None) -> Iterator[Tried]:
        try:
            yield from api_endpoints.of(self.asker, endpoint, document)
        except SecretMissing as missing:
            name = api_endpoints.named(endpoint)
            yield Tried(API, name, None, f"{name}: not asked ({missing})")

    def _document(self) -> Document | None:
        asker = self.asker
        if asker.api.openapi is None:
            return None
        reply = asker.ask("GET", asker.api.openapi)
        account = asker.login.account if asker.login else None
        return read(reply.json, account, asker.prefix) if reply.ok else None

    def _say_unasked(self, document: Document | None) -> None:
        if document is None:
            said = f"no endpoints are declared, and {self.asker.base} has no openapi.json"
            self.tried.append(Tried(API, "openapi.json", None, said))
        elif document.unasked:
            told = "; ".join(f"{name} ({why})" for name, why in document.unasked[:12])
            more = len(document.unasked) - 12
            said = f"not asked: {told}{f' and {more} more' if more > 0 else ''}"
            self.tried.append(Tried(API, "openapi.json", None, said))

    def _measure(self, endpoints: Iterable[Endpoint]) -> None:
        asker = self.asker
        bad = {one.subject for one in self.tried if one.ok is not True}
        timed = [
            one
            for one in endpoints
            if one.timed and one.is_sent and api_endpoints.named(one) not in bad
        ]
        before = api_load.memory(asker.host, asker.seen)
        sent = asker.sent
        self._note(api_load.measured(asker, timed))
        if asker.sent > sent:
            after = api_load.memory(asker.host, asker.seen)
            grown = api_load.grown(before, after, asker.api.load.memory, asker.sent - sent)
            self.tried.append(grown)

    def _say_unlimited(self) -> None:
        for limit in self.asker.api.limits:
            said = f"limit of {limit.name}: not tried without --data limits=true"
            self.tried.append(Tried(PERFORMANCE, f"limit of {limit.name}", None, said))
