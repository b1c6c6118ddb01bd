"""Onboard: a host with nothing but sshd and sudo becomes one on which people log in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyinfra.api import deploy

from relogin.deploys import restore_access
from relogin.deploys.backends import each_backend
from relogin.parts.runtime import Compose
from relogin.report.text import verdict_at_exit

if TYPE_CHECKING:
    from relogin.backend import Backend


@deploy("Onboard")
def onboard() -> None:
    """Have every backend of the host run there, with what it needs, and prove its login.

    What is there already stays; what a killed run left is completed.
    """
    from relogin.operations import project

    for backend in each_backend():
        verdict_at_exit("onboard")
        _brought(backend)
        restore_access.configured(backend)
        if isinstance(backend.service, Compose):
            project.made(backend=backend, name=f"{backend.name}: ensure the project is made")
            project.up(backend=backend, name=f"{backend.name}: ensure the project is up")
        restore_access.kept(backend)
        restore_access.served(backend)


def _brought(backend: Backend) -> None:
    """Bring what the catalogue's own fixes begin with."""
    from relogin.operations import key_pair, packages, source, system_user, web_server
    from relogin.operations import onboard as operations

    name = backend.name
    operations.possible(backend=backend, name=f"{name}: see whether the host can have it")
    packages.installed(backend=backend, name=f"{name}: ensure packages")
    system_user.there(backend=backend, name=f"{name}: ensure the system's user")
    source.laid(backend=backend, name=f"{name}: ensure the source")
    key_pair.made(backend=backend, name=f"{name}: ensure the keys of its tokens")
    web_server.serves(backend=backend, name=f"{name}: ensure that nginx serves it")


if __name__ == "builtins":
    onboard()
