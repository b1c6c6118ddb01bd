"""What runs on a server that nobody has described yet, for a first description of it.

Key names of env files only, with what a value is like (a database URL without its password); of
hashes only which scheme they have. One command, read only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import hashes, remote
from relogin.facts import alone
from relogin.facts.survey_script import NAMES, script
from relogin.finding import Unreadable
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand
    from pyinfra.api.host import Host

    from relogin.remote import Answer

DEADLINE = 180.0


@dataclass(frozen=True)
class Folder:
    """A backend's folder: what there is, its virtual environments, and what its code speaks of."""

    path: str
    has: tuple[str, ...] = ()
    venvs: tuple[str, ...] = ()
    code: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """What starts a backend: a unit, a program of supervisord, or a container of Compose (`kind`).

    `start` is its command, of a container its image and ports. Of Compose are `project`, its
    `files`, the env files that its command was `given`, the container's `volumes`, and where it
    works (`inside`), with what lies there.
    """

    kind: str
    name: str
    start: str
    directory: str = ""
    user: str = ""
    env_files: tuple[str, ...] = ()
    active: bool = True
    project: str = ""
    files: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    inside: Folder | None = None


@dataclass(frozen=True)
class EnvKeys:
    """An env file's keys: to each its kind (url, word, path, text, empty) and what may be said."""

    path: str
    owner: str
    mode: str
    keys: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class UsersTable:
    """A table that has a column of hashes (`password`) and one of names (`login`).

    `columns` are their types, with ` required` where a row has to give them; `first` is a login.
    """

    database: str
    schema: str
    name: str
    columns: Mapping[str, str]
    password: str
    login: str
    schemes: tuple[str, ...] = ()
    rows: int = 0
    first: str = ""


@dataclass(frozen=True)
class Survey:
    """What was found on a server; `documents` are openapi.json, by port."""

    services: tuple[Service, ...] = ()
    folders: Mapping[str, Folder] = field(default_factory=dict)
    env_files: Mapping[str, EnvKeys] = field(default_factory=dict)
    documents: Mapping[int, Any] = field(default_factory=dict)
    tables: tuple[UsersTable, ...] = ()
    unseen: tuple[str, ...] = ()


def look(host: Host) -> Survey | Unreadable:
    """Look at a server, in one remote command."""
    answers = remote.ask(host, {"survey": script()}, deadline=DEADLINE)
    if isinstance(answers, Unreadable):
        return answers
    return parse(alone.answers(answers["survey"].lines) if "survey" in answers else {})


def parse(answers: Mapping[str, Answer]) -> Survey:
    """Take the answers apart; what did not arrive is unseen."""

    def lines(name: str) -> list[str]:
        return answers[name].lines if name in answers else []

    return Survey(
        tuple(_services(lines("services"))),
        {one.path: one for one in _folders(lines("folders"))},
        {one.path: one for one in _env_files(lines("env"))},
        dict(_documents(lines("web"))),
        tuple(_tables(lines("tables"))),
        tuple(name for name in NAMES if name not in answers),
    )


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if line == "end":
            yield block
            block = []
        else:
            block.append(line)


def _services(lines: Iterable[str]) -> Iterator[Service]:
    for block in _blocks(lines):
        (kind, _, name), start = block[0].partition(" "), block[1].removeprefix("start ")
        told: dict[str, list[str]] = {}
        for line in block[2:]:
            key, _, value = line.partition("=" if "=" in line else " ")
            told.setdefault(key, []).append(value)
        files = [one.rpartition(" (ignore_errors")[0] for one in told.get("EnvironmentFiles", [])]
        yield Service(
            kind,
            name,
            start.strip(),
            next(iter(told.get("WorkingDirectory", [])), "").lstrip("!-"),
            next(iter(told.get("User", [])), ""),
            tuple(filter(None, files)),
            "active" in told.get("ActiveState", ["active"]),
            next(iter(told.get("project", [])), ""),
            _listed(told, "files"),
            _listed(told, "given"),
            tuple(told.get("volume", [])),
            _inside(told) if kind == "container" else None,
        )


def _listed(told: Mapping[str, list[str]], key: str) -> tuple[str, ...]:
    said = next(iter(told.get(key, [])), "")
    return tuple(filter(None, said.replace("<no value>", "").split(",")))


def _inside(told: Mapping[str, list[str]]) -> Folder:
    counted = [line.split() for line in told.get("code", [])]
    code = {each[1]: int(each[0]) for each in counted if len(each) == 2}
    where = next(iter(told.get("inside", [])), "")
    return Folder(where or "/", tuple(told.get("has", [])), (), code)


def _folders(lines: Iterable[str]) -> Iterator[Folder]:
    for head, *rest in filter(None, _blocks(lines)):
        words = [line.split(None, 2) for line in rest]
        code = {one[2].strip(): int(one[1]) for one in words if one[0] == "code" and len(one) == 3}
        yield Folder(
            head.removeprefix("folder "),
            tuple(line.removeprefix("has ") for line in rest if line.startswith("has ")),
            tuple(line.removeprefix("venv ") for line in rest if line.startswith("venv ")),
            code,
        )


def _env_files(lines: Iterable[str]) -> Iterator[EnvKeys]:
    for head, owner, *rest in (block for block in _blocks(lines) if len(block) > 1):
        words = [line.split(" ", 3) for line in rest if line.startswith("key ")]
        keys = {one[1]: (one[2], one[3] if len(one) > 3 else "") for one in words if len(one) > 2}
        _, name, mode = owner.split()
        yield EnvKeys(head.removeprefix("file "), name, mode, keys)


def _documents(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    port = 0
    for line in lines:
        if line.startswith("openapi "):
            port = int(line.split()[1])
        elif line.startswith("{"):
            try:
                yield port, json.loads(line)
            except ValueError:  # it was cut: it is longer than we read
                continue


def _tables(lines: Iterable[str]) -> Iterator[UsersTable]:
    for one in (json.loads(line) for line in lines if line.startswith("{")):
        schemes = (hashes.scheme_of(start) for start in one["starts"] or () if start)
        yield UsersTable(
            one["database"],
            one["schema"],
            one["table"],
            one["columns"],
            one["password"],
            one["login"],
            tuple(sorted({scheme for scheme in schemes if scheme})),
            one["rows"],
            one["first"] or "",
        )


class Surveyed(FactBase[Any]):
    """Tell which backends run on a server, and where their users are; no value of any env file."""

    def command(self) -> StringCommand:
        return alone.command({"survey": script()})

    def process(self, output: Iterable[str]) -> Any:
        return alone.parsed(output, "survey", _told)


def _told(answer: Answer) -> Any:
    seen = parse(alone.answers(answer.lines))
    return {
        "services": [{"kind": one.kind, "name": one.name} for one in seen.services],
        "env_files": {path: sorted(one.keys) for path, one in seen.env_files.items()},
        "tables": [f"{one.database}.{one.schema}.{one.name}" for one in seen.tables],
    }
