"""Faults of the JWT secret: how each is made, and what may differ once it is mended."""

from .case import BACKEND, ENV, UNDO, Case, env

MENDED: tuple[Case, ...] = (
    Case(
        "jwt.secret-missing",
        f"sed -i /^SECRET_KEY=/d {BACKEND}/.env",
        (*ENV, *UNDO),
        name="jwt.secret-missing, still in the running process",
    ),
    Case(
        "jwt.secret-missing",
        env("sed -i /^SECRET_KEY=/d .env"),
        (*ENV, *UNDO, "env:SECRET_KEY"),
        name="jwt.secret-missing, nowhere any more",
    ),
)
PERSONS: tuple[Case, ...] = ()
