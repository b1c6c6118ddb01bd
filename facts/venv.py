"""The virtual environment: its interpreter, its distributions, what its requirements ask for."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, field
from typing import TYPE_CHECKING, Any

from pyinfra.api import FactBase

from relogin import requirements
from relogin.facts import alone, file
from relogin.facts.venv_script import script
from relogin.finding import Unreadable
from relogin.parts.runtime import Venv
from relogin.redaction import redact_foreign
from relogin.requirements import NotJudged, Requirement
from relogin.values import dataclass

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

    from relogin.remote import Answer

__all__ = [
    "BrokenVenv",
    "Distributions",
    "RequirementsFile",
    "Unmet",
    "VenvState",
    "parse",
    "script",
]


@dataclass(frozen=True)
class RequirementsFile:
    """A declared requirements file, with all that it includes by `-r`.

    `unreadable` says why it (or a file that it includes) could not be read, or is empty.
    """

    path: str
    requirements: tuple[Requirement, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    unreadable: str = ""


@dataclass(frozen=True)
class Unmet:
    """What a distribution needs of another one, by canonical names, and which version that has.

    `version` is empty where the other one is not installed.
    """

    of: str
    name: str
    specifier: str
    version: str

    def __str__(self) -> str:
        have = f"there is {self.version}" if self.version else "it is not installed"
        return f"{self.of} needs {self.name}{self.specifier}, and {have}"


@dataclass(frozen=True)
class VenvState:
    """A virtual environment whose interpreter works.

    `distributions` maps canonical names to versions, the one that is imported first.
    `environment` has all marker keys of PEP 508 but `extra`. `changed` is when something that the
    requirements lead to was last installed, in epoch seconds. `strays` are its scripts whose first
    line names the interpreter of another place, with that one: it was moved. `unmet` is what
    distributions that the requirements lead to need themselves and do not have. `gone` maps
    required distributions to modules of theirs that are not there any more, though installed
    (RECORD). `modules` are those that are there under another name than a distribution's.
    """

    path: str
    owner: str
    python: str
    environment: Mapping[str, str]
    distributions: Mapping[str, tuple[str, ...]]
    requirements: tuple[RequirementsFile, ...]
    site_packages: str
    changed: float
    pip: bool
    strays: Mapping[str, str] = field(default_factory=dict)
    unmet: tuple[Unmet, ...] = ()
    gone: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    modules: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class BrokenVenv:
    """What is where a virtual environment should be, and cannot work.

    `there` tells whether there is a folder, `is_venv` whether it has a pyvenv.cfg. `made` is the
    version of Python that it was made with, `python` the one that it runs ("": none), `link` where
    its bin/python leads, `same` an interpreter of the minor version that it was made with. `owner`
    is its owner, or, where nothing is, that of the folder that it belongs in ("": not there).
    """

    path: str
    there: bool
    is_venv: bool
    owner: str
    made: str = ""
    python: str = ""
    link: str = ""
    same: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def parse(answer: Answer) -> VenvState | BrokenVenv | Unreadable:
    """Take the part's answer apart; what does not run for another reason is Unreadable."""
    lines = answer.lines
    end = lines.index("#broken") if "#broken" in lines else len(lines)
    path, folder, configuration, python, made, *rest = [*lines[:end], *[""] * 5]
    status, uid, parent, link, same, *_ = [*lines[end + 1 :], *[""] * 5]
    there = file.parse(folder)
    if end == len(lines) and not any(rest):
        return Unreadable("its answer broke off")
    if isinstance(there, Unreadable):
        return there
    if there is None:
        owner = file.parse(parent)
        return BrokenVenv(path, False, False, getattr(owner, "owner", ""))
    if not isinstance(file.parse(configuration), file.FileMeta):
        return BrokenVenv(path, True, False, there.owner)
    said = [line for line in rest if line]
    if status in {"", "0"} and said:
        return _state(path, there.owner, made, json.loads(said[-1]))
    hidden = python == "dangling" and uid not in {"0", str(there.uid)}
    if not hidden and _gone(status, said):
        return BrokenVenv(path, True, True, there.owner, made, "", link, same)
    last = ": ".join([f"{path}/bin/python does not run", *said[-1:]])
    return Unreadable(redact_foreign(last))


def _gone(status: str, said: list[str]) -> bool:
    """Tell whether an interpreter, a library of it, or all of its standard library is missing."""
    return status == "127" or any("No module named 'encodings'" in line for line in said)


def _state(
    path: str, owner: str, made: str, seen: Mapping[str, Any]
) -> VenvState | BrokenVenv | Unreadable:
    python = seen["environment"]["python_full_version"]
    if made and made.split(".")[:2] != python.split(".")[:2]:
        return BrokenVenv(path, True, True, owner, made, python)
    if not seen["site_packages"]:
        return Unreadable(f"{path}/bin/python has no site-packages of its own")
    distributions = _distributions(seen["installed"])
    return VenvState(
        path=path,
        owner=owner,
        python=python,
        environment=seen["environment"],
        distributions=distributions,
        requirements=tuple(_file(path, files) for path, files in seen["files"]),
        site_packages=seen["site_packages"][0],
        changed=seen["changed"],
        pip=seen["pip"],
        strays=seen["strays"],
        unmet=tuple(_unmet(seen["doubtful"], seen["environment"], distributions)),
        gone={name: tuple(paths) for name, paths in seen["gone"].items()},
        modules=tuple(seen["modules"]),
    )


def _unmet(
    doubtful: Iterable[tuple[str, str]],
    environment: Mapping[str, str],
    distributions: Mapping[str, tuple[str, ...]],
) -> Iterator[Unmet]:
    """Judge what the target left in doubt, as `pip check` does."""
    for of, line in doubtful:
        needed = requirements.dependency(line)
        if needed is None or not needed.applies(environment):
            continue
        version = distributions.get(needed.name, ("",))[0]
        if not version or needed.met_by(version) is False:
            yield Unmet(of, needed.name, needed.specifier, version)


def _distributions(
    installed: Iterable[tuple[str | None, str | None]],
) -> dict[str, tuple[str, ...]]:
    from packaging.utils import canonicalize_name

    found: dict[str, tuple[str, ...]] = {}
    for name, version in installed:
        if name and version:
            key = canonicalize_name(name)
            found[key] = (*found.get(key, ()), version)
    return found


def _file(path: str, files: Iterable[tuple[str, str | None, str | None]]) -> RequirementsFile:
    lines: list[Requirement | NotJudged] = []
    for name, text, problem in files:
        if text is None:
            return RequirementsFile(path, unreadable=f"{name}: {problem}")
        try:
            lines += requirements.parse(name, binascii.a2b_base64(text))
        except (UnicodeDecodeError, LookupError) as error:
            return RequirementsFile(path, unreadable=f"{name} cannot be decoded: {error}")
    return RequirementsFile(
        path,
        requirements=tuple(line for line in lines if isinstance(line, Requirement)),
        not_judged=tuple(line for line in lines if isinstance(line, NotJudged)),
    )


class Distributions(FactBase[Any]):
    """Give a virtual environment's interpreter and distributions.

    + path: the virtual environment
    """

    def command(self, path: str) -> StringCommand:
        return alone.command({"venv": script(Venv(path))})

    def process(self, output: Iterable[str]) -> VenvState | BrokenVenv | Unreadable:
        return alone.parsed(output, "venv", parse)
