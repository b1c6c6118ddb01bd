"""Code in the image that Python cannot read or import: file and line are named to a person."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from relogin.facts.service_state import ServiceState
from relogin.fault import Fault
from relogin.finding import Finding
from relogin.operations import by_hand
from relogin.operations.service_down import stays_up
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_PLACE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
_UNREADABLE = re.compile(r"\b(?P<said>(?:IndentationError|TabError|SyntaxError): .*)")
# What Python says of a name that a folder without __init__.py cannot have (a namespace package);
# and of a package that is not there, as where setuptools has left such a folder out
# (find_packages, setuptools.pypa.io/en/latest/userguide/package_discovery.html).
_NAMESPACE = re.compile(
    r"ImportError: cannot import name '(?P<name>[^']+)' from '(?P<package>[\w.]+)'"
    r" \(unknown location\)|ModuleNotFoundError: No module named '(?P<module>\w+(?:\.\w+)+)'"
)


def _of_the_last_start(
    shape: re.Pattern[str], told: Callable[[re.Match[str], str], Finding | None]
) -> Callable[[Backend, Observation], Finding | None]:
    """Ask the log of a container that does not stay up: what is raised last ended it."""

    def detect(backend: Backend, seen: Observation) -> Finding | None:
        state = seen.service
        if not isinstance(backend.service, Compose) or not isinstance(state, ServiceState):
            return None
        if stays_up(seen, state) or not isinstance(state.log, tuple):
            return None
        if state.exceptions and shape.search(state.exceptions[-1]) is None:
            return None
        found = _last(shape, told, state.log)
        return found and dataclasses.replace(
            found, remedy=found.remedy.replace("{built}", by_hand.built(backend.service))
        )

    return detect


def _last(
    shape: re.Pattern[str],
    told: Callable[[re.Match[str], str], Finding | None],
    log: tuple[str, ...],
) -> Finding | None:
    place, found = "", None
    for line in log:
        if (at := _PLACE.search(line)) is not None:
            place = f"{at['file']}, line {at['line']}"
        elif (said := shape.search(line)) is not None:
            found = told(said, place)
    return found


def _broken(said: re.Match[str], place: str) -> Finding:
    return Finding(
        f"the backend's code cannot be read: {place}",
        subject=place,
        seen=said["said"][:200],
        remedy=f"correct {place}, then build the image and start it: {{built}}",
    )


def _without_init(said: re.Match[str], place: str) -> Finding | None:
    if said["module"]:
        return _not_there(said["module"], place)
    folder = said["package"].replace(".", "/")
    return Finding(
        f"{folder} has no __init__.py, so nothing can be imported from it",
        subject=folder,
        seen=f"{place}: cannot import {said['name']} from {said['package']} (unknown location)",
        remedy=f"add {folder}/__init__.py, then build the image and start it: {{built}}",
    )


def _not_there(module: str, place: str) -> Finding | None:
    """Find a part of a package of the backend's own: what imports it lies in the same package."""
    package, *_ = module.split(".")
    if package not in place.partition(",")[0].split("/")[:-1]:
        return None
    part = module.replace(".", "/")
    return Finding(
        f"{part} is not there, or has no __init__.py, so it cannot be imported",
        subject=part,
        seen=f"{place}: No module named '{module}'",
        remedy=f"see that {part}.py or {part}/__init__.py is there, and in what is installed: what"
        " collects packages leaves a folder without __init__.py out; then build the image and start"
        " it: {built}",
    )


_LOG = ("docker compose logs --tail 80 SERVICE",)
CODE_BROKEN = Fault(
    "image.code-broken",
    _of_the_last_start(_UNREADABLE, _broken),
    about="Python cannot read the backend's code (IndentationError, SyntaxError)",
    remedy="file and line are named to you",
    check=_LOG,
)
PACKAGE_WITHOUT_INIT = Fault(
    "image.package-without-init",
    _of_the_last_start(_NAMESPACE, _without_init),
    about="a package of the backend's code has lost its __init__.py, and an import fails",
    remedy="the folder, and the file and line that import from it, are named to you",
    check=_LOG,
)
