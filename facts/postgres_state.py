"""What PostgreSQL is, as its administrator sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from hashlib import sha256
from typing import Any

from relogin import scram
from relogin.facts.hba import Rule
from relogin.finding import Unreadable
from relogin.values import dataclass


@dataclass(frozen=True)
class Target:
    """Name the role and database that are looked at, and where the URL says that they are.

    `host` is empty where it names none: libpq then takes a unix socket. `options` are those of its
    query that change how a session begins.
    """

    role: str
    database: str
    port: int
    host: str = "127.0.0.1"
    sslmode: str = "prefer"
    options: str = ""


@dataclass(frozen=True)
class Role:
    """A role; its verifier itself never leaves the host, only a proof that tells a match.

    `limit` is how many connections it may have (-1: any number), `used` how many it has;
    `days_left` is until its password expires, None where it never does.
    """

    name: str
    can_login: bool
    kind: str
    salt: str
    iterations: int
    nonce: str
    proof: str = field(repr=False)
    superuser: bool = False
    limit: int = -1
    used: int = 0
    expired: bool = False
    days_left: float | None = None

    def accepts(self, password: str) -> bool | None:
        """Tell whether the stored verifier fits a password; None for a kind we cannot judge."""
        if self.kind == "none":
            return False
        if self.kind == "md5":
            return self._proves(scram.md5_verifier(password, self.name).encode())
        if self.kind == "scram":
            keys = scram.scram_stored_keys(password, self.salt, self.iterations)
            return any(self._proves(key) for key in keys)
        return None

    def _proves(self, key: bytes) -> bool:
        return sha256(self.nonce.encode() + key).hexdigest() == self.proof


@dataclass(frozen=True)
class Database:
    """A database: who owns it, whether it takes connections and how many, of this role too.

    A `limit` of -2 is what an interrupted DROP DATABASE leaves: it cannot be entered any more.
    """

    name: str
    owner: str
    open: bool
    connect: bool | None
    limit: int = -1
    used: int = 0


@dataclass(frozen=True)
class Setting:
    """A setting that the backend's sessions begin with: for its role, in its database, or both.

    With neither it is for everybody; `file` is then the configuration file that has it, or None if
    it is in the catalogue (ALTER ROLE ALL).
    """

    name: str
    value: str
    of_role: bool = False
    in_database: bool = False
    file: str | None = None

    @property
    def strength(self) -> tuple[bool, bool, bool]:
        """The stronger one wins (PostgreSQL docs, ALTER ROLE)."""
        return self.file is None, self.of_role, self.in_database


@dataclass(frozen=True)
class Index:
    """An index of a needed table that is not valid, or whose collation has another version now."""

    name: str
    table: str
    sound: bool
    unique: bool
    collation: str | None


@dataclass(frozen=True)
class Lock:
    """A session that keeps everybody from reading a needed table; `seconds` is how long by now."""

    pid: int
    user: str
    application: str
    state: str
    seconds: int


@dataclass(frozen=True)
class Behind:
    """A sequence whose next value is already taken in the column that it belongs to."""

    sequence: str
    table: str
    column: str


@dataclass(frozen=True)
class Contents:
    """The backend's database from within: what is in the declared schema, and who may use it.

    `names` are its tables, `schemas` all those with a table of a needed name. `usage` and `create`
    are the role's rights to the schema, None where one of the two does not exist. `closed` and
    `closed_sequences` are needed ones that the role may not use. `shielded` are needed tables
    whose row security holds for the role, with the conditions of their policies.
    """

    names: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    usage: bool | None = None
    create: bool | None = None
    closed: tuple[str, ...] = ()
    closed_sequences: tuple[str, ...] = ()
    shielded: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    locks: tuple[Lock, ...] = ()
    indexes: tuple[Index, ...] = ()
    behind: tuple[Behind, ...] = ()


_NO_SUPERUSER = (
    "the administrator is no superuser: the role's password, pg_hba.conf and the server's files"
    " were not compared"
)


@dataclass(frozen=True)
class Server:
    """The server, where it answers its administrator.

    `down` is True where nothing answers on its port or socket at all, and `starting` where it lets
    nobody in yet, or no more; nothing else is known then but its `clusters` (pg_lsclusters).
    `unreached` is True where nothing answers at the URL's own address. `room` is how many
    connections it has for backends, `used` how many there are, `holders` whose most of them are:
    number, role, application. `role` and `database` are None where there is none of that name,
    `contents` where the database could not be entered. `hba_unread` tells that pg_hba.conf was
    changed since the server has read it. `hidden` is True where the administrator is no superuser:
    the role's verifier, the configuration files and pg_hba.conf are not known then. `client` is the
    address from which the server sees this host, where it is another machine's.
    """

    target: Target
    down: bool = False
    starting: bool = False
    clusters: tuple[str, ...] = ()
    unreached: bool = False
    version: int = 0
    in_recovery: bool = False
    ssl: bool = False
    room: int = 0
    used: int = 0
    holders: tuple[tuple[int, str, str], ...] = ()
    role: Role | None = None
    similar_roles: tuple[str, ...] = ()
    database: Database | None = None
    databases: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    hba: tuple[Rule, ...] = ()
    hba_file: str = "pg_hba.conf"
    hba_unread: bool = False
    hidden: bool = False
    client: str | None = None
    contents: Contents | None = None

    @property
    def unseen(self) -> Unreadable | None:
        """Say what was not seen of a server that was."""
        return Unreadable(_NO_SUPERUSER) if self.hidden else None

    def setting(self, name: str) -> Setting | None:
        """Give the setting that a new session of the backend begins with, if any is set."""
        found = [setting for setting in self.settings if setting.name == name]
        return max(found, key=lambda setting: setting.strength, default=None)

    def to_json(self) -> dict[str, Any]:
        role = self.role and {"can_login": self.role.can_login, "password": self.role.kind}
        database = self.database and {"owner": self.database.owner, "open": self.database.open}
        return {
            "down": self.down,
            "version": self.version,
            "in_recovery": self.in_recovery,
            "role": role,
            "database": database,
            "databases": list(self.databases),
            "tables": None if self.contents is None else list(self.contents.names),
        }
