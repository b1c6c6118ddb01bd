"""What a check of the database goes by, beyond what the database says of itself."""

from __future__ import annotations

import re
from typing import TypeAlias

from relogin import carried
from relogin.parts.part import fits, listed, part, refuse_unless

Cell: TypeAlias = str | int | float | bool | None


@part
class Relation:
    """Say that `column` of `table` names rows of the table `to` by their `key`.

    No foreign key has to say so, and the two columns may be of different types. NULL names none. A
    table's name with a dot in it is another schema's.
    """

    table: str
    column: str
    to: str
    key: str = "id"

    def __post_init__(self) -> None:
        fits("Relation", carried.sql_name, *self.table.split(".", 1), self.column, self.key)
        fits("Relation", carried.sql_name, *self.to.split(".", 1))


@part
class Expiring:
    """Say that rows of `table` are over at the time in `column`, and are cleared away then.

    The time is a timestamp, a date, or a number of seconds or milliseconds since 1970. `at_most` of
    them may still be there `days` after that.
    """

    table: str
    column: str = "expires_at"
    at_most: int = 10_000
    days: int = 1

    def __post_init__(self) -> None:
        fits("Expiring", carried.sql_name, *self.table.split(".", 1), self.column)
        right = isinstance(self.at_most, int) and self.at_most >= 0
        refuse_unless(right, f"Expiring: at_most is {self.at_most!r}, expected a number of rows")
        right = isinstance(self.days, int) and self.days >= 0
        refuse_unless(right, f"Expiring: days is {self.days!r}, expected a number of days")


@part
class Query:
    """Say what a query of one's own has to answer: `answer` is a value, or a list of rows.

    A row of several columns is a tuple; what is neither a number nor a boolean is compared as text.
    The query is one SELECT, and runs as the backend's role, with its schema as search path, in a
    read-only transaction. What it answers is shown where it differs: let it select no secret.
    """

    name: str
    sql: str
    answer: Cell | tuple[Cell | tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        word = re.match(r"\s*(select|with|values|table)\b", self.sql, re.IGNORECASE)
        refuse_unless(word, f"Query {self.name!r}: sql is not a query (SELECT, WITH, VALUES)")
        listed(self, "answer")
        for row in self.answer if isinstance(self.answer, tuple) else ():
            for cell in row if isinstance(row, tuple | list) else (row,):
                right = cell is None or isinstance(cell, str | int | float)
                refuse_unless(right, f"Query {self.name!r}: answer has {cell!r}, expected a value")


@part
class Health:
    """Say what the database is compared with, and which of its tables are counted.

    `baseline` is a file on the control machine, relative to where the command is run: JSON as
    `--data learn=FILE` writes it, to be kept in git. `counted` are the tables whose rows are
    counted and compared with it; a name with a dot is another schema's. `relations`, `expiring`
    and `queries` are what has to hold that no rule of the database says. `slow` is the mean time of
    a statement, in milliseconds, above which it is named. What is declared here is only looked at
    by deploys/check_database.py.
    """

    baseline: str | None = None
    counted: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()
    expiring: tuple[Expiring, ...] = ()
    queries: tuple[Query, ...] = ()
    slow: int = 200

    def __post_init__(self) -> None:
        listed(self, "counted", "relations", "expiring", "queries")
        fits("Health: counted", carried.sql_name, *self.counted)
        refuse_unless(self.baseline != "", "Health: baseline is empty, expected a file's path")
        for field, kind in _KINDS.items():
            for one in getattr(self, field):
                right = isinstance(one, kind)
                refuse_unless(right, f"Health: {field} has {one!r}, expected {kind.__name__}(…)")
        right = isinstance(self.slow, int) and self.slow > 0
        refuse_unless(right, f"Health: slow is {self.slow!r}, expected milliseconds")
        names = [query.name for query in self.queries]
        twice = next((name for name in names if names.count(name) > 1), None)
        refuse_unless(twice is None, f"Health: there are two queries named {twice!r}")


_KINDS = {"relations": Relation, "expiring": Expiring, "queries": Query}
