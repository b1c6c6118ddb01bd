"""The proof: a real login, its token, and what it opens."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from gevent.pool import Pool
from pyinfra.api import FactBase

from relogin import shell, tokens, wire
from relogin.facts import alone, login_answer
from relogin.facts.accounts import Table
from relogin.facts.login_requests import Requests
from relogin.facts.proof import (
    Check,
    Proof,
    answers_as,
    documented,
    kept_out,
    logged_in,
    probed,
    token_in,
)
from relogin.facts.proof_refresh import refreshed
from relogin.facts.proof_token import of_token, opened
from relogin.facts.proof_web import at_public, cors
from relogin.facts.proof_workers import sampled
from relogin.facts.service_state import ServiceState
from relogin.fault import internal_error
from relogin.parts.proof import Cookie
from relogin.secret import Secret, SecretMissing, make_value

if TYPE_CHECKING:
    from pyinfra.api import StringCommand
    from pyinfra.api.host import Host

    from relogin import web
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.proof import Probe
    from relogin.remote import Answer

_STARTING = {502, 503, 504}


def prove(
    host: Host,
    backend: Backend,
    seen: Observation,
    *,
    refusals: bool,
    patience: float,
    reply: web.Reply | None = None,
) -> Proof:
    """Log in and check what comes of it; `patience` is how many seconds a start may take.

    The refusals (a wrong password, forged tokens) are only tried after the right login worked.
    `reply` is what a login brought that has been sent already.
    """
    assert backend.login is not None  # noqa: S101 # only asked with one
    checks: tuple[Check, ...]
    try:
        proof = _Prover(host, backend, seen).prove(
            refusals=refusals and backend.login.refusals, patience=patience, first=reply
        )
        if proof.proven or wire.reaches(host):
            return proof
        checks = (Check("login", None, "the connection to the host was lost meanwhile"),)
    except SecretMissing as missing:
        checks = (Check("login", None, str(missing)),)
    except Exception as error:  # noqa: BLE001 # out of an operation it would abort every host
        checks = (Check("login", None, internal_error(error, "the proof").seen),)
    return Proof(backend.login.account, backend.login.url, checks)


class _Prover:
    """Asks what the proof needs, and has each answer judged."""

    def __init__(self, host: Host, backend: Backend, seen: Observation) -> None:
        assert backend.login is not None  # noqa: S101 # only asked with one
        self.backend, self.seen, self.login = backend, seen, backend.login
        self.requests = Requests(host, backend, seen)
        self.account = self.requests.account

    def prove(self, *, refusals: bool, patience: float, first: web.Reply | None) -> Proof:
        sent = iter([] if first is None else [first])
        reply = self._when_up(lambda: next(sent, None) or self._log_in(), patience)
        answer = login_answer.read(reply)
        came = logged_in(self.login.account, self.login.url, reply, self.login.token, answer)
        proof = Proof(
            self.login.account, self.login.url, (came,), reply.status, answer, seconds=reply.seconds
        )
        token = token_in(self.login.token, reply)
        if token is None:
            known = self.requests.routes() if 400 <= (reply.status or 0) < 429 else None
            return dataclasses.replace(proof, routes=known)
        secret = Secret.seen(token)
        checks = [came, *self._of_token(token, reply), *self._side_by_side(token, reply, refusals)]
        return dataclasses.replace(
            proof, checks=tuple(map(self._or_accepted, checks)), token=secret
        )

    def _log_in(self, *, public: bool = False) -> web.Reply:
        return self.requests.log_in(self.requests.password, public=public)

    def _or_accepted(self, check: Check) -> Check:
        """Note the reason for which the profile lets a failure be."""
        reason = self.backend.accepts(check.fault, check.part_of) if check.ok is False else None
        return check if reason is None else dataclasses.replace(check, accepted=reason)

    def _when_up(self, ask: Callable[[], web.Reply], patience: float) -> web.Reply:
        until = time.monotonic() + patience
        while True:
            reply = ask()
            told = login_answer.wait_for(reply)
            if told is not None and told <= self.login.deadline:
                time.sleep(told)
                return ask()
            # the engine's proxy of a published port takes a connection before its container does,
            # and drops it (docker-proxy)
            starting = reply.trouble in {"refused", "broken"} or reply.status in _STARTING
            if not starting or time.monotonic() > until:
                return reply
            time.sleep(0.3)  # cooperative: other hosts go on

    def _of_token(self, token: str, reply: web.Reply) -> Iterator[Check]:
        declared = self.backend.token
        if declared is None:
            return
        identity = self._identities().get(declared.subject or "")
        yield from of_token(token, declared, self._key(), identity, reply)

    def _key(self) -> str | None:
        """Give what the tokens are checked with, where it has a value."""
        declared = self.backend.token
        with contextlib.suppress(SecretMissing):
            if declared is not None:
                return self.requests.value(declared.secret or declared.public_key or "")
        return None

    def _side_by_side(self, token: str, reply: web.Reply, refusals: bool) -> list[Check]:
        """Ask everything that only needs the token at once: one round trip in all."""
        questions = [*self._questions(token, reply), *(self._forgeries(token) if refusals else ())]
        pool = Pool(8)
        asked = [pool.spawn(question) for question in questions]
        return [check for answer in asked for check in answer.get()]

    def _questions(self, token: str, reply: web.Reply) -> Iterator[Callable[[], list[Check]]]:
        if self.login.protected is not None:
            yield partial(self._protected, token)
            yield partial(self._refused, "unprotected", "no token", None)
        if self.login.refresh is not None:
            yield partial(refreshed, self.requests, self.login.refresh, reply)
        for probe in self.backend.probes:
            yield partial(self._probed, probe)
        if self.login.origin is not None:
            yield from self._preflights(self.login.origin)
        if self.login.documented:
            yield lambda: [documented(self.login.url, self.requests.routes())]
        if self.login.public_url is not None:
            yield partial(self._public, self.login.public_url, token)

    def _forgeries(self, token: str) -> Iterator[Callable[[], list[Check]]]:
        if self.login.protected is not None:
            for kind, forged in self._forged(token):
                yield partial(self._refused, f"forged: {kind}", f"a token {kind}", forged)
        yield self._wrong_password

    def _forged(self, token: str) -> Iterator[tuple[str, str]]:
        if tokens.read(token) is None:
            yield "that is invented", make_value()
            return
        yield from tokens.forged(token).items()
        declared = self.backend.token
        if declared is not None and declared.secret is not None:
            with contextlib.suppress(SecretMissing, ValueError):  # then that one cannot be made
                secret = self.requests.value(declared.secret)
                yield "that has expired", tokens.expired(token, secret, declared.algorithm)

    def _protected(self, token: str) -> list[Check]:
        """Ask the protected route; several times where several workers run, or it is refused."""
        workers = self.seen.service.workers if isinstance(self.seen.service, ServiceState) else 0
        replies = sampled(partial(self.requests.get, token), workers)
        checks = [opened(self.login.protected, replies)]
        good = next((reply for reply in replies if reply.ok), None)
        if self.login.identity is not None and good is not None:
            names = {name for name in self._identities().values() if name is not None}
            checks.append(answers_as(self.login.identity, names, self.account.login, good))
        return checks

    def _refused(self, name: str, what: str, token: str | None) -> list[Check]:
        reply = self.requests.get(token)
        return [kept_out(name, what, reply, let_in=reply.ok)]

    def _wrong_password(self) -> list[Check]:
        """Try one; a form sets a cookie for a stranger too, so that the protected route decides."""
        reply = self.requests.log_in(make_value()[:24])
        token = token_in(self.login.token, reply)
        let_in = token is not None
        if token and isinstance(self.login.token, Cookie) and self.login.protected is not None:
            let_in = self.requests.get(token).ok
        return [kept_out("wrong-password", "a wrong password", reply, let_in=let_in)]

    def _probed(self, probe: Probe) -> list[Check]:
        return [probed(probe, self.requests.probe(probe))]

    def _preflights(self, origin: str) -> Iterator[Callable[[], list[Check]]]:
        """Ask where browsers do: at the public URL, where there is one."""
        at_login = self.login.public_url or self.login.url
        yield partial(self._let_in, "POST", at_login, origin, self.requests.scripted(login=True))
        if self.login.protected is not None and self.login.public_url is None:
            names = self.requests.scripted(login=False)
            yield partial(self._let_in, "GET", self.login.protected, origin, names)

    def _let_in(self, method: str, url: str, origin: str, names: set[str]) -> list[Check]:
        reply = self.requests.preflight(method, url, names)
        cookie = isinstance(self.login.token, Cookie)
        return [cors(method, url, origin, names, reply, cookie=cookie)]

    def _public(self, url: str, inside: str) -> list[Check]:
        reply = self._log_in(public=True)
        token = token_in(self.login.token, reply)
        if token is not None:
            Secret.seen(token)
        same = self._same_secret(inside, token)
        answer = login_answer.read(reply)
        return [at_public(url, reply, self.login.token, answer, same=same)]

    def _same_secret(self, inside: str, outside: str | None) -> bool | None:
        """Tell whether one secret signed both, where it is the configured one."""
        key, read = self._key(), tokens.read(inside)
        if key is None or read is None or outside is None:
            return None
        if not tokens.signed_by(inside, key, read.algorithm):
            return None
        return tokens.signed_by(outside, key, read.algorithm)

    def _identities(self) -> dict[str, str | None]:
        table = self.seen.accounts
        row = table.row(self.account.login) if isinstance(table, Table) else None
        login = self.account.login
        names = {"username": login, "login": login, "email": self.account.email}
        return {**names, "id": row.id if row else None}


class HttpStatus(FactBase[Any]):
    """Give the status that the host itself gets from a URL, and how long it took.

    + url: what to GET
    + host_header: the Host header to send
    """

    def command(self, url: str, host_header: str | None = None) -> StringCommand:
        header = f"-H {shell.quote(f'Host: {host_header}')} " if host_header else ""
        ask = (
            "curl -s -o /dev/null -m 10 -w '%{http_code} %{time_total}' "
            f"{header}-- {shell.quote(url)}"
        )
        return alone.command({"login": ask})

    def process(self, output: Iterable[str]) -> Any:
        return alone.parsed(output, "login", _status)


def _status(answer: Answer) -> dict[str, Any]:
    if not answer.lines:
        return {"unreadable": "there is no curl on the host"}
    status, _, seconds = answer.lines[-1].partition(" ")
    return {"status": int(status) or None, "seconds": float(seconds or 0)}
