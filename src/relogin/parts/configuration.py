"""Where the backend takes its settings from."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from relogin import carried
from relogin.parts.part import absolute, fits, listed, mapped, part, refuse, refuse_unless, suggest
from relogin.secret import Secret


@part
class FromEnv:
    """Take the value that the backend's env file has for a key."""

    key: str


@part
class FromParts:
    """Take the database's address from separate keys of the env file; what has no key is fixed.

    `host` and `port` are keys too, where `default_host` and `default_port` are for their absence.
    """

    user: str = "POSTGRES_USER"
    password: str = "POSTGRES_PASSWORD"  # noqa: S105 # the name of a key
    database: str = "POSTGRES_DB"
    host: str | None = None
    port: str | None = None
    default_host: str = "127.0.0.1"
    default_port: int = 5432

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that it takes something from."""
        named = (self.user, self.password, self.database, self.host, self.port)
        return tuple(key for key in named if key is not None)


@part
class DatabaseUrl:
    """Declare a DATABASE_URL whose parts are known and whose password is a secret.

    A generated password is never replaced while one is in force; a lost one is made anew and the
    role follows. `Secret.kept()` forbids that. None says that the server asks for no password
    (peer). A `host` that begins with `/` is the folder of the server's unix socket.
    """

    user: str
    database: str
    password: Secret | None = dataclasses.field(default_factory=Secret.generated)
    host: str = "127.0.0.1"
    port: int = 5432
    driver: str = "postgresql"
    query: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        fits("DatabaseUrl", carried.sql_name, self.user, self.database)
        refuse_unless(0 < self.port < 65536, f"DatabaseUrl: port {self.port} is not a port")
        refuse_unless(
            isinstance(self.password, Secret | None),
            "DatabaseUrl: password must be a Secret (.env, .file, .command, .generated, .kept)"
            " or None (peer)",
        )
        self._refuse_unfit()

    def _refuse_unfit(self) -> None:
        from relogin import database_url

        try:
            self.with_password("a")
        except database_url.DatabaseUrlError as error:
            refuse(f"DatabaseUrl: {error}")

    def with_password(self, password: str | None) -> str:
        """Give the URL, with this password in it."""
        from relogin import database_url

        fields = ("driver", "user", "host", "port", "database", "query")
        known = {name: getattr(self, name) for name in fields}
        return database_url.build(database_url.DatabaseAddress(password=password, **known))


@part
class EnvFile:
    """Name an env file and the keys that it must have: text, a `Secret`, or a `DatabaseUrl`.

    `readers` are those that have to read every value alike: python-dotenv (the backend itself),
    systemd (EnvironmentFile=), compose (env_file:, --env-file), sh (a start script). Of several
    files the last one wins. With the reader `systemd-unit` alone it is a unit file or drop-in, and
    its `Environment=` is meant.
    """

    path: str
    keys: Mapping[str, str | Secret | DatabaseUrl] = dataclasses.field(default_factory=dict)
    readers: tuple[str, ...] = ("python-dotenv", "systemd")
    owner: str | None = None
    mode: int = 0o600

    def __post_init__(self) -> None:
        listed(self, "readers")
        absolute("EnvFile", self.path)
        fits("EnvFile: owner", carried.os_user, self.owner)
        for reader in self.readers:
            known = ("python-dotenv", "systemd", "sh", "compose", "systemd-unit")
            refuse_unless(reader in known, f"EnvFile: no reader {reader!r}{suggest(reader, known)}")
        refuse_unless(
            len(self.readers) == 1 or not self.is_unit,
            f"EnvFile({self.path!r}): what systemd reads as a unit file has no other readers",
        )
        mapped("EnvFile: keys", self.keys, '{"NAME": "its value"}')
        for key, value in self.keys.items():
            refuse_unless(
                re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key),
                f"EnvFile: {key!r} is not a variable name",
            )
            refuse_unless(
                isinstance(value, str | Secret | DatabaseUrl),
                f"EnvFile: {key} must be text, a Secret or a DatabaseUrl",
            )
            if isinstance(value, str) and (problem := self.unfit(value)):
                refuse(f"EnvFile: {key}: {problem}")

    def unfit(self, value: str) -> str | None:
        """Say why a value has no form that every reader of the file reads alike, or None."""
        from relogin import env_text, unit_text

        return unit_text.unfit(value) if self.is_unit else env_text.unfit(value, self.readers)

    @property
    def is_unit(self) -> bool:
        return "systemd-unit" in self.readers
