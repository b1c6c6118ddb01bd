"""Rotate a secret: say what it means, and, once confirmed, put a new one in force and prove it."""

from __future__ import annotations

from pyinfra.api import deploy

from relogin.deploys.backends import each_backend
from relogin.operations import rotate as operations
from relogin.report.text import verdict_at_exit


@deploy("Rotate a secret")
def rotate_secret() -> None:
    """Rotate the secret of `--data key=…` on each host that `--data confirm=HOST/KEY` names."""
    for backend in each_backend():
        verdict_at_exit("rotate")
        operations.rotated(backend=backend, name=f"{backend.name}: rotate a secret")


if __name__ == "builtins":
    rotate_secret()
