"""Release: check, fetch, build beside, switch, prove the login; else go back by itself."""

from __future__ import annotations

from pyinfra import state as current_state
from pyinfra.api import deploy

from relogin import releasing
from relogin.deploys.backends import each_backend
from relogin.operations import release as operations
from relogin.report.text import verdict_at_exit


@deploy("Release")
def release() -> None:
    """Release each backend of the hosts, one host after another, up to the first that fails.

    Hosts come in the order of the inventory.
    """
    releasing.in_order(current_state)
    for backend in each_backend():
        verdict_at_exit("release")
        operations.released(
            backend=backend, name=f"{backend.name}: release its revision", _serial=True
        )


if __name__ == "builtins":
    release()
