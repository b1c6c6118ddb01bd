"""Restore access: find out why nobody can log in, mend exactly that, prove it with a login."""

from __future__ import annotations

from pyinfra.api import deploy

from relogin.deploys.backends import each_backend
from relogin.operations import (
    accounts,
    env_file,
    image,
    jwt,
    login,
    machine,
    migrations,
    postgres,
    service,
    venv,
    volumes,
)
from relogin.parts.runtime import Compose
from relogin.report.text import verdict_at_exit


@deploy("Restore access")
def restore_access() -> None:
    """Mend every layer of every backend of the host, in order; only the login decides."""
    for backend in each_backend():
        verdict_at_exit("restore")
        name = backend.name
        machine.sound(
            backend=backend, name=f"{name}: ensure the machine is sound", _ignore_errors=True
        )
        venv.dependencies(
            backend=backend, name=f"{name}: ensure venv dependencies", _ignore_errors=True
        )
        if isinstance(backend.service, Compose):
            image.current(
                backend=backend, name=f"{name}: ensure the image is today's", _ignore_errors=True
            )
        env_file.keys(backend=backend, name=f"{name}: ensure .env keys", _ignore_errors=True)
        jwt.secret(backend=backend, name=f"{name}: ensure the JWT secret", _ignore_errors=True)
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
        service.running(
            backend=backend, name=f"{name}: ensure the service runs", _ignore_errors=True
        )
        if accounts.need_the_service(backend):
            accounts.present(
                backend=backend,
                name=f"{name}: ensure users exist, by the backend's own request",
                _ignore_errors=True,
            )
        login.verified(backend=backend, name=f"{name}: verify the token")


if __name__ == "builtins":
    restore_access()
