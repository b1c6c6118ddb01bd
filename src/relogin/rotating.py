"""The rotation of a secret: what it is about, what it was confirmed as, and what it came to."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING

from relogin import run
from relogin.database_url import DatabaseUrlError, parse
from relogin.parts.configuration import DatabaseUrl, FromEnv, FromParts
from relogin.parts.part import suggest
from relogin.secret import Secret
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

    from relogin.backend import Backend
    from relogin.facts.proof import Check
    from relogin.facts.rotation import Rotation


class Kind(enum.Enum):
    """What a key is for."""

    TOKENS = "the secret that signs the tokens"
    DATABASE = "the database's password"
    CODE = "a code that requests carry"


class Outcome(enum.Enum):
    """What a rotation came to."""

    NONE = "not known"
    REFUSED = "nothing was changed"
    UNCONFIRMED = "not confirmed: nothing was changed"
    PLANNED = "planned"
    ALREADY = "rotated already: nothing was changed"
    RETIRED = "the former secret is taken out"
    ROTATED = "rotated and proven"
    BACK = "taken back"
    NEITHER = "neither the new nor the former value is proven"
    UNKNOWN = "its outcome is not known"


GOOD = frozenset({Outcome.PLANNED, Outcome.ALREADY, Outcome.RETIRED, Outcome.ROTATED})


@dataclass(frozen=True)
class Rotated:
    """A key that can be rotated: its kind, and where the next value comes from."""

    key: str
    kind: Kind
    source: Secret

    def of(self, value: str | None) -> str | None:
        """Give the secret in a key's value: of a database URL its password."""
        if self.kind is not Kind.DATABASE or value is None or "://" not in value:
            return value
        try:
            return parse(value).password
        except DatabaseUrlError:
            return None


@dataclasses.dataclass(repr=False)
class Rotating:
    """What is known of the rotation of one backend's secret on one host.

    `what` is the key that was asked for, `rotation` what the host said of it. `failed` is what
    did, `plan` what would be done and come of it, `checks` what was tried with the former value.
    """

    entry: run.Entry
    what: Rotated | None = None
    rotation: Rotation | None = None
    outcome: Outcome = Outcome.NONE
    failed: str = ""
    plan: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


def of(state: State, host: Host, backend: Backend) -> Rotating:
    """Give the record that belongs to one backend on one host."""
    rotations = run.of(state).rotations
    key = host.name, backend.name
    if key not in rotations:
        rotations[key] = Rotating(run.entry(state, host, backend))
    return rotations[key]


def meant(backend: Backend, key: str) -> Rotated | str:
    """Give what a key is; in one line why it cannot be rotated."""
    known = [name for name in _keys(backend) if _source(backend, name) is not None]
    if not key:
        return f"say which secret: --data key=…{suggest('', known)}"
    if key not in known:
        return f"{key} is no secret of {backend.name}'s env files{suggest(key, known)}"
    if backend.login is None:
        return "the backend declares no login: nobody could prove that the new value works"
    if backend.service is None:
        return "the backend declares no service: nobody could restart it"
    source = _source(backend, key)
    assert source is not None  # noqa: S101 # it is known
    kind = _kind(backend, key)
    if source.source == "kept":
        return (
            f"{key} is declared Secret.kept(): nobody may make it up; declare where the new value"
            " comes from (Secret.env, .file, .command), or that it may be made (Secret.generated)"
        )
    if kind is Kind.DATABASE and (backend.database is None or backend.database.admin is None):
        return "the role's password is set by the database's administrator: Postgres(admin=…)"
    return Rotated(key, kind, source)


def number(confirmed: str, host: str, key: str) -> int | None:
    """Give which rotation was confirmed: HOST/KEY is the first one, HOST/KEY/2 the second one.

    Of several, by commas, that of this host and key counts; None where there is none.
    """
    for one in confirmed.split(","):
        if one == f"{host}/{key}":
            return 1
        head, _, last = one.rpartition("/")
        if head == f"{host}/{key}" and last.isdecimal():
            return int(last)
    return None


def word(host: str, key: str, number: int) -> str:
    """Give what confirms a rotation."""
    return f"{host}/{key}" + (f"/{number}" if number > 1 else "")


def _keys(backend: Backend) -> dict[str, None]:
    return dict.fromkeys(key for file in backend.env_files for key in file.keys)


def _source(backend: Backend, key: str) -> Secret | None:
    declared = backend.declared(key)
    if isinstance(declared, DatabaseUrl):
        return declared.password
    return declared if isinstance(declared, Secret) else None


def _kind(backend: Backend, key: str) -> Kind:
    if backend.token is not None and backend.token.secret == FromEnv(key):
        return Kind.TOKENS
    url = backend.database.url if backend.database else None
    if isinstance(backend.declared(key), DatabaseUrl) or url == FromEnv(key):
        return Kind.DATABASE
    return Kind.DATABASE if isinstance(url, FromParts) and url.password == key else Kind.CODE
