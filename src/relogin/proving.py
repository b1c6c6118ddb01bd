"""Prove the login of a backend, and judge what the proof showed."""

from __future__ import annotations

from pyinfra import host as current_host

from relogin import run
from relogin.facts.env_file import EnvFileState
from relogin.facts.login import prove
from relogin.facts.observation import Observation, with_login
from relogin.facts.service_state import ServiceState, said_meanwhile
from relogin.mend import observe, say

_GOOD, _STALE = 3, 20  # logins in a row, and how many may fail before


def prove_and_judge(
    record: run.Entry, seen: Observation, *, refusals: bool, patience: float
) -> None:
    """Try the login, judge the whole catalogue on what was seen then, and log what is left.

    `refusals` tries a wrong password and forged tokens as well; `patience` is how many seconds a
    backend may take that is just starting.
    """
    if record.backend.login is not None:
        record.proof = prove(
            current_host,
            record.backend,
            seen,
            refusals=refusals,
            patience=patience,
            reply=record.early.let_in(record) if record.early else None,
        )
        if not record.proof.proven:
            seen = seen_after_failure(record, seen)
        seen = with_login(current_host, record.backend, seen, record.proof)
    record.judge(seen)
    say(record, list(record.left.values()))


def use_up_ended_sessions(record: run.Entry, number: int) -> None:
    """Log in until so many sessions that we have ended are used up: they prove nothing.

    A backend that does not check the connections of its pool fails one request for each that was
    ended (each pool of SQLAlchemy: one for all of them; "Dealing with Disconnects").
    """
    tries, good = min(number, _STALE), 0
    while tries and good < _GOOD:
        record.forget()
        seen = observe(record)
        if seen is None:
            break
        proof = prove(current_host, record.backend, seen, refusals=False, patience=0)
        good, tries = (good + 1, tries) if proof.proven else (0, tries - 1)


def seen_after_failure(record: run.Entry, seen: Observation) -> Observation:
    """Look again: the state that belongs to a failed proof or start is today's, and so is the log.

    What the backend wrote since the look before it goes into the verdict, without the values of its
    env files.
    """
    record.forget()
    today = observe(record) or seen
    before, after = seen.service, today.service
    if isinstance(before, ServiceState) and isinstance(after, ServiceState):
        files = [file for file in today.env_files if isinstance(file, EnvFileState)]
        secrets = {key: text for file in files for key, text in file.values.items() if text}
        log = before.log if isinstance(before.log, tuple) else ()
        record.said = said_meanwhile(log, after.log, secrets)
    return today
