"""Ensure that the env files have their declared keys and are readable by nobody else."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import database_url, env_text, undo
from relogin.facts.env_file import EnvFileState
from relogin.facts.file import FileMeta
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.mend import mend
from relogin.parts.configuration import DatabaseUrl, EnvFile, FromEnv
from relogin.secret import Secret, make_value

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

Pair = tuple[EnvFile, EnvFileState]


def _readable(backend: Backend, seen: Observation) -> list[Pair]:
    pairs = zip(backend.env_files, seen.env_files, strict=True)
    return [(declared, state) for declared, state in pairs if isinstance(state, EnvFileState)]


def _own_keys(backend: Backend, declared: EnvFile) -> list[str]:
    """Give the keys that this layer minds; the JWT secret has a layer of its own."""
    secret = backend.token.secret if backend.token else None
    return [key for key in declared.keys if FromEnv(key) != secret]


def _detect_missing(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for declared, state in zip(backend.env_files, seen.env_files, strict=True):
        if state is None:
            yield Finding(
                f"{declared.path} does not exist",
                subject=declared.path,
                remedy="put it back from a backup; relogin then checks every declared key",
            )


def _detect_keys(backend: Backend, seen: Observation, *, empty: bool) -> Iterator[Finding]:
    for declared, state in _readable(backend, seen):
        for key in _own_keys(backend, declared):
            there = key in state.values
            if there is empty and not state.value(key) and declared.keys[key] != "":
                yield _lacking(backend, seen, declared, key, "is empty" if empty else "is missing")


def _lacking(
    backend: Backend, seen: Observation, declared: EnvFile, key: str, what: str
) -> Finding:
    value, source = recovered(backend, seen, declared, key)
    return Finding(
        f"{key} {what} in {declared.path}",
        subject=f"{declared.path}:{key}",
        expected=_expected(declared.keys[key]),
        remedy=f"it is written: {source}" if value else f"nobody but you knows it: set {key}",
        by_person=value is None,
    )


def recovered(
    backend: Backend, seen: Observation, declared: EnvFile, key: str
) -> tuple[str | None, str]:
    """Give the value that a lost key gets, and where it comes from; None where it is nowhere.

    A value that is declared is that; any other is put back from where it is still in force, and
    only a generated one that is nowhere is made anew.
    """
    wanted = declared.keys[key]
    if isinstance(wanted, str):
        return wanted, "the declared value"
    if isinstance(wanted, Secret) and wanted.declared:
        return wanted.reveal(), f"from {wanted!r}"
    if (running := seen.in_process(key)) is not None:
        return running, "from the running process"
    if (elsewhere := seen.env(key)) is not None:
        return elsewhere, "from another env file of the backend"
    secret = wanted.password if isinstance(wanted, DatabaseUrl) else wanted
    if secret.source == "kept":
        return None, ""
    made = secret.reveal() if secret.declared else make_value()
    said = f"with the password of {secret!r}" if secret.declared else "made anew"
    return (_built(wanted, made) if isinstance(wanted, DatabaseUrl) else made), said


def _built(wanted: DatabaseUrl, password: str) -> str:
    fields = ("driver", "user", "host", "port", "database", "query")
    known = {name: getattr(wanted, name) for name in fields}
    return database_url.build(database_url.DatabaseAddress(password=password, **known))


def _expected(wanted: str | Secret | DatabaseUrl) -> str:
    if isinstance(wanted, DatabaseUrl):
        return f"user {wanted.user}, database {wanted.database}, {wanted.host}:{wanted.port}"
    return repr(wanted) if isinstance(wanted, Secret) else _plain(wanted)


def _detect_not_declared(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for declared, state in _readable(backend, seen):
        for key in _own_keys(backend, declared):
            found = state.value(key)
            wanted = declared.keys[key]
            if not found:
                continue
            corrected, differs = _corrected(wanted, found)
            if differs:
                yield Finding(
                    f"{key} in {declared.path} is not the declared value",
                    subject=f"{declared.path}:{key}",
                    seen=differs,
                    expected=_expected(wanted),
                    remedy="the declared value is written"
                    if corrected
                    else f"correct {key} by hand: its password is not declared",
                    by_person=corrected is None,
                )


def _corrected(wanted: str | Secret | DatabaseUrl, found: str) -> tuple[str | None, str]:
    """Give the value that should be there, and how the one that is there differs ('' if not)."""
    if isinstance(wanted, DatabaseUrl):
        return _corrected_url(wanted, found)
    if isinstance(wanted, Secret):
        if not wanted.declared or wanted.reveal() == found:
            return found, ""
        marks = f"{Secret.seen(found).fingerprint()}, declared {wanted.fingerprint()}"
        return wanted.reveal(), f"{len(found)} characters, fingerprint {marks}"
    return wanted, "" if wanted == found else _plain(found)


def _plain(text: str) -> str:
    """Show what is declared as plain text, and so is no secret; long ones by their length."""
    return repr(text) if len(text) < 40 else f"{len(text)} characters"


def _corrected_url(wanted: DatabaseUrl, found: str) -> tuple[str | None, str]:
    password = wanted.password.reveal() if wanted.password.declared else None
    try:
        address = database_url.parse(found)
    except database_url.DatabaseUrlError as error:
        return (_built(wanted, password) if password else None), f"it cannot be parsed: {error}"
    there = dataclasses.replace(address, port=address.port or 5432)  # libpq's default
    right = {name: getattr(wanted, name) for name in ("user", "database", "host", "port")}
    differs = [
        f"{name} {getattr(there, name)}" for name in right if getattr(there, name) != right[name]
    ]
    if password is not None and address.password != password:
        right["password"] = password
        differs.append("another password")
    if not address.password and password is None:
        if wanted.password.source == "kept":
            return None, ", ".join([*differs, "no password"])
        right["password"] = make_value()
        differs.append("no password")
    if not differs:
        return found, ""
    return database_url.build(dataclasses.replace(address, **right)), ", ".join(differs)


def _fix_keys(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Write every key of the file that needs it, in one go."""
    for declared, state in _readable(backend, seen):
        if finding.subject.rpartition(":")[0] != declared.path:
            continue
        values = {
            key: value
            for key in _own_keys(backend, declared)
            if (value := _due(backend, seen, declared, state, key)) is not None
        }
        yield written(backend, declared, state, values)


def _due(
    backend: Backend, seen: Observation, declared: EnvFile, state: EnvFileState, key: str
) -> str | None:
    found = state.value(key)
    if found is None:
        lacking = declared.keys[key] != "" or key not in state.values
        return recovered(backend, seen, declared, key)[0] if lacking else None
    corrected, differs = _corrected(declared.keys[key], found)
    return corrected if differs else None


def written(
    backend: Backend, declared: EnvFile, state: EnvFileState, values: dict[str, str]
) -> Change:
    """Give the change that writes keys of an env file, every other byte kept.

    Raises:
        env_text.Unwritable: no form of a value is read alike by every declared reader.
    """
    try:
        text = env_text.with_values(state.text, values, declared.readers)
    except env_text.Unwritable as error:
        raise env_text.Unwritable(f"{declared.path}: {error}") from None
    keys = ", ".join(sorted(values))
    return Change(undo.replaced_file(backend, state, text), f"{declared.path}: write {keys}")


def _detect_readable_by_others(backend: Backend, seen: Observation) -> Iterator[Finding]:
    user = getattr(seen.service, "user", None)
    for declared, state in _readable(backend, seen):
        if not state.meta.mode & 0o007:
            continue
        needed = _needs_rights_of_others(user, state.meta)
        reads_itself = "python-dotenv" in declared.readers
        yield Finding(
            f"{declared.path} can be read by every user of the host",
            subject=declared.path,
            seen=f"mode {state.meta.mode:04o}, owner {state.meta.owner}",
            expected=f"mode {state.meta.mode & ~0o007:04o}",
            remedy=f"chown it to {user} first: the backend reads it as that user"
            if needed and reads_itself
            else "the rights of others are taken away",
            by_person=needed and reads_itself,
        )


def _needs_rights_of_others(user: str | None, meta: FileMeta) -> bool:
    """Tell whether a user can only read a file as everybody can; of others' groups we know none."""
    by_group = user == meta.group and meta.mode & 0o040
    return not (user in {None, "", "root", meta.owner} or by_group)


def _fix_readable_by_others(
    backend: Backend, seen: Observation, finding: Finding
) -> Iterator[Change]:
    for declared, state in _readable(backend, seen):
        if declared.path == finding.subject:
            yield Change(
                undo.narrowed(backend, state), f"{declared.path}: take the rights of others away"
            )


MISSING = Fault("env_file.missing", _detect_missing, about="an env file does not exist")
KEY_MISSING = Fault(
    "env_file.key-missing",
    lambda b, s: _detect_keys(b, s, empty=False),
    _fix_keys,
    about="a declared key is missing",
)
KEY_EMPTY = Fault(
    "env_file.key-empty",
    lambda b, s: _detect_keys(b, s, empty=True),
    _fix_keys,
    about="a declared key is empty",
)
KEY_NOT_DECLARED_VALUE = Fault(
    "env_file.key-not-declared-value",
    _detect_not_declared,
    _fix_keys,
    about="a key has another value than declared",
)
READABLE_BY_OTHERS = Fault(
    "env_file.readable-by-others",
    _detect_readable_by_others,
    _fix_readable_by_others,
    severity=Severity.WARNING,
    about="every user of the host can read the env file",
)
FAULTS = (MISSING, KEY_MISSING, KEY_EMPTY, KEY_NOT_DECLARED_VALUE, READABLE_BY_OTHERS)


@operation()
def keys(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the env files have their declared keys.

    + backend: the backend, as described
    """
    yield from mend(backend, FAULTS)
