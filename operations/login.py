"""Prove the login: only this decides whether people can get in."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from pyinfra import host as current_host
from pyinfra import state as current_state
from pyinfra.api import FunctionCommand, operation

from relogin import lease, run
from relogin.facts.machine import Machine
from relogin.facts.service_state import ServiceState
from relogin.mend import fail_with, observe, tell_why_halted
from relogin.operations import (
    login_database,
    login_health,
    login_public,
    login_refused,
    login_request,
    login_token,
)
from relogin.operations.postgres_settings import SESSIONS_END
from relogin.proving import prove_and_judge, use_up_ended_sessions

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_STARTS = 10  # seconds from its start after which a process that does not answer is not waited for
FAULTS = (
    login_request.NOT_REACHED,
    login_request.CERTIFICATE_REFUSED,
    login_refused.PROXY_UP_BACKEND_DOWN,
    login_refused.RATE_LIMITED,
    login_request.REDIRECTED_TO_HTTPS,
    login_request.REDIRECTED,
    login_request.HOST_REFUSED,
    login_request.CSRF_REFUSED,
    login_request.WRONG_PATH,
    login_request.WRONG_METHOD,
    login_request.HEADER_MISSING,
    login_request.WRONG_CONTENT_TYPE,
    login_request.WRONG_FIELD_NAME,
    login_request.NOT_AN_EMAIL,
    login_refused.CHALLENGE,
    login_refused.TOKEN_NOT_FOUND,
    login_refused.SLOW,
    login_database.OTHER_DATABASE,
    login_refused.SERVER_ERROR,
    login_refused.REFUSED,
    login_refused.UNEXPECTED_ANSWER,
    login_health.HEALTHY_BUT_DEAD,
    login_token.NOT_A_JWT,
    login_token.ALGORITHM_WRONG,
    login_token.SIGNATURE_WRONG,
    login_token.SUBJECT_WRONG,
    login_token.EXPIRY_WRONG,
    login_token.WORKS_BY_SOME_WORKERS,
    login_token.AUTHORIZATION_STRIPPED,
    login_token.PROTECTED_REFUSED,
    login_token.IDENTITY_WRONG,
    login_token.REFRESH_REFUSED,
    login_token.OPEN_WITHOUT_TOKEN,
    login_token.FORGED_TOKEN_ACCEPTED,
    login_token.WRONG_PASSWORD_ACCEPTED,
    login_token.PROBE_FAILED,
    login_token.TOKEN_URL_DIFFERS,
    login_public.CORS_REFUSED,
    *login_public.PUBLIC,
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
    if any(done.ok and done.fault in SESSIONS_END for done in record.changes):
        use_up_ended_sessions(record, 2 * max(1, _workers(seen)))
        seen = observe(record) or seen
    patience = _patience(record, seen, backend.login.deadline)
    prove_and_judge(record, seen, refusals=_refusals_due(record), patience=patience)
    lease.give_up(current_host, record)
    if record.proof is None or not record.proof.proven:
        yield fail_with(f"{backend.name}: the login is not proven")
    elif record.disabled:
        yield fail_with(f"{backend.name}: {record.disabled}")


def _workers(seen: Observation) -> int:
    return seen.service.workers if isinstance(seen.service, ServiceState) else 0


def _patience(record: run.Entry, seen: Observation, deadline: float) -> float:
    """Give how many seconds a start that is on its way, ours or another's, may still take.

    The look names the second of a start: whoever restarted it and runs this at once has not yet met
    a backend that is down.
    """
    if any(found.layer == "service" and found.critical for found in record.left.values()):
        return 0  # it has failed already
    service = seen.service if isinstance(seen.service, ServiceState) else None
    state = service.state if service else ""
    if state in {"activating", "starting"} or any(done.seconds for done in record.changes):
        return deadline
    if service is None or service.started is None or not isinstance(seen.machine, Machine):
        return 0
    left = _STARTS - (seen.machine.now - service.started)
    return max(0, min(left, _STARTS, deadline))


def _refusals_due(record: run.Entry) -> bool:
    """Try a wrong password and forged tokens once in a run, and not on a quiet scheduled one.

    They may lock accounts: so not while pyinfra only works out what would change, and not on a
    scheduled run (`--data scheduled=true`) that found and changed nothing.
    """
    quiet = not record.first and not record.changes
    scheduled = bool(current_host.data.get("scheduled"))
    return bool(current_state.is_executing) and not (record.disabled or (scheduled and quiet))
