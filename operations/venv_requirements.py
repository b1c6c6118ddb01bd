"""Faults of requirements: files that cannot be read, what they ask for and is not installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from relogin.facts.venv import RequirementsFile, VenvState
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.venv_owner import pip

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
                remedy=f"put {file.path} back, or correct its path in the inventory",
            )


def _detect_missing(backend: Backend, seen: Observation) -> Iterator[Finding]:
    for venv, file, asked in asked_for(seen):
        missing = [each for each in asked if each.name not in venv.distributions]
        if missing:
            names = ", ".join(sorted({each.name for each in missing}))
            be = "is" if len(missing) == 1 else "are"
            yield _finding(file, missing, f"{names} {be} not installed in {venv.path}")


def _detect_wrong_version(backend: Backend, seen: Observation) -> Iterator[Finding]:
    """The first version counts: it is the one that is imported."""
    for venv, file, asked in asked_for(seen):
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


def asked_for(seen: Observation) -> Iterator[tuple[VenvState, RequirementsFile, list[Requirement]]]:
    """Give each requirements file with those requirements that apply to the target's Python."""
    if isinstance(seen.venv, VenvState):
        for file in _files(seen):
            applying = [each for each in file.requirements if each.applies(seen.venv.environment)]
            yield seen.venv, file, applying


def requirements(seen: Observation) -> list[Requirement]:
    """Give all requirements that apply to the target's Python."""
    return [each for _, _, asked in asked_for(seen) for each in asked]


def _install(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Install the whole file, with its bounds and hashes."""
    for venv, file, asked in asked_for(seen):
        if file.path == finding.subject:
            wrong = [each.name for each in _wrong(venv, asked)]
            what = f"pip install -r {file.path}"
            yield pip(backend, venv, ["-r", file.path], what=what, wrong=wrong, folder=file.path)


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
