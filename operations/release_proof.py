"""The proof of a release: the login, and that a token made before it is still good."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from pyinfra import host as current_host

from relogin import tokens
from relogin.facts.login_requests import Requests
from relogin.facts.proof import Check, at
from relogin.mend import observe
from relogin.proving import prove_and_judge

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.run import Entry
    from relogin.secret import Secret


BEFORE = "protected: a token made before"


def proven(entry: Entry, token: Secret | None, *, may_end: bool = False) -> str:
    """Prove the login of what runs now; give what is wrong with it, or ''.

    `token` is one that was made before: nobody may be logged out, unless sessions `may_end`. It is
    never good for another account.
    """
    login = entry.backend.login
    assert login is not None  # noqa: S101 # without it nothing is released
    entry.forget()
    seen = observe(entry)
    if seen is None:
        return entry.halted or "nothing could be looked at"
    prove_and_judge(entry, seen, refusals=True, patience=login.deadline)
    proof = entry.proof
    if proof is None or proof.check("login") is None:
        return proof.said("login") if proof else "the login could not be tried"
    if token is not None and proof.check("login"):
        older = of_before(entry.backend, seen, token, proof.token)
        if may_end and older.ok is False and older.name == BEFORE:
            said = f"{older.said}; everybody has to log in again, which was confirmed"
            older = dataclasses.replace(older, ok=None, said=said)
        entry.proof = proof = dataclasses.replace(proof, checks=(*proof.checks, older))
    return next((check.said for check in proof.checks if check.failed), "")


def of_before(
    backend: Backend, seen: Observation, token: Secret, fresh: Secret | None = None
) -> Check:
    """Ask the protected route with a token of before: it has to answer as to a `fresh` one."""
    name, value = BEFORE, token.reveal()
    login = backend.login
    assert login is not None  # noqa: S101 # it came of one
    if login.protected is None:
        return Check(name, None, "a token made before: not tried, there is no protected route")
    read = tokens.read(value)
    expires = read.claims.get("exp") if read else None
    if isinstance(expires, int | float) and expires < time.time():
        return Check(name, None, "a token made before: it expired meanwhile")
    requests = Requests(current_host, backend, seen)
    reply = requests.get(value)
    ok = None if reply.status in {None, 429} else reply.ok
    if ok and login.identity is not None and fresh is not None:
        now = requests.get(fresh.reveal())
        if now.ok and at(login.identity, now.json) != at(login.identity, reply.json):
            return Check("identity", False, "a token made before is another account's now")
    return Check(name, ok, f"a token made before: {reply.shown}")
