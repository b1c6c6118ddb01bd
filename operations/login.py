"""Prove the login: only this decides whether people can get in."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand, operation

from relogin import run
from relogin.facts.proof import Check, Proof
from relogin.facts.service_state import ServiceState
from relogin.fault import LAYERS, Fault
from relogin.finding import Finding
from relogin.mend import fail_with, observe, tell_why_halted
from relogin.proving import prove_and_judge

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

BELOW = LAYERS[:-1]
_STARTING = {502, 503, 504}


def _failed(proof: Proof | None, name: str) -> list[Check]:
    """Give the checks of a name (or of a family `name: …`) that failed."""
    checks = proof.checks if proof else ()
    return [check for check in checks if check.ok is False and check.name.split(":")[0] == name]


def _login_failed(
    holds: Callable[[Proof], bool], what: str, next_step: str
) -> Callable[[Backend, Observation], Finding | None]:
    def detect(backend: Backend, seen: Observation) -> Finding | None:
        proof = seen.login
        if proof is None or proof.check("login") is not False or not holds(proof):
            return None
        return Finding(what.format(proof=proof), seen=proof.said("login"), remedy=next_step)

    return detect


def _check_failed(
    name: str, what: str, next_step: str
) -> Callable[[Backend, Observation], Iterator[Finding]]:
    def detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
        for check in _failed(seen.login, name):
            yield Finding(what, subject=check.name, seen=check.said, remedy=next_step)

    return detect


NOT_REACHED = Fault(
    "login.not-reached",
    _login_failed(
        lambda proof: proof.status is None,
        "nobody answers at {proof.url}",
        "see what listens there: ss -ltnp on the host",
    ),
    symptom_of=BELOW,
    about="nobody answers at the login URL",
)
PROXY_UP_BACKEND_DOWN = Fault(
    "login.proxy-up-backend-down",
    _login_failed(
        lambda proof: proof.status in _STARTING,
        "a proxy answers at {proof.url}, but not the backend behind it",
        "look into the proxy's error log for the upstream that it asks",
    ),
    symptom_of=BELOW,
    about="the proxy answers 502, 503 or 504",
)
SERVER_ERROR = Fault(
    "login.server-error",
    _login_failed(
        lambda proof: (proof.status or 0) >= 500 and proof.status not in _STARTING,
        "the login itself fails in the backend",
        "read the traceback in the backend's log",
    ),
    symptom_of=BELOW,
    about="the login ends in a server error",
)
REFUSED = Fault(
    "login.refused",
    _login_failed(
        lambda proof: proof.status in {400, 401, 403},
        "the login of {proof.account} is refused",
        "the stored account is as declared: look for another database, a header or a lock",
    ),
    symptom_of=BELOW,
    about="the declared login is refused",
)
UNEXPECTED_ANSWER = Fault(
    "login.unexpected-answer",
    _login_failed(
        lambda proof: (
            proof.status is not None and proof.status < 500 and proof.status not in {400, 401, 403}
        ),
        "the login request is not answered as a login",
        "compare Login's url, body, fields and token with the backend's route",
    ),
    symptom_of=("service",),
    about="the request is not answered as a login",
)
SIGNATURE_WRONG = Fault(
    "login.signature-wrong",
    _check_failed(
        "signature",
        "the token is not signed with the configured secret",
        "the backend runs on another secret than its env file has: find out which one is right",
    ),
    symptom_of=("env_file", "jwt", "service"),
    about="the token is signed with another secret",
)
ALGORITHM_WRONG = Fault(
    "login.algorithm-wrong",
    _check_failed(
        "algorithm", "the token has another algorithm", "correct Jwt(algorithm=…) or the backend"
    ),
    about="the token has another algorithm",
)
SUBJECT_WRONG = Fault(
    "login.subject-wrong",
    _check_failed(
        "subject", "the token names another account", "correct Jwt(subject=…) or the backend"
    ),
    about="the token names another account",
)
EXPIRY_WRONG = Fault(
    "login.expiry-wrong",
    _check_failed("expiry", "the token's lifetime is wrong", "check the backend's clock and zone"),
    symptom_of=("machine.clock-skew",),
    about="the token expires at the wrong time",
)
NOT_A_JWT = Fault(
    "login.token-not-a-jwt",
    _check_failed("token", "the token is not a JWT", "leave Backend(token=…) out for such tokens"),
    about="the token is not a JWT",
)
PROTECTED_REFUSED = Fault(
    "login.protected-refused",
    _check_failed(
        "protected",
        "the login works, but its token opens nothing",
        "another process or worker checks it with another secret, or the route is another's",
    ),
    symptom_of=("env_file", "jwt", "service"),
    about="the token does not open the protected route",
)
IDENTITY_WRONG = Fault(
    "login.identity-wrong",
    _check_failed("identity", "the protected route answers as another account", "see the backend"),
    about="the protected route answers as another account",
)
OPEN_WITHOUT_TOKEN = Fault(
    "login.open-without-token",
    _check_failed(
        "unprotected", "the protected route answers without a token", "protect it in the backend"
    ),
    about="the protected route answers without a token",
)
FORGED_TOKEN_ACCEPTED = Fault(
    "login.forged-token-accepted",
    _check_failed(
        "forged",
        "a forged token is accepted: anybody can be anybody",
        "the backend does not verify its tokens: mend that before people are let in",
    ),
    about="a forged token is accepted",
)
WRONG_PASSWORD_ACCEPTED = Fault(
    "login.wrong-password-accepted",
    _check_failed(
        "wrong-password", "a wrong password is accepted", "the backend does not check passwords"
    ),
    about="a wrong password is accepted",
)
PROBE_FAILED = Fault(
    "login.probe-failed",
    _check_failed(
        "probe",
        "a declared probe is not answered as it should be",
        "ask it by hand with that Host header, and compare Probe(…) with the route",
    ),
    symptom_of=BELOW,
    about="a declared probe is not answered as declared",
)
FAULTS = (
    NOT_REACHED,
    PROXY_UP_BACKEND_DOWN,
    SERVER_ERROR,
    REFUSED,
    UNEXPECTED_ANSWER,
    NOT_A_JWT,
    ALGORITHM_WRONG,
    SIGNATURE_WRONG,
    SUBJECT_WRONG,
    EXPIRY_WRONG,
    PROTECTED_REFUSED,
    IDENTITY_WRONG,
    OPEN_WITHOUT_TOKEN,
    FORGED_TOKEN_ACCEPTED,
    WRONG_PASSWORD_ACCEPTED,
    PROBE_FAILED,
)


@operation()
def verified(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Prove that people can log in, and that nobody gets in who should not.

    + backend: the backend, as described
    """
    record = run.entry(current_state, current_host, backend)
    seen = observe(record)
    if seen is None:
        tell_why_halted(record)
        yield fail_with(f"{backend.name}: the login is not proven")
        return
    if backend.login is None:
        yield fail_with(f"{backend.name}: no login is declared, so none can be proven")
        return
    patience = backend.login.deadline if _may_be_starting(record, seen) else 0
    prove_and_judge(record, seen, refusals=_refusals_due(record), patience=patience)
    if record.proof is None or not record.proof.proven:
        yield fail_with(f"{backend.name}: the login is not proven")


def _may_be_starting(record: run.Entry, seen: Observation) -> bool:
    """Tell whether a start is on its way, ours or another's, that has not failed already."""
    if any(found.layer == "service" and found.critical for found in record.left.values()):
        return False
    state = seen.service.state if isinstance(seen.service, ServiceState) else ""
    return state in {"activating", "starting"} or any(done.seconds for done in record.changes)


def _refusals_due(record: run.Entry) -> bool:
    """Try a wrong password and forged tokens once in a run, and not on a quiet scheduled one.

    They may lock accounts: so not while pyinfra only works out what would change, and not on a
    scheduled run (`--data scheduled=true`) that found and changed nothing.
    """
    quiet = not record.first and not record.changes
    scheduled = bool(current_host.data.get("scheduled"))
    return bool(current_state.is_executing) and not (scheduled and quiet)
