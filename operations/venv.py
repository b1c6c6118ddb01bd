"""Ensure that the virtual environment works, and holds what its requirements ask for."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import undo
from relogin.facts.venv import RequirementsFile, VenvState
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.mend import mend
from relogin.operations.venv_moved import MOVED
from relogin.operations.venv_owner import ENSUREPIP, installed
from relogin.operations.venv_rebuild import INTERPRETER_GONE, MINOR_VERSION_CHANGED, MISSING
from relogin.parts.runtime import Venv

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.requirements import Requirement


def _detect_unreadable(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for file in _files(seen):
        if file.unreadable:
            yield Finding(
                f"the requirements in {file.path} cannot be read",
                subject=file.path,
                seen=file.unreadable,
                severity=Severity.WARNING,
                remedy="put the file back, or correct its path in the inventory",
            )


def _detect_missing(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for venv, file, asked in _asked(seen):
        missing = [each for each in asked if each.name not in venv.distributions]
        if missing:
            names = ", ".join(sorted({each.name for each in missing}))
            be = "is" if len(missing) == 1 else "are"
            yield _finding(file, missing, f"{names} {be} not installed in {venv.path}")


def _detect_wrong_version(backend: Backend, seen: Observation) -> Iterator[Finding]:
    """The first version counts: it is the one that is imported."""
    for venv, file, asked in _asked(seen):
        if wrong := _wrong(venv, asked):
            names = [f"{each.name} {venv.distributions[each.name][0]}" for each in wrong]
            yield _finding(file, wrong, f"wrong version in {venv.path}: {', '.join(names)}")


def _wrong(venv: VenvState, asked: list[Requirement]) -> list[Requirement]:
    there = [each for each in asked if each.name in venv.distributions]
    return [each for each in there if each.met_by(venv.distributions[each.name][0]) is False]


def _finding(file: RequirementsFile, broken: list[Requirement], what: str) -> Finding:
    wanted = ", ".join(f"{each} ({each.place})" for each in broken)
    return Finding(
        what,
        subject=file.path,
        seen="; ".join(_not_judged(file)),
        expected=wanted,
        remedy=f"pip installs what {file.path} asks for",
    )


def _not_judged(file: RequirementsFile) -> Iterable[str]:
    return (f"{each.file} line {each.line} not judged: {each.why}" for each in file.not_judged)


def _files(seen: Observation) -> tuple[RequirementsFile, ...]:
    """Give the requirements files; of a venv that was moved only its scripts are judged."""
    if not isinstance(seen.venv, VenvState) or seen.venv.strays:
        return ()
    return seen.venv.requirements


def _asked(seen: Observation) -> Iterator[tuple[VenvState, RequirementsFile, list[Requirement]]]:
    """Give each requirements file with those requirements that apply to the target's Python."""
    if isinstance(seen.venv, VenvState):
        for file in _files(seen):
            applying = [each for each in file.requirements if each.applies(seen.venv.environment)]
            yield seen.venv, file, applying


def _install(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Install the whole file, with its bounds and hashes, as the owner of the venv."""
    assert isinstance(backend.venv, Venv) and isinstance(seen.venv, VenvState)  # noqa: S101, PT018
    wrong = [
        each.name
        for venv, file, asked in _asked(seen)
        if file.path == finding.subject
        for each in _wrong(venv, asked)
    ]
    first = "" if seen.venv.pip else ENSUREPIP
    yield installed(
        backend.venv,
        finding.subject,
        owner=backend.venv.owner or seen.venv.owner,
        folder_of_modules=seen.venv.site_packages,
        kept=undo.distributions_kept(backend, backend.venv.path, first=first, wrong=wrong),
    )


REQUIREMENTS_UNREADABLE = Fault(
    "venv.requirements-unreadable",
    _detect_unreadable,
    severity=Severity.WARNING,
    about="a requirements file cannot be read or understood",
    remedy="put the file back, or correct its path in the inventory",
    check=("ls -l REQUIREMENTS", "file REQUIREMENTS"),
)
REQUIREMENT_MISSING = Fault(
    "venv.requirement-missing",
    _detect_missing,
    _install,
    about="a requirement is not installed",
    remedy="pip installs what the file asks for, as the owner of the environment",
    check=("cat REQUIREMENTS", "runuser -u USER -- VENV/bin/python -I -m pip freeze"),
)
REQUIREMENT_WRONG_VERSION = Fault(
    "venv.requirement-wrong-version",
    _detect_wrong_version,
    _install,
    about="a requirement is installed in another version",
    remedy="pip installs what the file asks for, as the owner of the environment",
    check=(
        "runuser -u USER -- VENV/bin/python -I -m pip install --dry-run --no-deps -r REQUIREMENTS",
    ),
)

FAULTS = (
    MISSING,
    INTERPRETER_GONE,
    MINOR_VERSION_CHANGED,
    MOVED,
    REQUIREMENTS_UNREADABLE,
    REQUIREMENT_MISSING,
    REQUIREMENT_WRONG_VERSION,
)


@operation()
def dependencies(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the backend's venv works, and that every requirement is met.

    + backend: the backend, as its inventory describes it
    """
    yield from mend(backend, FAULTS)
