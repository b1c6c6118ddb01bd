"""Faults of the JWT secret: how each is made, and what may differ once it is mended."""

from .case import Case
from .words import (
    ANY_COMMAND,
    BACKEND,
    ENV,
    NOTHING,
    RESTART,
    UNDO,
    code,
    drop_in,
    env,
    overridden,
)

MENDED: tuple[Case, ...] = (
    Case(
        "jwt.secret-missing",
        "sed -i /^<secret>=/d <environment-file>",
        (*ENV, *UNDO),
        name="jwt.secret-missing, still in the running process",
    ),
    Case(
        "jwt.secret-empty",
        f"sed -i 's/^<secret>=.*/<secret>=/' {BACKEND}/.env",
        (*ENV, *UNDO),
    ),
    Case(
        "jwt.secret-missing",
        env("sed -i /^<secret>=/d .env"),
        (*ENV, *UNDO, "env:SECRET_KEY"),
        name="jwt.secret-missing, nowhere any more",
    ),
)
# What KillMode=process leaves behind of an earlier start.
LEFT_BEHIND = """[Service]
ExecStartPost=/bin/sh -c "<secret>=another-secret-of-an-earlier-start-9f3 sleep 1000 &\""""


def secret(value: str) -> str:
    """Write another secret and restart on it."""
    return env(f"sed -i 's/^<secret>=.*/<secret>={value}/' .env")


PERSONS: tuple[Case, ...] = (
    Case(
        "jwt.running-on-other-secret",
        overridden("<secret>", "another-secret-than-the-files-7c2"),
        profile=ANY_COMMAND,
    ),
    Case("jwt.secret-per-process", drop_in("left", LEFT_BEHIND) + RESTART, works=True),
    Case(
        "jwt.known-default",
        secret("09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"),
        works=True,
    ),
    Case("jwt.secret-weak", secret("kQ7zXw2mVb9LrT4c"), works=True),
    Case(
        "jwt.secret-not-declared",
        NOTHING,
        profile="env_file=_keys(<secret>=_Secret.command('echo of-another-host-4b1f9a07c3de5826'))",
        works=True,
    ),
    Case(
        "jwt.hard-coded-fallback",
        code("<reads-secret>", "<reads-secret-or>", file="<secret-file>"),
        works=True,
    ),
)
