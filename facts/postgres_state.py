"""What PostgreSQL is, as its administrator sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from relogin import scram


@dataclass(frozen=True)
class Target:
    """Name the role and database that are looked at, and the server's port."""

    role: str
    database: str
    port: int
    host: str = "127.0.0.1"


@dataclass(frozen=True)
class Role:
    """A role; its verifier itself never leaves the host, only a proof that tells a match."""

    name: str
    can_login: bool
    kind: str
    salt: str
    iterations: int
    nonce: str
    proof: str = field(repr=False)

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
    """A database: who owns it, whether it takes connections, whether the role may connect."""

    name: str
    owner: str
    open: bool
    connect: bool | None


@dataclass(frozen=True)
class Server:
    """The server, where it answers its administrator.

    `down` is True where nothing answers on its port or socket at all, and nothing else is known
    then. `role` and `database` are None where there is none of that name. `tables` are the names in
    the declared schema, None where the database could not be entered; `closed_tables` and
    `closed_sequences` are needed ones that the role may not use.
    """

    target: Target
    down: bool = False
    clusters: tuple[str, ...] = ()
    version: int = 0
    in_recovery: bool = False
    role: Role | None = None
    similar_roles: tuple[str, ...] = ()
    database: Database | None = None
    databases: tuple[str, ...] = ()
    tables: tuple[str, ...] | None = None
    closed_tables: tuple[str, ...] = ()
    closed_sequences: tuple[str, ...] = ()

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
            "tables": None if self.tables is None else list(self.tables),
        }
