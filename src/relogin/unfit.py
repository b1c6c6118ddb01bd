"""Refuse what no reader or scheme can carry, once its value is known and before anything changes.

What the profile itself says is judged when it loads (`parts`), by the same limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin import carried, passwords
from relogin.facts import elsewhere
from relogin.facts.accounts import Table
from relogin.parts.configuration import DatabaseUrl, FromEnv
from relogin.secret import Secret, SecretMissing

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def unresolved(backend: Backend) -> str | None:
    """Say in one line which secrets have no value, or one that cannot go where it has to."""
    return "; ".join(problems(backend)) or None


def problems(backend: Backend) -> tuple[str, ...]:
    """Give a line for each secret that has no value, or one that cannot go where it has to."""
    missing: dict[str, None] = {}
    for secret in backend.secrets():
        try:
            secret.reveal()
        except SecretMissing as error:
            missing[str(error)] = None
    return tuple(missing or dict.fromkeys(_unfit(backend)))


def beyond_the_scheme(backend: Backend, seen: Observation) -> str | None:
    """Say in one line which passwords the scheme of the users table does not take."""
    accounts = backend.accounts
    if accounts is None or not isinstance(seen.accounts, Table):
        return None
    scheme = accounts.scheme or seen.accounts.scheme or "bcrypt"
    return "; ".join(_passwords(backend, scheme)) or None


def beyond_any_scheme(backend: Backend) -> str | None:
    """Say in one line which passwords the strictest scheme does not take, before any was seen."""
    known = backend.accounts is None or backend.accounts.scheme is not None  # then it was judged
    return None if known else "; ".join(_passwords(backend, "bcrypt")) or None


def _unfit(backend: Backend) -> Iterator[str]:
    for file in backend.env_files:
        for key, value in file.keys.items():
            if isinstance(value, DatabaseUrl):
                yield from _database_password(f"{file.path}: {key}", value.password)
            elif (found := _known(value)) and (problem := file.unfit(found)):
                yield f"{file.path}: {key}: {value!r}: {problem}"
    if (admin := elsewhere.admin_url(backend)) and (problem := elsewhere.unfit(admin)):
        yield f"AdminUrl: {admin.url!r}: {problem}"
    yield from _headers(backend)
    if backend.accounts is not None and backend.accounts.scheme is not None:
        yield from _passwords(backend, backend.accounts.scheme)


def _database_password(where: str, password: Secret | None) -> Iterator[str]:
    if "\0" in (_known(password) or ""):
        yield f"{where}: {password!r} has a NUL, which PostgreSQL does not take"


def _headers(backend: Backend) -> Iterator[str]:
    for name, value in backend.login.headers.items() if backend.login else ():
        source = backend.declared(value.key) if isinstance(value, FromEnv) else value
        if (found := _known(source)) and (problem := carried.header(found)):
            yield f"header {name}: {value!r} {problem}"


def _passwords(backend: Backend, scheme: str) -> Iterator[str]:
    for account in backend.accounts.present if backend.accounts else ():
        password = _known(account.password)
        if password is not None and (problem := passwords.unfit(password, scheme)):
            yield f"account {account.login}: {account.password!r}: {problem}"


def _known(value: object) -> str | None:
    """Give the value of a secret that is declared, and the text of what is none."""
    if isinstance(value, Secret):
        return value.reveal() if value.declared else None
    return value if isinstance(value, str) else None
