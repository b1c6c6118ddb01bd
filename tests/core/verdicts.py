"""Findings, runs and proofs of which the tests have a verdict made."""

from typing import Any

import click
from pyinfra.api import Config, Inventory, State

from relogin import Backend, Finding, Severity, run
from relogin.facts.proof import Check, Proof
from relogin.report.text import verdict
from relogin.run import Entry

URL = "http://127.0.0.1/token"
GOOD = (
    Check("login", True, f"ops logged in at {URL} (200, 0.11 s)"),
    Check("algorithm", True, "HS256"),
    Check("signature", True, "signature good"),
    Check("subject", True, "sub ops"),
    Check("expiry", True, "expires in 30 min"),
    Check("protected", True, "GET http://127.0.0.1/users/me: 200 with the token"),
    Check("identity", True, "answers as ops"),
    Check("unprotected", True, "no token (401)"),
    Check("forged: of algorithm none", True, "a token of algorithm none (401)"),
    Check("wrong-password", None, "a wrong password: not checked (429)"),
)
PROVEN = Proof("ops", URL, GOOD, status=200)
REFUSED = Proof("ops", URL, (Check("login", False, f"POST {URL}: answered 401"),), status=401)


def finding(fault: str, what: str, **fields: Any) -> Finding:
    return Finding(what, fault=fault, **{"subject": what, **fields})


ROLE = finding(
    "postgres.role-password-differs",
    "the password of role u is not the one in the database URL",
    seen="its scram verifier does not match",
    remedy="the role gets the URL's password",
)
KEY = finding(
    "env_file.key-missing", "DEV_MODE is missing in /srv/.env", expected="'false'", remedy="written"
)
FAILED = finding("service.failed", "api.service has failed", symptom=True, remedy="it is restarted")
LOGIN = finding(
    "login.refused", "the login of ops is refused", symptom=True, by_person=True, remedy="look"
)
MODE = finding(
    "env_file.readable-by-others", "/srv/.env can be read by all", severity=Severity.WARNING
)
OLDER = finding("service.older-than-env-file", "api.service runs on older values", remedy="restart")


def entry(*found: Finding, left: tuple[Finding, ...] = (), **fields: Any) -> Entry:
    first = {one.key: one for one in found}
    mended = dict.fromkeys(key for key in first if key not in {one.key for one in left})
    known = {"looked": True, "executed": True, "mended": mended, **fields}
    return Entry("one", Backend("mine"), first=first, left={one.key: one for one in left}, **known)


def told(state: State, *entries: Entry) -> str:
    record = run.Run({(one.host, one.backend.name): one for one in entries})
    return click.unstyle(verdict(record, state)).replace("─" * 78, "---").strip("\n")


PROOF = """\
  Proof
    ✓ ops logged in at http://127.0.0.1/token (200, 0.11 s)
    ✓ token: HS256, signature good, sub ops, expires in 30 min
    ✓ GET http://127.0.0.1/users/me: 200 with the token, answers as ops
    ✓ refused: no token (401), a token of algorithm none (401), a wrong password: not checked (429)
---"""


def two_hosts() -> State:
    """Two hosts, of which the first could be reached."""
    inventory = Inventory((["one", "two"], {}))
    made = State(inventory, Config())
    made.activate_host(inventory.get_host("one"))
    made.limit_hosts = [inventory.get_host("one")]
    return made
