"""Values that were left in from an example: `changeme`, `<password>`, `your-secret-here`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import database_url
from relogin.facts.env_file import EnvFileState
from relogin.facts.postgres_state import Server
from relogin.facts.service import ServiceState
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.env_values import Wanted, own_keys, readable, written
from relogin.parts.configuration import DatabaseUrl, FromEnv, FromParts
from relogin.placeholders import is_placeholder
from relogin.secret import Secret, make_value

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def _left_in(backend: Backend, seen: Observation) -> Iterator[tuple[EnvFileState, str, Wanted]]:
    """Give the secrets that are none; of what is declared another fault knows better."""
    for file, state in readable(backend, seen):
        for key, declared in own_keys(backend, file, state).items():
            wanted, found = declared.keys[key], state.value(key)
            secret = wanted.password if isinstance(wanted, DatabaseUrl) else wanted
            if found and isinstance(secret, Secret) and not secret.declared:
                text = _text(wanted, found)
                if text and is_placeholder(text):
                    yield state, key, wanted


def _text(wanted: Wanted, found: str) -> str | None:
    """Give what has to be secret of a value: of a URL its password, None where it has none."""
    if not isinstance(wanted, DatabaseUrl):
        return found
    try:
        return database_url.parse(found).password
    except database_url.DatabaseUrlError:
        return None


def _password_key(backend: Backend) -> str | None:
    """Give the key that has the database's password, alone or in its URL."""
    url = backend.database.url if backend.database else None
    if isinstance(url, FromParts):
        return url.password
    return url.key if isinstance(url, FromEnv) else None


def is_asked_for(backend: Backend, seen: Observation) -> bool:
    """Tell whether the database's password is a placeholder in whose place a person has to set one.

    Until then no role gets it: anybody would guess it.
    """
    return any(
        key == _password_key(backend) and _instead(seen, state, key, wanted) is None
        for state, key, wanted in _left_in(backend, seen)
    )


def _detect(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for state, key, wanted in _left_in(backend, seen):
        what = f"the password in {key}" if isinstance(wanted, DatabaseUrl) else key
        used = _is_used(backend, seen, state, key, wanted)
        mended = used is False and _instead(seen, state, key, wanted) is not None
        yield Finding(
            f"{what} in {state.path} is a placeholder from an example",
            subject=f"{state.path}:{key}",
            seen="it is in force all the same: anybody can guess it" if used else "",
            expected=repr(wanted.password if isinstance(wanted, DatabaseUrl) else wanted),
            remedy="a value is written in its place: what is in force, else one made for it"
            if mended
            else f"set {key}, where it is used as well",
            severity=Severity.WARNING if used else Severity.CRITICAL,
            by_person=not mended,
        )


def _is_used(
    backend: Backend, seen: Observation, state: EnvFileState, key: str, wanted: Wanted
) -> bool | None:
    """Tell whether the placeholder is in force, so that another value would lock people out.

    What `load_dotenv` has read shows nowhere: it is not excluded of a process that runs. None where
    nothing can be known.
    """
    url = backend.database.url if backend.database else None
    if isinstance(wanted, DatabaseUrl) or (isinstance(url, FromParts) and key == url.password):
        return _is_the_roles(seen, _text(wanted, state.value(key) or ""))
    if not isinstance(seen.service, ServiceState):
        return None
    return seen.service.active and seen.in_process(key) in {None, state.value(key)}


def _is_the_roles(seen: Observation, password: str | None) -> bool | None:
    server = seen.postgres if isinstance(seen.postgres, Server) else None
    if server is None or server.down or server.starting or not password:
        return None
    return server.role.accepts(password) if server.role else False


def _instead(seen: Observation, state: EnvFileState, key: str, wanted: Wanted) -> str | None:
    """Give the value that belongs there: never one that must be kept, unless it is in force."""
    secret = wanted.password if isinstance(wanted, DatabaseUrl) else wanted
    made = isinstance(secret, Secret) and secret.source == "generated"
    if isinstance(wanted, DatabaseUrl):
        address = database_url.parse(state.value(key) or "")
        new = dataclasses.replace(address, password=make_value())
        return database_url.build(new) if made else None
    running = seen.in_process(key)
    if running is not None and not is_placeholder(running):
        return running
    return make_value() if made else None


def _fix(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    for declared, state in readable(backend, seen):
        for left, key, wanted in _left_in(backend, seen):
            value = _instead(seen, state, key, wanted) if left is state else None
            if finding.subject == f"{state.path}:{key}" and value is not None:
                yield written(backend, declared, state, {key: value})


PLACEHOLDER = Fault(
    "env_file.placeholder",
    _detect,
    _fix,
    about="a secret is a placeholder that was left in from an example",
    remedy="one that may be generated, and is in force nowhere, is made; else you are asked for it",
    check=("grep -niE '=.?(change|replace|your|<|x{3}|secret|password)' ENV_FILE | cut -d = -f 1",),
)
