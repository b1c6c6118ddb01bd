"""Ensure that the backend's image is what its project's files ask for today."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from pyinfra.api import FunctionCommand, operation

from relogin import shell, undo
from relogin.facts.compose_image import ImageState
from relogin.facts.service_state import ServiceState
from relogin.fault import Change, Fault
from relogin.finding import Finding, Severity
from relogin.mend import mend
from relogin.operations import compose_build
from relogin.operations.image_code import CODE_BROKEN, PACKAGE_WITHOUT_INIT
from relogin.operations.service_down import stays_up
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from relogin.backend import Backend
    from relogin.facts.compose_state import Container
    from relogin.facts.observation import Observation

_BUILDING = 900  # seconds
# What passlib's last release, 1.7.4, makes of any password with bcrypt 5, which refuses more than
# 72 bytes: passlib tries such a one first.
_TOO_NEW = 5


def _of_today(
    judge: Callable[[Observation, ImageState], Finding | Iterator[Finding] | None],
) -> Callable[[Backend, Observation], Finding | Iterator[Finding] | None]:
    """Ask only where the container is made from today's image: else that is the fault."""

    def detect(backend: Backend, seen: Observation) -> Finding | Iterator[Finding] | None:
        own = _container(backend, seen)
        if own is None or not isinstance(seen.image, ImageState):
            return None
        return judge(seen, seen.image)

    return detect


def _container(backend: Backend, seen: Observation) -> Container | None:
    state = seen.service
    project = state.project if isinstance(state, ServiceState) else None
    if project is None or not isinstance(backend.service, Compose):
        return None
    own = project.container(backend.service.service)
    return own if own is not None and own.image == project.image else None


def _newer(seen: Observation, image: ImageState) -> Iterator[Finding]:
    lacking = _lacks_a_module(seen)
    for one in image.asked:
        if one.changed:
            yield Finding(
                f"{one.path} asks for what the image was not built with",
                subject=one.path,
                seen="; ".join(filter(None, (", ".join(one.changed), lacking))),
                remedy=_REBUILT,
                severity=Severity.CRITICAL if lacking else Severity.WARNING,
            )


_REBUILT = "the image is built anew, and the former one tagged first"


def _lacks_a_module(seen: Observation) -> str:
    """Say what a container that does not stay up cannot import."""
    state = seen.service
    if not isinstance(state, ServiceState) or stays_up(seen, state):
        return ""
    return next((one for one in reversed(state.exceptions) if one.startswith(_IMPORTING)), "")


_IMPORTING = ("ModuleNotFoundError", "ImportError")


def _pair(seen: Observation, image: ImageState) -> Finding | None:
    has = image.versions
    if not {"bcrypt", "passlib"} <= has.keys() or _release(has["bcrypt"]) < _TOO_NEW:
        return None
    pins = [one for file in image.asked for one in file.today or () if one.name == "bcrypt"]
    good = any(one.met_by(has["bcrypt"]) is False for one in pins)
    return Finding(
        f"passlib {has['passlib']} in the image cannot use its bcrypt {has['bcrypt']}:"
        " it refuses every password",
        subject="bcrypt",
        seen=", ".join(f"{one} ({one.place})" for one in pins) or "no requirement says which",
        expected="a bcrypt before 5, which passlib can use",
        remedy=_REBUILT if good else "pin bcrypt==4.0.1 in the requirements, and build the image",
        by_person=not good,
    )


def _release(version: str) -> int:
    first = version.partition(".")[0]
    return int(first) if first.isdigit() else 0


def _rebuild(backend: Backend, seen: Observation, finding: Finding) -> Iterator[Change]:
    """Build the image by the project's own files; that of today keeps a tag, so it is not lost.

    The container is made anew from it by the service's layer, once all that it needs is sound.
    """
    part, own = backend.service, _container(backend, seen)
    assert isinstance(part, Compose) and own is not None  # noqa: S101, PT018 # there is a finding
    former = f"{_repository(own.tag)}:before-{undo.run_id()}"
    build = f"""\
docker tag {shell.words([own.image, former])} || exit
{compose_build.built(part, limit=_BUILDING)}"""
    what = f"the image of {part.service}, built anew (the former one is {former})"
    why = f"docker compose build {part.service}; the former image is {former}"
    yield Change(undo.stays(backend, build, what), why, deadline=_BUILDING + 30)


def _repository(image: str) -> str:
    """Give an image's name without its tag: a colon before a slash is a registry's port."""
    name, _, tag = image.rpartition(":")
    return image if not name or "/" in tag else name


REQUIREMENTS_NEWER = Fault(
    "image.requirements-newer",
    _of_today(_newer),
    _rebuild,
    about="the requirements ask for what the image was not built with",
    remedy="it is built anew by the project's files; the former image keeps a tag",
    check=("docker compose exec -T SERVICE pip freeze", "docker compose images"),
)
PASSLIB_WITHOUT_BCRYPT = Fault(
    "image.passlib-without-bcrypt",
    _of_today(_pair),
    _rebuild,
    about="passlib cannot use the bcrypt in the image, and refuses every password",
    remedy="where a good one is pinned the image is built anew; else pin bcrypt==4.0.1",
    check=("docker compose exec -T SERVICE pip freeze | grep -iE 'passlib|bcrypt'",),
)
FAULTS = (CODE_BROKEN, PACKAGE_WITHOUT_INIT, REQUIREMENTS_NEWER, PASSLIB_WITHOUT_BCRYPT)


@operation()
def current(backend: Backend) -> Generator[FunctionCommand, None, None]:
    """Ensure that the image of a Docker Compose backend has what its requirements ask for.

    + backend: the backend, as its inventory describes it
    """
    yield from mend(backend, FAULTS)
