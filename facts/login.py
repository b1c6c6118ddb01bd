"""The proof: a real login, its token, and what it opens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from gevent.pool import Pool
from pyinfra.api import FactBase

from relogin import shell, tokens, web
from relogin.facts import alone
from relogin.facts.accounts import Table
from relogin.fault import internal_error
from relogin.parts.configuration import FromEnv
from relogin.secret import Secret, SecretMissing, make_value
from relogin.tunnel import Tunnel

if TYPE_CHECKING:
    from pyinfra.api import StringCommand
    from pyinfra.api.host import Host

    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.parts.proof import Jwt
    from relogin.remote import Answer

_STARTING = {502, 503, 504}


@dataclass(frozen=True)
class Check:
    """One thing that was checked: `ok` is None where it could not be, and `said` says why."""

    name: str
    ok: bool | None
    said: str


@dataclass(frozen=True)
class Proof:
    """What a login brought: who logged in where, the answer, and every check in order."""

    account: str
    url: str
    checks: tuple[Check, ...]
    status: int | None = None
    refused: bool = False
    token: Secret | None = field(default=None, repr=False)

    @property
    def proven(self) -> bool:
        """True where the login and every check that could be made are right."""
        return self.check("login") is True and all(check.ok is not False for check in self.checks)

    def check(self, name: str) -> bool | None:
        return next((check.ok for check in self.checks if check.name == name), None)

    def said(self, name: str) -> str:
        return next((check.said for check in self.checks if check.name == name), "")


def prove(
    host: Host, backend: Backend, seen: Observation, *, refusals: bool, patience: float
) -> Proof:
    """Log in and check what comes of it; `patience` is how many seconds a start may take.

    The refusals (a wrong password, forged tokens) are only tried after the right login worked.
    """
    try:
        return _Prover(host, backend, seen).prove(refusals=refusals, patience=patience)
    except Exception as error:  # noqa: BLE001 # out of an operation it would abort every host
        said = internal_error(error, "the proof").seen
        assert backend.login is not None  # noqa: S101 # only asked with one
        return Proof(backend.login.account, backend.login.url, (Check("login", None, said),))


class _Prover:
    def __init__(self, host: Host, backend: Backend, seen: Observation) -> None:
        assert backend.login is not None  # noqa: S101 # only asked with one
        self.backend, self.seen, self.login = backend, seen, backend.login
        self.account = backend.account(self.login.account)
        self.tunnel = Tunnel.to(host, backend)

    def prove(self, *, refusals: bool, patience: float) -> Proof:
        try:
            password = self.account.password.reveal() if self.account.password else ""
            reply = self._log_in_when_up(password, patience)
        except SecretMissing as missing:
            return self._proof(Check("login", None, str(missing)))
        token = _token(self.login.token, reply)
        if token is None:
            return self._proof(self._not_in(reply), status=reply.status, refused=reply.refused)
        Secret.seen(token)
        where = f"{self.login.account} logged in at {self.login.url}"
        said = f"{where} ({reply.status}, {reply.seconds:.2f} s)"
        checks = [Check("login", True, said), *self._token(token, reply)]
        checks += self._opened(token, password, refusals=refusals)
        return self._proof(*checks, status=reply.status, token=Secret.seen(token))

    def _proof(self, *checks: Check, **known: Any) -> Proof:
        return Proof(self.login.account, self.login.url, checks, **known)

    def _not_in(self, reply: web.Reply) -> Check:
        if reply.status is not None and reply.status < 300:
            keys = sorted(reply.json) if isinstance(reply.json, dict) else []
            there = (
                f"; the answer has {', '.join(keys)}" if keys else "; the answer is no JSON object"
            )
            said = f"answered {reply.status} without {self.login.token!r}{there}"
        else:
            said = f"answered {reply.status}" if reply.status else reply.failure
        unasked = reply.failure.startswith("could not be asked")
        return Check("login", None if unasked else False, f"POST {self.login.url}: {said}")

    def _log_in_when_up(self, password: str, patience: float) -> web.Reply:
        until = time.monotonic() + patience
        while True:
            reply = self._log_in(password)
            starting = reply.refused or reply.status in _STARTING
            if not starting or time.monotonic() > until:
                return reply
            time.sleep(0.3)  # cooperative: other hosts go on

    def _log_in(self, password: str) -> web.Reply:
        account = self.account
        known = {"login": account.login, "email": account.email or "", "password": password}
        fields = {name: text.format_map(known) for name, text in self.login.fields.items()}
        body: dict[str, Any] = {"data": fields} if self.login.body == "form" else {"json": fields}
        return self._ask("POST", self.login.url, **body)

    def _ask(self, method: str, url: str, bearer: str | None = None, **what: Any) -> web.Reply:
        headers = self._headers()
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}".encode()
        return web.request(
            self.tunnel, method, url, headers=headers, deadline=self.login.deadline, **what
        )

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
            raise SecretMissing(f"{value.key} has no value in the env file")
        return found

    def _token(self, token: str, reply: web.Reply) -> list[Check]:
        declared = self.backend.token
        read = tokens.read(token)
        if declared is None:
            return []
        if read is None:
            return [Check("token", False, "the token is not a JWT")]
        algorithm = read.algorithm == declared.algorithm
        said = f"{read.algorithm}" + ("" if algorithm else f", declared {declared.algorithm}")
        return [
            Check("algorithm", algorithm, said),
            self._signature(token, declared),
            self._subject(read.claims, declared),
            _expiry(read.claims, declared, reply),
        ]

    def _signature(self, token: str, declared: Jwt) -> Check:
        key = declared.secret or declared.public_key
        try:
            value = self._value(key) if key is not None else ""
        except SecretMissing as missing:
            return Check("signature", None, f"signature not checked: {missing}")
        if tokens.signed_by(token, value, declared.algorithm):
            return Check("signature", True, "signature good")
        variant = tokens.secret_variant(token, value, declared.algorithm)
        return Check(
            "signature",
            False,
            f"the configured secret {variant} fits" if variant else "another secret signed it",
        )

    def _subject(self, claims: Mapping[str, Any], declared: Jwt) -> Check:
        expected = self._identities().get(declared.subject or "")
        if expected is None:
            return Check("subject", None, "subject not checked")
        found = claims.get(declared.claim)
        if found == expected:
            return Check("subject", True, f"{declared.claim} {expected}")
        return Check("subject", False, f"{declared.claim} is {found!r}, expected {expected!r}")

    def _identities(self) -> dict[str, str | None]:
        table = self.seen.accounts
        found = table.row(self.account.login) if isinstance(table, Table) else None
        login = self.account.login
        return {
            "username": login,
            "login": login,
            "email": self.account.email,
            "id": found.id if found else None,
        }

    def _opened(self, token: str, password: str, *, refusals: bool) -> list[Check]:
        """Ask everything that only needs the token side by side, each on its own connection."""
        protected = self.login.protected
        asked: list[tuple[str, str, str | None]] = []
        if protected is not None:
            asked = [("protected", "", token), ("unprotected", "", None)]
            if refusals and self.login.refusals:
                asked += [("forged", kind, forged) for kind, forged in self._forged(token)]
        pool = Pool(8)
        replies = [pool.spawn(self._ask, "GET", protected, bearer) for _, _, bearer in asked]
        wrong = None
        if refusals and self.login.refusals:
            wrong = pool.spawn(self._log_in, make_value()[:24])
        pool.join()
        checks = [
            self._judged(name, kind, reply.get())
            for (name, kind, _), reply in zip(asked, replies, strict=True)
        ]
        checks += self._identity(replies[0].get()) if replies else []
        return checks + ([self._wrong_password(wrong.get())] if wrong is not None else [])

    def _forged(self, token: str) -> list[tuple[str, str]]:
        if tokens.read(token) is None:
            return [("that is invented", make_value())]
        forged = list(tokens.forged(token).items())
        declared = self.backend.token
        if declared is not None and declared.secret is not None:
            with contextlib.suppress(SecretMissing, ValueError):  # then that one cannot be made
                secret = self._value(declared.secret)
                old = tokens.expired(token, secret, declared.algorithm)
                forged.append(("that has expired", old))
        return forged

    def _judged(self, name: str, kind: str, reply: web.Reply) -> Check:
        let_in = reply.status is not None and reply.status < 300
        if name == "protected":
            return Check(name, let_in, f"GET {self.login.protected}: {reply.shown} with the token")
        what = "no token" if name == "unprotected" else f"a token {kind}"
        if name == "forged":
            name = f"forged: {kind}"
        if reply.status is None or reply.status == 429:
            return Check(name, None, f"{what}: not checked ({reply.shown})")
        return Check(name, not let_in, f"{what} ({reply.shown})")

    def _identity(self, reply: web.Reply) -> list[Check]:
        if self.login.identity is None or reply.status is None or reply.status >= 300:
            return []
        found = _at(self.login.identity, reply.json)
        names = {name for name in self._identities().values() if name is not None}
        if str(found) in names:
            return [Check("identity", True, f"answers as {found}")]
        return [Check("identity", False, f"answers as {found!r}, not as {self.account.login}")]

    def _wrong_password(self, reply: web.Reply) -> Check:
        if reply.status is None or reply.status == 429:
            return Check("wrong-password", None, f"a wrong password: not checked ({reply.shown})")
        accepted = _token(self.login.token, reply) is not None
        return Check("wrong-password", not accepted, f"a wrong password ({reply.shown})")


def _expiry(claims: Mapping[str, Any], declared: Jwt, reply: web.Reply) -> Check:
    """Judge by the host's own clock, which its answer's Date header tells (RFC 9110, 6.6.1)."""
    expires = claims.get("exp")
    if not isinstance(expires, int | float):
        return Check("expiry", None, "it never expires" if expires is None else "exp is no number")
    try:
        now = parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (KeyError, ValueError):
        now = time.time()
    left = expires - now
    if left <= 0:
        return Check("expiry", False, f"it expired {-left:.0f} s before it was issued")
    if declared.lifetime is not None and abs(left - declared.lifetime) > 60:
        return Check("expiry", False, f"expires in {left:.0f} s, declared {declared.lifetime:g} s")
    return Check("expiry", True, f"expires in {_duration(left)}")


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _token(path: str, reply: web.Reply) -> str | None:
    if reply.status is None or reply.status >= 300:
        return None
    found = _at(path, reply.json)
    return found if isinstance(found, str) and found else None


def _at(path: str, value: Any) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


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
