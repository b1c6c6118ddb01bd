"""A backend, described: what pyinfra's host data holds, and what every fault is judged against."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import relogin
from relogin.parts.configuration import DatabaseUrl, EnvFile, FromEnv, FromParts
from relogin.parts.database import Account, Accounts, Alembic, Django, Postgres, Register
from relogin.parts.part import listed, part, refuse, refuse_unless, suggest
from relogin.parts.proof import Jwt, Login, Probe
from relogin.parts.runtime import Compose, Runtime, Supervisor, Systemd, Venv
from relogin.secret import Secret

if TYPE_CHECKING:
    from relogin.fault import Fault
    from relogin.parts.api import Api
    from relogin.parts.backup import Backup
    from relogin.parts.onboard import Onboard
    from relogin.parts.source import Source


@part
class Backend:
    """Describe one backend of a host; its name is its identity everywhere.

    What is left out is not looked at. `accepted` maps fault ids to the reason why they are shown
    but never fail: a run in which the login itself did not work fails all the same. `faults` are a
    user's own.

    Raises:
        ProfileError: it contradicts itself; the message names the inventory's file and line.
    """

    name: str
    service: Runtime | None = None
    login: Login | None = None
    env_file: EnvFile | tuple[EnvFile, ...] = ()
    venv: Venv | None = None
    database: Postgres | None = None
    migrations: Alembic | Django | None = None
    accounts: Accounts | None = None
    token: Jwt | None = None
    probes: tuple[Probe, ...] = ()
    accepted: Mapping[str, str] = dataclasses.field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    source: Source | None = None
    backup: Backup | None = None
    api: Api | None = None
    onboard: Onboard | None = None

    def __post_init__(self) -> None:
        listed(self, "env_file", "probes", "faults")
        refuse_unless(
            re.fullmatch(r"[A-Za-z0-9][\w.-]*", self.name),
            f"Backend: name {self.name!r} must be letters, digits, dots, dashes and underscores",
        )
        self._refuse_other_kinds()
        self._refuse_what_is_nowhere()
        if self.faults:
            _refuse_faults(self)

    def _refuse_other_kinds(self) -> None:
        rare = {
            name: (getattr(relogin, kind),)
            for name, kind in _RARE.items()
            if getattr(self, name) is not None
        }
        for name, kinds in (_KINDS | rare).items():
            value = getattr(self, name)
            for one in value if isinstance(value, tuple) else (value,):
                refuse_unless(
                    one is None or isinstance(one, kinds),
                    f"{self!r}: {name} is a {type(one).__name__}, "
                    f"expected {' or '.join(kind.__name__ for kind in kinds)}",
                )

    def _refuse_what_is_nowhere(self) -> None:
        declared = [key for file in self.env_files for key in file.keys]
        for key in self._keys_used():
            if key not in declared:
                what = f"FromEnv({key!r}) is in no env_file"
                refuse(f"{self!r}: {what}{suggest(key, declared)}")
        if self.accounts is not None and isinstance(self.accounts.create, Register):
            refuse_unless(self.login, f"{self!r}: Register needs a login, which says how to ask")
        present = [account.login for account in self.accounts.present] if self.accounts else []
        if self.login is not None and self.login.account not in present:
            what = f"account {self.login.account!r} is not in accounts.present"
            refuse(f"{self!r}: {what}{suggest(self.login.account, present)}")
        if self.login is not None and self.token is not None and self.token.subject == "email":
            login = self.login.account
            refuse_unless(
                self.account(login).email,
                f"{self!r}: Jwt(subject='email'), but account {login!r} has no email=…; where"
                " people log in with their address, it is subject='login'",
            )
        if self.api is not None:
            _refuse_api(self, self.api, present)

    def __repr__(self) -> str:
        return f"Backend({self.name!r})"

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def env_files(self) -> tuple[EnvFile, ...]:
        return self.env_file if isinstance(self.env_file, tuple) else (self.env_file,)

    @property
    def directory(self) -> str:
        """Where the backend's own commands run."""
        named = getattr(self.service, "working_directory", None)
        paths = [file.path for file in self.env_files] + ([self.venv.path] if self.venv else [])
        return named or (paths[0].rpartition("/")[0] if paths else "") or "/"

    def declared(self, key: str) -> str | Secret | DatabaseUrl | None:
        """Give what an env key was declared as (the last file wins, as it does for its reader)."""
        values = [file.keys[key] for file in self.env_files if key in file.keys]
        return values[-1] if values else None

    def public(self) -> set[str]:
        """Give the words that the description itself shows: no secret, wherever they turn up."""
        return {value for value in _walk(self) if isinstance(value, str)}

    def accepts(self, fault: str, part_of: str = "") -> str | None:
        """Give the reason for which a fault, or the wider one that it is part of, is accepted."""
        return self.accepted.get(fault, self.accepted.get(part_of))

    def account(self, login: str) -> Account:
        """Give the declared account of a login that is declared."""
        assert self.accounts is not None  # noqa: S101 # __post_init__ saw to it
        return next(account for account in self.accounts.present if account.login == login)

    def secrets(self) -> Iterator[Secret]:
        """Give every secret whose value has to come from the control machine.

        Those that only a probe of the API needs are no other run's business.
        """
        for field in dataclasses.fields(self):
            for value in _walk(getattr(self, field.name)) if field.name != "api" else ():
                if isinstance(value, Secret) and value.declared:
                    yield value

    def to_json(self) -> dict[str, Any]:
        return {field.name: _json(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def _keys_used(self) -> Iterator[str]:
        for value in _walk(self):
            if isinstance(value, FromEnv):
                yield value.key
            elif isinstance(value, FromParts):
                yield from value.keys


def _refuse_api(backend: Backend, api: Api, present: list[str]) -> None:
    """Refuse an API that is nowhere, or that is asked as nobody who could log in."""
    where = f"{backend!r}: api"
    at = api.url or backend.login
    refuse_unless(at, f"{where} has no url, and there is no login that it could be taken from")
    for login in sorted(api.accounts):
        known = f"{where}: account {login!r} is not in accounts.present{suggest(login, present)}"
        refuse_unless(login in present, known)
        refuse_unless(backend.login, f"{where}: account {login!r} needs a login to log in by")
        refuse_unless(
            backend.account(login).password, f"{where}: account {login!r} has no password declared"
        )


def _refuse_faults(backend: Backend) -> None:
    """Refuse own faults that no operation would mend, or that another one hides."""
    from relogin.fault import LAYERS, Fault

    seen: set[str] = set()
    for fault in backend.faults:
        what = f"{backend!r}: faults holds a {type(fault).__name__}, expected a Fault"
        refuse_unless(isinstance(fault, Fault), what)
        where = f"{backend!r}: fault {fault.id!r}"
        layer, _, rest = fault.id.partition(".")
        unknown = f"{where} must be named LAYER.WHAT-IS-WRONG, its layer{suggest(layer, LAYERS)}"
        refuse_unless(layer in LAYERS and rest, unknown)
        unmended = (
            f"{where} has a fix, but the login is only tried: give it the layer that it mends"
        )
        refuse_unless(layer not in {"login", "api"} or fault.fix is None, unmended)
        refuse_unless(fault.id not in seen, f"{where} is there twice")
        seen.add(fault.id)


_KINDS: dict[str, tuple[type, ...]] = {
    "service": (Systemd, Supervisor, Compose),
    "login": (Login,),
    "env_file": (EnvFile,),
    "venv": (Venv,),
    "database": (Postgres,),
    "migrations": (Alembic, Django),
    "accounts": (Accounts,),
    "token": (Jwt,),
    "probes": (Probe,),
}
# What few descriptions have is imported where one does, by the package's own name for it.
_RARE = {"source": "Source", "backup": "Backup", "api": "Api", "onboard": "Onboard"}


def _walk(value: object) -> Iterator[object]:
    yield value
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple):
        for item in value:
            yield from _walk(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, FromEnv):
        for field in dataclasses.fields(value):
            yield from _walk(getattr(value, field.name))


def _json(value: object) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {
            field.name: _json(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    return value
