"""What a second copy of the backend is asked, once it runs against a database beside."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from pyinfra import host as current_host

from relogin.facts import api
from relogin.facts.api_state import Probed
from relogin.facts.login import prove
from relogin.finding import Unreadable
from relogin.operations.release_proof import of_before
from relogin.operations.restore_switch import say

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.backing import Backing
    from relogin.facts.observation import Observation
    from relogin.facts.proof import Check
    from relogin.parts.api import Api
    from relogin.parts.proof import Login
    from relogin.secret import Secret

# What a page or a measurement would be asked for says nothing of a database.
_ELSEWHERE = {"cookie-unsafe", "cors-refused", "cors-open", "slow", "memory-grows"}


def problem(record: Backing, seen: Observation, port: int) -> str:
    """Prove every declared login by the copy, then what is declared of its API.

    Who gets a challenge (a second factor) is let in by no password alone: that is asked of the API.
    """
    backend = record.entry.backend
    assert backend.accounts is not None and backend.login is not None  # noqa: S101, PT018
    beside = _beside(seen)
    problems: list[str] = []
    challenged = {one.account for one in backend.api.challenges} if backend.api else set()
    known = [
        account
        for account in backend.accounts.present
        if account.password is not None and account.login not in challenged
    ]
    patience = backend.login.deadline
    for account in known:
        proof = prove(
            current_host,
            _copied(backend, port, account.login),
            beside,
            refusals=False,
            patience=patience,
        )
        patience = 0
        wrong = next((check.said for check in proof.checks if check.failed), "")
        if wrong or not proof.proven:
            problems.append(f"account {account.login}: {wrong or proof.said('login')}")
    if not problems and backend.api is not None:
        problems += _of_api(_copied(backend, port, backend.login.account), beside)
    if not problems:
        named = ", ".join(account.login for account in known)
        say(record, f"by a copy of the backend beside: {named} can log in")
    return "; ".join(problems)


def _of_api(backend: Backend, seen: Observation) -> list[str]:
    probed = api.probe(current_host, backend, seen)
    if not isinstance(probed, Probed):
        return [probed.reason]
    return [
        one.said
        for one in probed.tried
        if one.ok is False
        and one.kind not in _ELSEWHERE
        and backend.accepts(f"api.{one.kind}") is None
    ]


def _copied(backend: Backend, port: int, account: str) -> Backend:
    """Describe the copy: the same backend on another port, without what is in front of it."""
    login = backend.login
    assert login is not None and backend.backup is not None  # noqa: S101, PT018
    prefix = backend.backup.copy_prefix or ""

    def at(url: str) -> str:
        pieces = urlsplit(url)
        path = pieces.path.removeprefix(prefix) if prefix else pieces.path
        return urlunsplit(("http", f"127.0.0.1:{port}", path, pieces.query, ""))

    moved: Login = dataclasses.replace(
        login,
        url=at(login.url),
        account=account,
        protected=at(login.protected) if login.protected else None,
        refresh=login.refresh and dataclasses.replace(login.refresh, url=at(login.refresh.url)),
        host_header=login.host_header or urlsplit(login.url).netloc,
        public_url=None,
        origin=None,
        documented=False,
    )
    return dataclasses.replace(backend, login=moved, probes=(), api=_api(backend.api, at))


def _api(declared: Api | None, at: Callable[[str], str]) -> Api | None:
    """Give what is asked of a copy's API: its endpoints, once each, and nothing that changes it."""
    if declared is None:
        return None
    return dataclasses.replace(
        declared,
        url=at(declared.url) if declared.url else None,
        endpoints=tuple(dataclasses.replace(one, timed=False) for one in declared.endpoints),
        public_url=None,
        origin=None,
        journeys=(),
        limits=(),
        logout=None,
    )


def of_token(backend: Backend, port: int, seen: Observation, token: Secret) -> Check:
    """Ask the copy with a token of before, and with one of its own."""
    assert backend.login is not None  # noqa: S101 # without it nothing is restored
    copy = _copied(backend, port, backend.login.account)
    proof = prove(current_host, copy, _beside(seen), refusals=False, patience=0)
    return of_before(copy, seen, token, proof.token)


def _beside(seen: Observation) -> Observation:
    return dataclasses.replace(seen, accounts=Unreadable("those of another database"))
