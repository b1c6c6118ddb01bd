"""A baseline: what a database had when it was sound, as a file to be kept in git."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relogin.places import write_whole
from relogin.values import dataclass

if TYPE_CHECKING:
    from relogin.facts.database_state import DatabaseState

VERSION = 1
_MARK = "relogin baseline"
_RULES = ("constraints", "indexes", "sequences")
Texts = Mapping[str, str]


@dataclass(frozen=True)
class TableBaseline:
    """What a table had: types of its columns, definitions by name, and rows if it was counted.

    `sequences` are those that belong to a column, by name.
    """

    columns: Texts = field(default_factory=dict)
    constraints: Texts = field(default_factory=dict)
    indexes: Texts = field(default_factory=dict)
    sequences: Texts = field(default_factory=dict)
    rows: int | None = None


@dataclass(frozen=True)
class Baseline:
    """What a database had: tables by name with their schema, and extensions."""

    tables: Mapping[str, TableBaseline] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()


class BaselineError(ValueError):
    """Raised where a file is no baseline, or cannot be read or written; the message is a line."""


def learned(seen: DatabaseState) -> Baseline:
    """Give the baseline that a database is; an index behind a constraint counts as that alone."""
    return Baseline(
        tables={
            table.name: TableBaseline(
                columns=table.columns,
                constraints={one.name: one.definition for one in seen.constraints_of(table.name)},
                indexes={one.name: one.definition for one in seen.indexes_of(table.name)},
                sequences={
                    one.name: one.column for one in seen.sequences if one.table == table.name
                },
                rows=seen.counts.get(table.name),
            )
            for table in seen.tables
        },
        extensions=seen.extensions,
    )


def read(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        BaselineError: there is none in that file.
    """
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        made = "make one with --data learn=FILE"
        raise BaselineError(f"{path} is no baseline of this version ({made})") from None


def write(path: Path, baseline: Baseline) -> None:
    """Write a baseline, whole or not at all, with one fact a line for the sake of git.

    Raises:
        BaselineError: it cannot be written, or would take the place of another file.
    """
    if path.exists():
        read(path)
    try:
        write_whole(path.absolute(), text(baseline).encode(), mode=0o644)
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror}") from None


def text(baseline: Baseline) -> str:
    """Give a baseline's file: sorted by name, so that only what changed differs."""
    tables = {name: _told(table) for name, table in baseline.tables.items()}
    whole = {_MARK: VERSION, "extensions": sorted(baseline.extensions), "tables": tables}
    return json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _told(table: TableBaseline) -> dict[str, Any]:
    told: dict[str, Any] = {"columns": dict(table.columns)}
    told |= {kind: dict(rules) for kind in _RULES if (rules := getattr(table, kind))}
    return told if table.rows is None else told | {"rows": table.rows}


def _parsed(whole: Any) -> Baseline:
    if whole[_MARK] != VERSION:
        raise ValueError(_MARK)
    tables = {
        name: TableBaseline(
            columns=_texts(table["columns"]),
            rows=None if table.get("rows") is None else int(table["rows"]),
            **{kind: _texts(table.get(kind, {})) for kind in _RULES},
        )
        for name, table in whole["tables"].items()
    }
    return Baseline(tables, tuple(map(str, whole["extensions"])))


def _texts(found: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in found.items()}
