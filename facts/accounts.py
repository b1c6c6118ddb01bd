"""The rows of the users table that the profile declares."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gevent import get_hub
from pyinfra.api import FactBase

from relogin import passwords, sql
from relogin.facts import alone, postgres
from relogin.finding import Unreadable
from relogin.parts.database import Columns, Peer
from relogin.secret import Secret

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.backend import Backend
    from relogin.remote import Answer


@dataclass(frozen=True)
class UserRow:
    """One account; `password` is its stored hash, which no output can hold.

    `active` and `admin` are None where there is no such column, or where it is NULL.
    """

    id: str
    login: str
    email: str | None
    active: bool | None
    admin: bool | None
    password: Secret | None

    @property
    def hash(self) -> passwords.Hash:
        return passwords.recognise(self.password.reveal() if self.password else None)

    def accepts(self, password: str) -> bool | None:
        """Tell whether a password fits the stored hash; None for a scheme we cannot judge."""
        return _fits(password, self.password.reveal()) if self.password else False


@functools.cache
def _fits(password: str, stored: str) -> bool | None:
    """Judge once, and in a thread: bcrypt takes 0.2 s on purpose, in which other hosts go on."""
    judged: bool | None = get_hub().threadpool.apply(passwords.verify, (password, stored))
    return judged


@dataclass(frozen=True)
class Table:
    """The users table: its columns, and its rows that match a declared login (letter case aside).

    `columns` is None where there is no such table, `rows` where a declared column is missing.
    `scheme` is that of the newest hash in the table.
    """

    columns: tuple[str, ...] | None
    rows: tuple[UserRow, ...] | None = None
    scheme: str | None = None

    def row(self, login: str) -> UserRow | None:
        """Give the row of exactly this login."""
        found = [row for row in self.rows or () if row.login == login]
        return found[0] if found else None


def select(backend: Backend) -> str:
    """Give the statements that fetch the declared accounts, for the session of the look."""
    declared = backend.accounts
    if declared is None:
        return ""
    wanted = [sql.literal(account.login) for account in declared.present] or ["''"]
    columns = [name for name in _named(declared.columns).values() if name is not None]
    return sql.fill(
        _SELECT,
        schema=sql.literal(_schema(backend)),
        table=sql.literal(declared.table),
        wanted=", ".join(wanted),
        names=", ".join(map(sql.literal, columns)),
        count=str(len(columns)),
        fields=_fields(declared.columns),
        id=sql.name(declared.columns.id),
        login=sql.name(declared.columns.login),
        password=sql.name(declared.columns.password),
        relation=sql.name(_schema(backend), declared.table),
    )


def _schema(backend: Backend) -> str:
    return backend.database.schema if backend.database else "public"


_SELECT = """\
select jsonb_build_object('part', 'columns', 'names', (select jsonb_agg(attname order by attnum)
 from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped))
 from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = :schema: and c.relname = :table: and c.relkind in ('r', 'p', 'v');
select count(*) = :count: as whole from pg_attribute a join pg_class c on c.oid = a.attrelid
 join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = :schema: and c.relname = :table: and attname in (:names:) and attnum > 0 \\gset
\\if :whole
select jsonb_build_object('part', 'accounts',
 'rows', coalesce(jsonb_agg(jsonb_build_object(:fields:)), '[]'),
 'start', (select substring(:password: from '^([$]?[a-zA-Z0-9_-]+[$:])') from :relation:
   where :password: is not null order by :id: desc limit 1))
 from :relation: where lower(btrim(cast(:login: as text))) in
   (select lower(btrim(w)) from unnest(array[:wanted:]) w);
\\endif
"""


def _named(columns: Columns) -> dict[str, str | None]:
    names = ("id", "login", "email", "password", "active", "admin")
    return {name: getattr(columns, name) for name in names}


def _fields(columns: Columns) -> str:
    return ", ".join(
        f"'{field}', {'NULL' if name is None else sql.name(name) + '::text'}"
        for field, name in _named(columns).items()
    )


def parse(backend: Backend, answer: Answer) -> Table | Unreadable | None:
    """Take the accounts out of the answer of the database's part."""
    if backend.accounts is None:
        return None
    by_part = postgres.rows(answer)
    if "tables" not in by_part:
        return Unreadable("the database could not be entered")
    if "accounts" not in by_part and answer.status != 0:
        return Unreadable(f"psql ended with {answer.status} before it had shown the users table")
    if "columns" not in by_part:
        return Table(None)
    names = tuple(by_part["columns"]["names"])
    if "accounts" not in by_part:
        return Table(names)
    found = by_part["accounts"]
    rows = tuple(_row(row) for row in found["rows"])
    return Table(names, rows, passwords.scheme_of(found["start"]))


def _row(row: Mapping[str, Any]) -> UserRow:
    stored = row["password"]
    return UserRow(
        id=row["id"],
        login=row["login"],
        email=row["email"],
        active=_flag(row["active"]),
        admin=_flag(row["admin"]),
        password=None if stored is None else Secret.seen(stored),
    )


def _flag(text: str | None) -> bool | None:
    return None if text is None else text.lower() in {"t", "true", "1", "y", "yes", "active"}


class UserRows(FactBase[Any]):
    """Give the newest 100 users: id, login, e-mail, active, admin, and what kind of hash they have.

    + database: the backend's database
    + table, schema: where its users are
    + login, email, password, active, admin, id: the names of its columns
    + port, os_user: how the administrator's psql is run
    """

    def command(
        self,
        database: str,
        table: str = "users",
        schema: str = "public",
        id: str = "id",  # noqa: A002 # the column's name
        login: str = "username",
        email: str | None = "email",
        password: str = "hashed_password",  # noqa: S107 # the column's name
        active: str | None = "is_active",
        admin: str | None = "is_admin",
        port: int = 5432,
        os_user: str = "postgres",
    ) -> StringCommand:
        columns = Columns(id, login, email, password, active, admin)
        kind = sql.fill(_SOUNDNESS, password=sql.name(password))
        fields = _fields(columns).replace(f"{sql.name(password)}::text", kind)
        statements = sql.fill(
            sql.READ + _NEWEST,
            fields=fields,
            id=sql.name(id),
            relation=sql.name(schema, table),
        )
        peer = postgres.admin_command(Peer(os_user=os_user), port=port, database=database)
        return alone.command({"accounts": sql.psql(statements, command=peer)})

    def process(self, output: Iterable[str]) -> Any:
        return alone.parsed(output, "accounts", _newest)


# What leaves the host is the scheme and the length, never the hash.
_SOUNDNESS = """\
case when :password: is null then 'null' when :password: = '' then 'empty'
 when :password: ~ '^\\$2[abxy]\\$(0[4-9]|[12][0-9]|3[01])\\$[./A-Za-z0-9]{53}$' then 'bcrypt'
 when :password: ~ '^\\$argon2(id|i|d)\\$' then 'argon2'
 when :password: ~ '^(pbkdf2_sha256|scrypt|argon2|bcrypt(_sha256)?)\\$'
   then split_part(:password:, '$', 1)
 when :password: ~ '^(scrypt|pbkdf2):' then split_part(:password:, ':', 1)
 when :password: like '!%' then 'unusable' else 'not recognised' end
 || ', ' || coalesce(length(:password:), 0) || ' characters'"""

_NEWEST = """\
select jsonb_build_object('part', 'accounts', 'rows', coalesce(jsonb_agg(account), '[]'))
 from (select jsonb_build_object(:fields:) as account
   from :relation: order by :id: desc limit 100) newest;
"""


def _newest(answer: Answer) -> Any:
    found = postgres.rows(answer).get("accounts")
    if found is None:
        return Unreadable("the table could not be read by the administrator's psql")
    return found["rows"]
