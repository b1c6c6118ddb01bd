"""The backend's own commands in a container of its Docker Compose project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import shell
from relogin.facts.compose_script import compose_function
from relogin.facts.service_state import ServiceState
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relogin.backend import Backend
    from relogin.facts.observation import Observation

_LONG = 1500  # seconds that a restore's commands may take


def inside(
    backend: Backend,
    seen: Observation,
    directory: str,
    words: list[str],
    environment: Mapping[str, str],
    secrets: Mapping[str, str],
    published: tuple[str, int] | None,
    data: str,
) -> str:
    """Give the script that runs a command as the backend would run it today.

    In its container, where that runs on today's image and values; else in one of its own, which
    is gone afterwards. A `directory` that is the project's, on the host, is the image's own. What
    is `published` has one of that name, and its port on the host's loopback address. `secrets`
    reach the container's shell by its stdin, and so does what `data` writes, for the command.
    """
    part = backend.service
    assert isinstance(part, Compose)  # noqa: S101 # who calls this has looked
    where = [] if directory == backend.directory else ["-w", directory]
    public = [word for key, value in environment.items() for word in ("-e", f"{key}={value}")]
    options = ["-T", *where, *public]
    script = f"{shell.exported(secrets)}exec {shell.words(words)}\n"
    if secrets:
        words = shell.reading(data=bool(data))
    if published is None and _is_of_today(part, seen):
        run, limit = ["exec", *options, part.service, *words], _LONG if secrets else 290
    else:
        named, limit = _named(published)
        first, *others = words
        once = ["run", "--rm", "--no-deps", *named, *options, "--entrypoint", first]
        run = [*once, part.service, *others]
    asked = f"compose {shell.words(run)}"
    asked = shell.fed(script, asked, data) if secrets else f"{asked} </dev/null"
    return f"{compose_function(part, limit=limit)}\n{asked}"


def _named(published: tuple[str, int] | None) -> tuple[list[str], int]:
    """Give the options of a container that listens, and for how many seconds it may run."""
    if published is None:
        return [], 290
    name, port = published
    return ["--name", name, "--publish", f"127.0.0.1:{port}:{port}"], _LONG


def _is_of_today(part: Compose, seen: Observation) -> bool:
    state = seen.service
    project = state.project if isinstance(state, ServiceState) else None
    own = project.container(part.service) if project is not None else None
    if own is None or project is None or own.state != "running" or own.image != project.image:
        return False
    assert isinstance(state, ServiceState)  # noqa: S101 # it has the project
    return not project.differing(part.service, state.environ)
