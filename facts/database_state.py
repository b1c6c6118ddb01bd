"""A database as its catalogue describes it: what a check judges."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from relogin.finding import Unreadable
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.baseline import Baseline
    from relogin.facts.postgres_state import Behind


@dataclass(frozen=True)
class Table:
    """A table of the backend's schemas; `rows` is the planner's estimate, -1 if there is none.

    `columns` are their types by name, with `not null` where that holds; `pages` have 8 KiB.
    """

    name: str
    kind: str
    rows: int
    pages: int
    columns: Mapping[str, str]


@dataclass(frozen=True)
class TableIndex:
    """An index, by whatever rule it is there.

    `sound` is False where it is not valid, not ready or not live, and nobody is building it right
    now. `moved` is the collation that had another version when it was built.
    """

    name: str
    table: str
    partitioned: bool
    unique: bool
    sound: bool
    definition: str
    moved: str | None = None

    @property
    def own_name(self) -> str:
        """Give its name without its schema's, unquoted."""
        if not self.name.endswith('"'):
            return self.name.rpartition(".")[2]
        quoted = re.search(r'(?:^|\.)"((?:[^"]|"")*)"$', self.name)
        return quoted[1].replace('""', '"') if quoted else self.name

    @property
    def leftover(self) -> bool:
        """Tell what REINDEX CONCURRENTLY left when it was cut (PostgreSQL docs, REINDEX)."""
        return not self.sound and re.search(r"_cc(new|old)[0-9]*$", self.own_name) is not None


@dataclass(frozen=True)
class Constraint:
    """A rule of a table: p (primary key), u (unique), f (foreign key), c (check), x (exclusion)."""

    name: str
    table: str
    kind: str
    validated: bool
    definition: str


@dataclass(frozen=True)
class Sequence:
    """A sequence that belongs to a column."""

    name: str
    table: str
    column: str


@dataclass(frozen=True)
class Breaking:
    """Rows that break a rule of their table: how many, and up to five of their values.

    `sampled` is the percentage of the table that was looked at, 100 if it was all of it.
    """

    constraint: str
    table: str
    count: int
    keys: tuple[str, ...]
    sampled: float


@dataclass(frozen=True)
class Slow:
    """A statement by its number in pg_stat_statements, and its mean time in milliseconds."""

    id: str
    calls: int
    mean: int
    text: str


@dataclass(frozen=True)
class Roomy:
    """A table, or an index `of` one, that has more pages of 8 KiB than its rows need."""

    name: str
    of: str | None
    pages: int
    needed: int


@dataclass(frozen=True)
class Over:
    """Rows whose time was over `days` ago and more: how many, from the sampled percentage."""

    table: str
    column: str
    count: int
    at_most: int
    days: int
    sampled: float


@dataclass(frozen=True)
class Answered:
    """What a declared query answered, row by row, and what it should; `failed` is an SQLSTATE."""

    name: str
    sql: str
    expected: tuple[tuple[Any, ...], ...]
    rows: tuple[tuple[Any, ...], ...]
    failed: str = ""


@dataclass(frozen=True)
class Ages:
    """How many transactions ago the oldest row may be from, of 2^31 at most; who keeps it so.

    `autovacuum` is the age at which the server begins to freeze rows by itself.
    """

    transactions: int
    multixacts: int
    autovacuum: int
    holders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Twice:
    """Values that are there more than once under a rule that says they are not.

    One of `nth` values was looked at.
    """

    index: str
    table: str
    count: int
    keys: tuple[str, ...]
    nth: int = 1


@dataclass(frozen=True)
class Corrupt:
    """A table whose pages could not be read, or its `index`, and what the server said of it."""

    table: str
    index: str
    said: str


@dataclass(frozen=True)
class Session:
    """A session that has been in its state for `seconds`; it waits `behind` these processes."""

    pid: int
    user: str
    program: str
    seconds: int
    behind: tuple[int, ...] = ()


@dataclass(frozen=True)
class Slot:
    """A replication slot, how many bytes of WAL it keeps, and whether somebody reads from it."""

    name: str
    status: str | None
    kept: int
    active: bool


@dataclass(frozen=True)
class Strain:
    """What is at work in the database: `dead` are tables' dead rows and live ones.

    `checksum_failures` are those since the server's statistics were emptied, as a crash does.
    `prepared` are transactions that wait for their COMMIT PREPARED, and since when.
    """

    checksum_failures: int = 0
    slots: tuple[Slot, ...] = ()
    idle: tuple[Session, ...] = ()
    waiting: tuple[Session, ...] = ()
    prepared: Mapping[str, str] = field(default_factory=dict)
    dead: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class DatabaseState:
    """A database in one moment. What could not be asked is in `unasked`, with the reason.

    `indexes` are sound or not; `collation` is the default collation's version where it is not the
    server's library's any more: recorded, actual. `counts` are those of the declared tables.
    `partly` are the constraints, each with its table, that not every row was held against.
    `pointless`, `over` and `answered` are what declared relations, times and queries gave.
    `emptied` is when a crash emptied what the server counts, if that shows.
    `baseline` is what it is compared with, if there is one.
    """

    name: str
    tables: tuple[Table, ...] = ()
    indexes: tuple[TableIndex, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    extensions: tuple[str, ...] = ()
    collation: tuple[str, str] | None = None
    ages: Ages | None = None
    behind: tuple[Behind, ...] = ()
    breaking: tuple[Breaking, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    partly: tuple[tuple[str, str], ...] = ()
    twice: tuple[Twice, ...] = ()
    corrupt: tuple[Corrupt, ...] = ()
    strain: Strain | None = None
    pointless: tuple[Breaking, ...] = ()
    over: tuple[Over, ...] = ()
    answered: tuple[Answered, ...] = ()
    slow: tuple[Slow, ...] = ()
    roomy: tuple[Roomy, ...] = ()
    emptied: str | None = None
    scans_for_login: bool | None = None
    unasked: tuple[str, ...] = ()
    baseline: Baseline | None = None

    @property
    def unseen(self) -> Unreadable | None:
        """Say what was not asked, or not of all rows."""
        return Unreadable("; ".join(self.unasked)) if self.unasked else None

    def indexes_of(self, table: str) -> Iterator[TableIndex]:
        """Give the indexes of a table that no constraint has made."""
        made = {one.name for one in self.constraints_of(table)}
        for one in self.indexes:
            if one.table == table and one.own_name not in made:
                yield one

    def constraints_of(self, table: str) -> Iterator[Constraint]:
        """Give the constraints of a table."""
        return (one for one in self.constraints if one.table == table)

    def index(self, name: str) -> TableIndex | None:
        """Give the index of that name."""
        return next((one for one in self.indexes if one.name == name), None)

    def against(self, baseline: Baseline | None) -> DatabaseState:
        """Give the same, to be compared with a baseline."""
        return dataclasses.replace(self, baseline=baseline)

    def to_json(self) -> dict[str, Any]:
        return {
            "database": self.name,
            "tables": [one.name for one in self.tables],
            "invalid_indexes": [one.name for one in self.indexes if not one.sound],
            "not_valid": [one.name for one in self.constraints if not one.validated],
            "extensions": list(self.extensions),
        }
