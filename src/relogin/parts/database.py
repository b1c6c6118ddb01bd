"""The backend's database, its schema, and the accounts in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from relogin import carried
from relogin.parts.configuration import FromEnv, FromParts
from relogin.parts.health import Health
from relogin.parts.part import (
    absolute,
    command,
    fillable,
    fits,
    listed,
    mapped,
    part,
    refuse_unless,
    suggest,
    web_address,
)
from relogin.secret import Secret


@part
class Peer:
    """Reach PostgreSQL as its administrator by psql on the host, as an operating-system user."""

    os_user: str = "postgres"
    role: str | None = None
    socket: str | None = None
    port: int | None = None
    psql: str = "psql"

    def __post_init__(self) -> None:
        fits("Peer: os_user", carried.os_user, self.os_user)
        fits("Peer: role", carried.sql_name, self.role)


@part
class AdminUrl:
    """Reach a PostgreSQL that is elsewhere as its administrator, by psql on the host.

    `url` is a connection URL as psql takes it, with the password. Its user need not be a superuser:
    what that one may not see is said, and is not mended.
    """

    url: Secret
    psql: str = "psql"

    def __post_init__(self) -> None:
        refuse_unless(
            isinstance(self.url, Secret) and self.url.declared,
            "AdminUrl: url must be a Secret (Secret.env, .file or .command)",
        )


@part
class Postgres:
    """Name the backend's database; `admin` is how the administrator's view is had.

    Without one (None) the server, the tables, migrations and accounts are neither seen nor mended.
    `health` is what a check of the whole database goes by.
    """

    url: FromEnv | FromParts | Secret
    schema: str = "public"
    tables: tuple[str, ...] = ()
    admin: Peer | AdminUrl | None = dataclasses.field(default_factory=Peer)
    health: Health = dataclasses.field(default_factory=Health)

    def __post_init__(self) -> None:
        listed(self, "tables")
        fits("Postgres", carried.sql_name, self.schema, *self.tables)
        refuse_unless(
            isinstance(self.url, FromEnv | FromParts | Secret),
            "Postgres: url must be FromEnv(KEY), FromParts(…) or a Secret",
        )
        refuse_unless(
            self.admin is None or isinstance(self.admin, Peer | AdminUrl),
            "Postgres: admin must be Peer(…), AdminUrl(SECRET) or None",
        )
        refuse_unless(isinstance(self.health, Health), "Postgres: health must be Health(…)")


@part
class Alembic:
    """Run migrations by Alembic; relative words of `command` are relative to `directory`.

    The command runs as the owner of that folder, and what it needs of the environment it has to
    find there (the backend's own `.env`). Of a Docker Compose project the folder is one in the
    backend's container, and the command runs there. `version_table` is Alembic's table of that
    name.
    """

    directory: str
    command: str = "alembic upgrade head"
    version_table: str = "alembic_version"

    def __post_init__(self) -> None:
        absolute("Alembic", self.directory)
        command("Alembic: command", self.command)

    @property
    def to_stamp(self) -> str:
        """How a revision is recorded without running it."""
        return "alembic stamp REVISION"

    @property
    def to_merge(self) -> str:
        """How several heads become one."""
        return "alembic merge heads"


@part
class Django:
    """Run Django's migrations; `directory` is where manage.py is, and `command` relative to it.

    The command runs as the owner of that folder, and what it needs of the environment it has to
    find there. Applications that only a library brings are seen in the backend's `Venv`. Of a
    Docker Compose project the folder is one in the backend's container, and the command runs there.
    """

    directory: str
    command: str = "python manage.py migrate"
    version_table: str = "django_migrations"

    def __post_init__(self) -> None:
        absolute("Django", self.directory)
        command("Django: command", self.command)

    @property
    def to_stamp(self) -> str:
        """How a migration is recorded without running it."""
        return "manage.py migrate --fake APP NAME"

    @property
    def to_merge(self) -> str:
        """How several heads become one."""
        return "manage.py makemigrations --merge"


@part
class Columns:
    """Name the columns of the users table; what it does not have is None."""

    id: str = "id"
    login: str = "username"
    email: str | None = "email"
    password: str = "hashed_password"  # noqa: S105 # the name of a column
    active: str | None = "is_active"
    admin: str | None = "is_admin"
    verified: str | None = None
    locked: str | None = None

    def __post_init__(self) -> None:
        fits("Columns", carried.sql_name, *vars(self).values())


@part
class Account:
    """Declare a person who must be able to log in."""

    login: str
    email: str | None = None
    password: Secret | None = None
    admin: bool = False
    enforce_password: bool = False

    def __post_init__(self) -> None:
        refuse_unless(
            self.password is None or isinstance(self.password, Secret),
            f"Account({self.login!r}): password must be a Secret (Secret.env, .file or .command)",
        )


@part
class Uuid:
    """Stand for a UUID that is made for each new row, where the table itself makes none."""


@part
class Register:
    """Have the backend make an account by the request that people register with.

    It is sent as the host itself would, when the account is missing and the backend runs. `fields`
    may hold `{login}`, `{email}` and `{password}`, which is a throw-away one: the declared one
    follows as a hash.
    """

    url: str
    body: str = "json"
    fields: Mapping[str, str] = dataclasses.field(
        default_factory=lambda: {"email": "{login}", "password": "{password}"}
    )
    headers: Mapping[str, str | Secret | FromEnv] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        web_address("Register: url", self.url)
        known = {"form", "json"}
        refuse_unless(self.body in known, f"Register: body is {self.body!r}; it is form or json")
        fits("Register: headers", carried.header_name, *self.headers)
        for name, template in self.fields.items():
            fillable(f"Register: field {name!r}", template, ("login", "email", "password"))


@part
class Accounts:
    """Declare the users table and who must be in it.

    `values` are further columns of an INSERT (a time may be "now"); `create` is the backend's own
    command instead, with `{login}`, `{email}` and `{password}` (it gets a throw-away one), or a
    request (`Register`). Of a Docker Compose project the command runs in the backend's container.
    """

    table: str = "users"
    columns: Columns = dataclasses.field(default_factory=Columns)
    values: Mapping[str, str | int | bool | Uuid] = dataclasses.field(default_factory=dict)
    scheme: str | None = None
    create: str | Register | None = None
    present: tuple[Account, ...] = ()

    def __post_init__(self) -> None:
        listed(self, "present")
        logins = [account.login for account in self.present]
        for login in logins:
            refuse_unless(logins.count(login) == 1, f"Accounts: {login!r} is declared twice")
        mapped("Accounts: values", self.values, '{"column": "its value"}')
        fits("Accounts", carried.sql_name, self.table, *self.values)
        if self.scheme is not None:
            self._refuse_unfit(self.scheme)
        if isinstance(self.create, str):
            command("Accounts: create", self.create)
            fillable("Accounts: create", self.create, ("login", "email", "password"))

    def _refuse_unfit(self, scheme: str) -> None:
        from relogin import passwords

        known = passwords.SCHEMES
        refuse_unless(
            scheme in known, f"Accounts: no scheme {scheme!r} can be made{suggest(scheme, known)}"
        )
        for account in self.present:
            if account.password is not None and account.password.source == "seen":  # a literal one
                problem = passwords.unfit(account.password.reveal(), scheme)
                refuse_unless(problem is None, f"Account({account.login!r}): password: {problem}")
