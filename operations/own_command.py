"""The backend's own commands: its migrations, the one that makes an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin import shell
from relogin.operations import compose_command
from relogin.parts.runtime import Compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relogin.backend import Backend
    from relogin.facts.observation import Observation


def as_owner(
    backend: Backend,
    seen: Observation,
    directory: str,
    words: list[str],
    *,
    secrets: Mapping[str, str] | None = None,
    published: tuple[str, int] | None = None,
    data: str = "",
    **environment: str,
) -> str:
    """Give the script that runs one of the backend's own commands as the owner of its folder.

    Of a Docker Compose project it runs in a container, where that folder is. What only its process
    manager gives the backend, it gets as well: the values of env files that the backend does not
    read itself, and `secrets`. They reach its shell by stdin, so they are in no argv. What
    `environment` holds is no secret. `published` is for what listens: the name of a container of
    its own, and the port of it that the host alone reaches. `data` is a shell command whose output
    is its standard input, where there are secrets.
    """
    if isinstance(backend.service, Compose):
        return compose_command.inside(
            backend, seen, directory, words, environment, secrets or {}, published, data
        )
    public = shell.words(["HOME=/", *(f"{key}={value}" for key, value in environment.items())])
    owner = f'as_user "$(stat -Lc %U {shell.quote(directory)})" env {public}'
    given = {**_environment(backend, seen), **(secrets or {})}
    if not given:
        run = ["sh", "-c", 'cd "$0" && exec "$@"', directory, *words]
        return f"{owner} {shell.words(run)}"
    script = f"{shell.exported(given)}cd {shell.quote(directory)} && exec {shell.words(words)}\n"
    return shell.fed(script, f"{owner} {shell.words(shell.reading(data=bool(data)))}", data)


def _environment(backend: Backend, seen: Observation) -> dict[str, str]:
    from relogin.operations.env_values import readable

    given: dict[str, str] = {}
    for declared, state in readable(backend, seen):
        if "python-dotenv" not in declared.readers:
            given |= {key: value for key, value in state.values.items() if value is not None}
    return given
