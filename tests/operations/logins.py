"""A backend's login as the tests describe it, and what is found of it."""

import dataclasses
from types import SimpleNamespace
from typing import Any

from relogin import Backend, Login, Probe
from relogin.facts.login import prove
from relogin.facts.proof import Proof
from relogin.operations.login import FAULTS
from tests.operations.looks import HALEXT, found, halext, look

QUIET = SimpleNamespace(print_noop_info=False, print_input=False)  # as without -v
HOST: Any = SimpleNamespace(connector=None, state=QUIET)  # without SSH: its ports are ours
SEEN = look()


def described(url: str, **login: Any) -> Backend:
    known = {"account": "ops", "headers": HALEXT.login.headers, "identity": "username"}
    return halext(
        login=Login(f"{url}/token", **{**known, "protected": f"{url}/users/me", **login}),
        probes=[Probe(f"{url}/api/health", host_header="org.halext.org")],
    )


def proven(backend: Backend, *, refusals: bool = True, patience: float = 0) -> Proof:
    return prove(HOST, backend, SEEN, refusals=refusals, patience=patience)


def findings(backend: Backend, proof: Proof) -> list[tuple[str, str]]:
    seen = dataclasses.replace(SEEN, login=proof)
    return [
        (finding.fault.removeprefix("login."), finding.seen)
        for finding in found(FAULTS, seen, backend)
    ]
