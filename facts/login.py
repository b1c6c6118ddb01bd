"""The proof: a real login, its token, and what it opens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from gevent.pool import Pool
from pyinfra.api import FactBase

from relogin import shell, tokens
from relogin.facts import alone
from relogin.facts.accounts import Table
from relogin.facts.proof import (
    Check,
    Proof,
    answers_as,
    kept_out,
    logged_in,
    of_token,
    opened,
    probed,
    token_in,
)
from relogin.fault import internal_error
from relogin.finding import Unreadable
from relogin.parts.configuration import FromEnv
from relogin.secret import Secret, SecretMissing, make_value
from relogin.tunnel import Tunnel

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
    host: Host, backend: Backend, seen: Observation, *, refusals: bool, patience: float
) -> Proof:
    """Log in and check what comes of it; `patience` is how many seconds a start may take.

    The refusals (a wrong password, forged tokens) are only tried after the right login worked.
    """
    assert backend.login is not None  # noqa: S101 # only asked with one
    checks: tuple[Check, ...]
    try:
        return _Prover(host, backend, seen).prove(
            refusals=refusals and backend.login.refusals, patience=patience
        )
    except SecretMissing as missing:
        checks = (Check("login", None, str(missing)),)
    except Exception as error:  # noqa: BLE001 # out of an operation it would abort every host
        checks = (Check("login", None, internal_error(error, "the proof").seen),)
    return Proof(backend.login.account, backend.login.url, checks)


class _Prover:
    """Asks what the proof needs; each request has a connection, and so a worker, of its own."""

    def __init__(self, host: Host, backend: Backend, seen: Observation) -> None:
        assert backend.login is not None  # noqa: S101 # only asked with one
        self.backend, self.seen, self.login = backend, seen, backend.login
        self.account = backend.account(self.login.account)
        self.tunnel = Tunnel.to(host, backend)

    def prove(self, *, refusals: bool, patience: float) -> Proof:
        password = self.account.password.reveal() if self.account.password else ""
        reply = self._when_up(lambda: self._log_in(password), patience)
        came = logged_in(self.login.account, self.login.url, reply, self.login.token)
        known: dict[str, Any] = {"status": reply.status, "refused": reply.refused}
        token = token_in(self.login.token, reply)
        if token is None:
            return Proof(self.login.account, self.login.url, (came,), **known)
        secret = Secret.seen(token)
        checks = [came, *self._of_token(token, reply), *self._side_by_side(token, refusals)]
        return Proof(self.login.account, self.login.url, tuple(checks), token=secret, **known)

    def _when_up(self, ask: Callable[[], web.Reply], patience: float) -> web.Reply:
        until = time.monotonic() + patience
        while True:
            reply = ask()
            if (told := self._told_to_wait(reply)) is not None:
                time.sleep(told)
                return ask()
            starting = reply.refused or reply.status in _STARTING
            if not starting or time.monotonic() > until:
                return reply
            time.sleep(0.3)  # cooperative: other hosts go on

    def _told_to_wait(self, reply: web.Reply) -> float | None:
        """Give the seconds after which a 429 may be asked again (RFC 9110, 10.2.3), if bearable."""
        after = reply.headers.get("retry-after", "") if reply.status == 429 else ""
        return float(after) if after.isdigit() and float(after) <= self.login.deadline else None

    def _of_token(self, token: str, reply: web.Reply) -> Iterator[Check]:
        declared = self.backend.token
        if declared is None:
            return
        key = None
        with contextlib.suppress(SecretMissing):
            key = self._value(declared.secret or declared.public_key or "")
        identity = self._identities().get(declared.subject or "")
        yield from of_token(token, declared, key, identity, reply)

    def _side_by_side(self, token: str, refusals: bool) -> list[Check]:
        """Ask everything that only needs the token at once: one round trip in all."""
        questions = [*self._questions(token), *(self._forgeries(token) if refusals else ())]
        pool = Pool(8)
        asked = [pool.spawn(question) for question in questions]
        return [check for answer in asked for check in answer.get()]

    def _questions(self, token: str) -> Iterator[Callable[[], list[Check]]]:
        if self.login.protected is not None:
            yield partial(self._protected, token)
            yield partial(self._refused, "unprotected", "no token", None)
        for probe in self.backend.probes:
            yield partial(self._probed, probe)

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
                secret = self._value(declared.secret)
                yield "that has expired", tokens.expired(token, secret, declared.algorithm)

    def _protected(self, token: str) -> list[Check]:
        reply = self._get(token)
        checks = [opened(self.login.protected, reply)]
        if self.login.identity is not None and reply.ok:
            names = {name for name in self._identities().values() if name is not None}
            checks.append(answers_as(self.login.identity, names, self.account.login, reply))
        return checks

    def _refused(self, name: str, what: str, bearer: str | None) -> list[Check]:
        reply = self._get(bearer)
        return [kept_out(name, what, reply, let_in=reply.ok)]

    def _wrong_password(self) -> list[Check]:
        reply = self._log_in(make_value()[:24])
        let_in = token_in(self.login.token, reply) is not None
        return [kept_out("wrong-password", "a wrong password", reply, let_in=let_in)]

    def _probed(self, probe: Probe) -> list[Check]:
        headers = {"Host": probe.host_header} if probe.host_header else {}
        return [probed(probe, self._ask("GET", probe.url, headers=headers))]

    def _log_in(self, password: str) -> web.Reply:
        account = self.account
        known = {"login": account.login, "email": account.email or "", "password": password}
        fields = {name: text.format_map(known) for name, text in self.login.fields.items()}
        body: dict[str, Any] = {"data": fields} if self.login.body == "form" else {"json": fields}
        return self._ask("POST", self.login.url, headers=self._headers(), **body)

    def _get(self, bearer: str | None) -> web.Reply:
        headers = self._headers()
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}".encode()
        return self._ask("GET", self.login.protected or "", headers=headers)

    def _ask(self, method: str, url: str, **what: Any) -> web.Reply:
        from relogin import web  # imported while the host was looking: see observation.look

        return web.request(self.tunnel, method, url, deadline=self.login.deadline, **what)

    def _headers(self) -> dict[str, bytes]:
        host = {"Host": self.login.host_header} if self.login.host_header else {}
        values = {**host, **self.login.headers}
        return {name: self._value(value).encode() for name, value in values.items()}

    def _value(self, value: str | Secret | FromEnv) -> str:
        if isinstance(value, Secret):
            return value.reveal()
        if not isinstance(value, FromEnv):
            return value
        found = self.seen.env(value.key)
        if found is None:
            unseen = [one.reason for one in self.seen.env_files if isinstance(one, Unreadable)]
            raise SecretMissing("; ".join(unseen) or f"{value.key} has no value in the env file")
        return found

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
