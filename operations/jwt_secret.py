"""How good the tokens' secret is, and whether all that runs has the same one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.drift import when
from relogin.facts.jwt import LEAST
from relogin.facts.service import ServiceState
from relogin.facts.source import Source
from relogin.fault import Fault
from relogin.finding import Finding, Severity
from relogin.operations.auth_evidence import told_of_the_secret
from relogin.operations.env_file_used import from_elsewhere, source_of
from relogin.operations.jwt_place import place as place_of
from relogin.placeholders import publicly_known
from relogin.secret import mark

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_STAYS = (
    "it stays, for another one throws everybody out: choose the hour, put a new one in its place"
    " (openssl rand -hex 64) and restart the backend"
)


def _known_default(backend: Backend, seen: Observation) -> Finding | None:
    place = place_of(backend, seen)
    why = publicly_known(place.value) if place and place.value else None
    if place is None or why is None:
        return None
    return Finding(
        f"the JWT secret {place.key} in {place.declared.path} is known to everybody",
        subject=place.key,
        seen=f"{why}: whoever knows it can be anybody",
        remedy=_STAYS,
    )


def _weak(backend: Backend, seen: Observation) -> Finding | None:
    """Judge by length: a key has to be as long as the hash (RFC 7518, 3.2)."""
    place = place_of(backend, seen)
    if place is None or place.value is None or backend.token is None or publicly_known(place.value):
        return None
    algorithm, size = backend.token.algorithm, len(place.value.encode())
    least = LEAST.get(algorithm, 0)
    if size >= least:
        return None
    return Finding(
        f"the JWT secret {place.key} in {place.declared.path} is too short for {algorithm}",
        subject=place.key,
        seen=f"{size} bytes: it may be found out from a single token",
        expected=f"{least} bytes at least (RFC 7518, 3.2)",
        remedy=_STAYS,
    )


def _running_on_other(backend: Backend, seen: Observation) -> Finding | None:
    place = place_of(backend, seen)
    if place is None or place.value is None or not from_elsewhere(backend, seen, place.key):
        return None
    return Finding(
        f"the running backend has another JWT secret than {place.declared.path}",
        subject=place.key,
        seen=f"its {place.key} is from none of its env files, and it was started after they last"
        " changed",
        expected="the env file's",
        remedy="decide which one is right (whoever is logged in has a token of the running one) and"
        f" let only that one be set: {source_of(backend, seen)}",
    )


def _per_process(backend: Backend, seen: Observation) -> Finding | None:
    place, service = place_of(backend, seen), seen.service
    kinds = seen.secrets if isinstance(seen.secrets, tuple) else ()
    if place is None or len(kinds) < 2 or not isinstance(service, ServiceState):
        return None
    told = "; ".join(f"pid {', '.join(map(str, pids))}" for pids in kinds)
    return Finding(
        f"the processes of {service.name} do not all have the same JWT secret",
        subject=place.key,
        seen=f"{len(kinds)} values of {place.key}: {told}; main pid {service.main_pid}",
        expected="one",
        remedy="end those that an earlier start has left behind (KillMode= in the unit keeps them):"
        f" systemctl kill --kill-whom=all {service.name}, then start it",
    )


def _hard_coded(backend: Backend, seen: Observation) -> Iterator[Finding]:
    place, source = place_of(backend, seen), seen.source
    if place is None or not isinstance(source, Source):
        return
    for where in source.fallbacks:
        path, _, line = where.rpartition(":")
        yield Finding(
            f"the backend's own code holds a JWT secret: line {line} of {source.directory}/{path}",
            subject=where,
            seen="whoever can read the code can be anybody, as soon as that value is in force",
            remedy="let it read the environment alone, and fail where there is none:"
            f' os.environ["{place.key}"]',
        )


def _changed(backend: Backend, seen: Observation) -> Finding | None:
    place, former = place_of(backend, seen), seen.former
    if place is None or place.value is None or former is None or not former.signing:
        return None
    if mark(place.value) == former.signing:
        return None
    return Finding(
        f"the JWT secret {place.key} in {place.declared.path} is another one than before",
        subject=place.key,
        seen=f"a login was last proven with the former one on {when(former.proven)}",
        remedy="whoever was logged in by then has to log in again; if nobody replaced it on"
        " purpose, bring the former one back from a backup of the file and restart",
    )


RUNNING_ON_OTHER_SECRET = Fault(
    "jwt.running-on-other-secret",
    told_of_the_secret(_running_on_other),
    symptom_of=("service.wrong-command",),
    about="the running backend has another JWT secret than its env file",
    remedy="what else may set it is named to you; which one is right is yours to decide",
    check=("systemctl cat UNIT", "systemctl show UNIT -p EnvironmentFiles"),
)
SECRET_CHANGED = Fault(
    "jwt.secret-changed",
    told_of_the_secret(_changed),
    severity=Severity.WARNING,
    about="the secret that signs the tokens is another one than when a login was last proven"
    " (relogin's own runs, by their history)",
    remedy="since when is said to you: everybody has to log in again, or the former one comes back",
    check=("stat -c %y ENV_FILE", "sed -n 's/^KEY=//p' ENV_FILE | tr -d '\\n' | sha256sum"),
)
SECRET_PER_PROCESS = Fault(
    "jwt.secret-per-process",
    told_of_the_secret(_per_process),
    about="the backend's processes do not all have the same JWT secret",
    remedy="those that an earlier start has left behind are named to you",
    check=("systemctl status UNIT", "systemctl show UNIT -p KillMode"),
)
KNOWN_DEFAULT = Fault(
    "jwt.known-default",
    _known_default,
    severity=Severity.WARNING,
    about="the secret that signs the tokens is one that everybody knows",
    remedy="it stays, for another one throws everybody out: you choose the hour to replace it",
    check=("grep -niE '^KEY=.?(change|your|secret|09d25e09|django-insecure)' ENV_FILE | wc -l",),
)
SECRET_WEAK = Fault(
    "jwt.secret-weak",
    _weak,
    severity=Severity.WARNING,
    about="the secret that signs the tokens is too short for its algorithm (RFC 7518, 3.2)",
    remedy="it stays, for another one throws everybody out: you choose the hour to replace it",
    check=("sed -n 's/^KEY=//p' ENV_FILE | tr -d '\\n' | wc -c",),
)
HARD_CODED_FALLBACK = Fault(
    "jwt.hard-coded-fallback",
    _hard_coded,
    severity=Severity.WARNING,
    about="the backend's own code holds a secret to sign tokens with",
    remedy="file and line are named to you",
    check=("grep -rnE --include='*.py' 'KEY' DIRECTORY | cut -d : -f 1,2",),
)
