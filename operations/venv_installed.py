"""Faults of what is installed: files that are gone, distributions that do not fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from relogin.facts.service import ServiceState
from relogin.facts.venv import Unmet, VenvState
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.operations.service_down import is_looping
from relogin.operations.venv_owner import pip
from relogin.operations.venv_requirements import requirements

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation
    from relogin.requirements import Requirement

# What passlib's last release, 1.7.4 of 2020, makes of any password with bcrypt 5, which refuses
# what is longer than 72 bytes; with 4.1 to 4.3 it only complains, and works.
_REFUSED = "ValueError: password cannot be longer than 72 bytes"
_USABLE = "bcrypt>=4.0.1,<5"


def _sound(seen: Observation) -> VenvState | None:
    """Give a venv that was not moved: of that one only its scripts are judged."""
    venv = seen.venv
    return venv if isinstance(venv, VenvState) and not venv.strays else None


def _files_missing(backend: Backend, seen: Observation) -> Iterator[Finding]:
    venv = _sound(seen)
    for name, paths in venv.gone.items() if venv else ():
        assert venv is not None  # noqa: S101 # just seen
        yield Finding(
            f"modules of {name} are gone from {venv.path}",
            subject=name,
            seen=f"{', '.join(paths)}: in its RECORD, but not there",
            expected=f"{name} {venv.distributions[name][0]}, whole",
            remedy=f"pip installs {name} {venv.distributions[name][0]} anew",
        )


def _reinstall(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Install all of them anew, each in the version that it has."""
    venv = _sound(seen)
    assert venv is not None  # noqa: S101 # else there is no finding
    exact = [f"{name}=={venv.distributions[name][0]}" for name in venv.gone]
    yield pip(
        backend,
        venv,
        ["--force-reinstall", "--no-deps", *exact],
        what=f"pip install --force-reinstall {' '.join(exact)}",
        wrong=list(venv.gone),
    )


def _broken_set(backend: Backend, seen: Observation) -> Finding | None:
    """Find what pip check finds; while the service works all the same, nothing is touched."""
    venv = _sound(seen)
    unmet = _left_by_others(venv, seen) if venv else []
    if venv is None or not unmet:
        return None
    asked = [each for each in requirements(seen) if each.specifier.startswith("==")]
    pinned = [each for each in asked for one in unmet if each.name == one.name]
    hurt = _hurt(seen)
    by_file = f"{pinned[0]} ({pinned[0].place}) cannot be: correct the file" if pinned else ""
    return Finding(
        f"distributions in {venv.path} do not fit together",
        subject=venv.path,
        seen="; ".join(map(str, unmet)),
        remedy=by_file
        or (
            "pip installs what the requirements ask for" if hurt else "pip install -r, in due time"
        ),
        severity=Severity.CRITICAL if hurt else Severity.WARNING,
        by_person=bool(pinned) or not hurt,
    )


def _left_by_others(venv: VenvState, seen: Observation) -> list[Unmet]:
    """Give what is unmet, but for requirements that are missing or wrong themselves."""
    wrong = {
        each.name
        for each in requirements(seen)
        if each.name not in venv.distributions
        or each.met_by(venv.distributions[each.name][0]) is False
    }
    return [one for one in venv.unmet if one.name not in wrong and one.of not in wrong]


def _hurt(seen: Observation) -> bool:
    """Tell whether the service suffers: it does not run well, or something was not importable."""
    service = seen.service
    if _answered_500(seen) or not isinstance(service, ServiceState):
        return _answered_500(seen)
    imports = ("ImportError", "ModuleNotFoundError", "AttributeError: module")
    failed = any(said.startswith(imports) for said in service.exceptions)
    return failed or not service.active or is_looping(seen, service)


def _answered_500(seen: Observation) -> bool:
    return (getattr(seen.login, "status", None) or 0) >= 500


def _fit_together(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Have pip find versions that fit: of what the files ask for it sees the whole tree."""
    venv = _sound(seen)
    assert venv is not None and backend.venv is not None  # noqa: S101, PT018
    files = [word for file in backend.venv.requirements for word in ("-r", file)]
    wrong = [one.name for one in venv.unmet]
    yield pip(backend, venv, files, what=f"pip install {' '.join(files)}", wrong=wrong)


def _passlib(backend: Backend, seen: Observation) -> Finding | None:
    """Find a bcrypt that passlib cannot use, where it is seen that it does: others may use it."""
    venv = _sound(seen)
    if venv is None or not {"passlib", "bcrypt"} <= venv.distributions.keys():
        return None
    has = {name: venv.distributions[name][0] for name in ("passlib", "bcrypt")}
    said = getattr(seen.service, "exceptions", ())
    used = any(line.startswith(_REFUSED) for line in said)
    if not used or _release(has["passlib"]) > (1, 7) or _release(has["bcrypt"]) < (5,):
        return None
    pins = [each for each in requirements(seen) if each.name == "bcrypt" and not _allows_4(each)]
    return Finding(
        f"passlib {has['passlib']} cannot use bcrypt {has['bcrypt']}: it refuses every password",
        subject=venv.path,
        seen=f"{_REFUSED}, whatever its length",
        expected=_USABLE,
        remedy=f"{pins[0]} ({pins[0].place}): ask for {_USABLE} there"
        if pins
        else f"pip installs {_USABLE}; say so in the requirements",
        by_person=bool(pins),
    )


def _release(version: str) -> tuple[int, ...]:
    """Give the first two numbers of a version."""
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def _allows_4(asked: Requirement) -> bool:
    return any(asked.met_by(version) for version in ("4.0.1", "4.1.3", "4.2.1", "4.3.0"))


def _usable_bcrypt(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    venv = _sound(seen)
    assert venv is not None and backend.venv is not None  # noqa: S101, PT018
    files = [word for file in backend.venv.requirements for word in ("-r", file)]
    what = f"pip install '{_USABLE}'"
    yield pip(backend, venv, [*files, _USABLE], what=what, wrong=["bcrypt"])


FILES_MISSING = Fault(
    "venv.files-missing",
    _files_missing,
    _reinstall,
    about="modules of a requirement are gone, though it is installed",
    remedy="pip installs it anew, in the version that it has",
    check=(
        "runuser -u USER -- VENV/bin/python -I -m pip show -f PACKAGE",
        "ls VENV/lib/python3*/site-packages",
    ),
)
BROKEN_SET = Fault(
    "venv.broken-set",
    _broken_set,
    _fit_together,
    about="distributions do not fit together",
    remedy="pip installs what fits; not while the service works all the same",
    check=("runuser -u USER -- VENV/bin/python -I -m pip check",),
)
PASSLIB_WITHOUT_BCRYPT = Fault(
    "venv.passlib-without-bcrypt",
    _passlib,
    _usable_bcrypt,
    about="passlib cannot use the bcrypt that is installed, and refuses every password",
    remedy=f"pip installs {_USABLE}",
    check=(
        "runuser -u USER -- VENV/bin/python -I -m pip list | grep -iE 'passlib|bcrypt'",
        "journalctl -u UNIT -n 80 | grep 'longer than 72 bytes'",
    ),
)
