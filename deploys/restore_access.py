"""Restore access: find out why nobody can log in, mend exactly that, prove it with a login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyinfra.api import deploy

from relogin import early
from relogin.deploys.backends import each_backend
from relogin.parts.runtime import Compose
from relogin.report.text import verdict_at_exit

if TYPE_CHECKING:
    from relogin.backend import Backend


@deploy("Restore access")
def restore_access() -> None:
    """Mend every layer of every backend of the host, in order; only the login decides."""
    for backend in each_backend():
        verdict_at_exit("restore")
        early.begin(backend)  # what the operations need is loaded while the host is at work
        configured(backend)
        kept(backend)
        served(backend)


def configured(backend: Backend) -> None:
    """Mend what the backend is started with."""
    from relogin.operations import env_file, image, jwt, machine, venv

    name = backend.name
    machine.sound(backend=backend, name=f"{name}: ensure the machine is sound", _ignore_errors=True)
    venv.dependencies(
        backend=backend, name=f"{name}: ensure venv dependencies", _ignore_errors=True
    )
    if isinstance(backend.service, Compose):
        image.current(
            backend=backend, name=f"{name}: ensure the image is today's", _ignore_errors=True
        )
    env_file.keys(backend=backend, name=f"{name}: ensure .env keys", _ignore_errors=True)
    jwt.secret(backend=backend, name=f"{name}: ensure the JWT secret", _ignore_errors=True)


def kept(backend: Backend) -> None:
    """Mend its database, and the users in it."""
    from relogin.operations import accounts, migrations, postgres, volumes

    name = backend.name
    if isinstance(backend.service, Compose):
        volumes.there(
            backend=backend, name=f"{name}: say which volumes are missing", _ignore_errors=True
        )
    postgres.ready(
        backend=backend, name=f"{name}: ensure the database is ready", _ignore_errors=True
    )
    migrations.at_head(
        backend=backend, name=f"{name}: ensure the schema is the code's", _ignore_errors=True
    )
    accounts.present(
        backend=backend, name=f"{name}: ensure users exist and can log in", _ignore_errors=True
    )


def served(backend: Backend) -> None:
    """Mend its service, what needs it, and prove the login."""
    from relogin.operations import accounts, login, service

    name = backend.name
    service.running(backend=backend, name=f"{name}: ensure the service runs", _ignore_errors=True)
    if accounts.need_the_service(backend):
        accounts.present(
            backend=backend,
            name=f"{name}: ensure users exist, by the backend's own request",
            _ignore_errors=True,
        )
    login.verified(backend=backend, name=f"{name}: verify the token")


if __name__ == "builtins":
    restore_access()
