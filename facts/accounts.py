"""The rows of the users table that the profile declares, and what could be taken for them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from gevent import get_hub
from pyinfra.api import FactBase

from relogin import passwords, sql
from relogin.facts import accounts_sql, alone, postgres, user_flags
from relogin.finding import Unreadable
from relogin.parts.database import Columns, Peer
from relogin.secret import Secret
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.backend import Backend
    from relogin.remote import Answer

select = accounts_sql.select


@dataclass(frozen=True)
class UserRow:
    """One account; `password` is its stored hash, which no output can hold.

    A flag (active, admin, verified, locked) is None where there is no such column, where it is
    NULL, or where its value cannot be understood; `stored` has the flags' values as text.
    """

    id: str
    login: str
    email: str | None
    active: bool | None
    admin: bool | None
    password: Secret | None
    verified: bool | None = None
    locked: bool | None = None
    stored: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def hash(self) -> passwords.Hash:
        return passwords.recognise(self.password.reveal() if self.password else None)

    @property
    def hash_length(self) -> int:
        return len(self.password.reveal()) if self.password else 0

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
    """The users table: its columns, and its rows that are declared or may be taken for those.

    `columns` is None where there is no such table, `rows` where a declared column is missing.
    `types` are those of the declared columns, `kinds` the values that the newest rows have in flags
    that are numbers or words. `scheme` is that of the newest hash in the table, `schemes` are
    those of all but the declared accounts. `broken` is how
    many of the newest rows have a hash that nobody can log in with (declared ones aside), and the
    ids of the first ten. `indexed` is how many declared logins their index finds, `visible` how
    many the backend's role sees where row security holds for it (None: it does not, or that could
    not be seen); `blank` tells that it sees none of the rows that are there.
    `unseen` says that of `rows` only those were found that are declared.
    """

    columns: tuple[str, ...] | None
    rows: tuple[UserRow, ...] | None = None
    scheme: str | None = None
    schemes: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    broken: tuple[int, tuple[str, ...]] = (0, ())
    indexed: int | None = None
    visible: int | None = None
    blank: bool = False
    unseen: Unreadable | None = None

    def row(self, login: str) -> UserRow | None:
        """Give the row of exactly this login."""
        return next(iter(self.rows_of(login)), None)

    def rows_of(self, login: str) -> list[UserRow]:
        """Give all rows of exactly this login."""
        return [row for row in self.rows or () if row.login == login]


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
    names, types = tuple(by_part["columns"]["names"]), by_part["columns"]["types"]
    named = accounts_sql.named(backend.accounts.columns)
    if set(filter(None, named.values())) - set(names):
        return Table(names, types=types)
    if "accounts" not in by_part:
        return Unreadable(
            "the users table could not be read: it is locked, damaged, or closed to us"
        )
    found = by_part["accounts"]
    unseen = _unseen(answer)
    if unseen is not None and not _has_every(backend, found["rows"]):
        return unseen
    kinds = {flag: tuple(filter(None, values or ())) for flag, values in found["kinds"].items()}
    reader = _Reader(named, types, kinds, found["now"])
    number, ids = found["broken"]
    return Table(
        names,
        tuple(map(reader.row, found["rows"])),
        passwords.scheme_of(found["start"]),
        tuple(dict.fromkeys(passwords.scheme_of(one) or one for one in found.get("starts") or ())),
        types,
        kinds,
        (number, tuple(ids or ())),
        by_part.get("indexed", {}).get("count"),
        by_part.get("visible", {}).get("count"),
        blank=found["size"] > 0 and by_part.get("visible", {}).get("any") is False,
        unseen=unseen,
    )


def _unseen(answer: Answer) -> Unreadable | None:
    """Say why no more than the declared logins were looked for, by their index, if that is so."""
    states = [line.split()[-1] for line in answer.lines if line.startswith("#alike ")]
    if not states:
        return None
    late = ", it took too long" if states[0] == "57014" else ""
    return Unreadable(
        f"names like the declared ones were not looked for: SQLSTATE {states[0]}{late}"
    )


def _has_every(backend: Backend, rows: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether each declared login is among the rows; an index may not find one that is."""
    declared = backend.accounts.present if backend.accounts else ()
    return {one.login for one in declared} <= {row["login"] for row in rows}


@dataclass(frozen=True)
class _Reader:
    """Reads rows of a table whose flags have these columns, types and values."""

    columns: Mapping[str, str | None]
    types: Mapping[str, str]
    kinds: Mapping[str, tuple[str, ...]]
    now: str

    def row(self, row: Mapping[str, Any]) -> UserRow:
        stored = row["password"]
        return UserRow(
            id=row["id"],
            login=row["login"],
            email=row["email"],
            password=None if stored is None else Secret.seen(stored),
            stored={flag: row[flag] for flag in user_flags.FLAGS},
            **{flag: self._flag(flag, row[flag]) for flag in user_flags.FLAGS},
        )

    def _flag(self, flag: str, text: str | None) -> bool | None:
        column = self.columns[flag]
        if column is None:
            return None
        others, kind = self.kinds.get(flag, ()), self.types.get(column, "")
        return user_flags.meaning(flag, column, kind, text, others=others, now=self.now)


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
        wanted = ("id", "login", "email", "password", "active", "admin")
        written = accounts_sql.fields(columns, *wanted)
        fields = written.replace(f"{sql.name(password)}::text", kind)
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
