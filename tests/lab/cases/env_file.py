"""Faults of the env file: how each is made, and what may differ once it is mended."""

from .case import BACKEND, ENV, UNDO, Case, env

# what is not declared cannot be made anew
LOST = tuple(f"env:{key}" for key in ("SMTP_", "QUOTED", "INDENTED", "EMPTY", "LOG_LEVEL"))

MENDED: tuple[Case, ...] = (
    Case(
        "env_file.missing",
        f"mv {BACKEND}/.env {BACKEND}/.env.away",
        (*ENV, *LOST, *UNDO, f"file:{BACKEND}/.env.away"),
        name="env_file.missing, its values still in the running process",
    ),
    Case(
        "env_file.missing",
        f"mv {BACKEND}/.env {BACKEND}/.env.away; systemctl restart halext-api; sleep 2",
        (
            *(*ENV, *LOST, *UNDO, f"file:{BACKEND}/.env.away"),
            *("env:SECRET_KEY", "env:DATABASE_URL", "role-verifier:halext_user"),
        ),
        restless=("unit:halext-api",),
        name="env_file.missing, its values nowhere any more",
    ),
    Case(
        "env_file.missing",
        f"cd {BACKEND}; mkdir shared; mv .env shared/.env.away; ln -s shared/.env .env\n"
        "systemctl restart halext-api; sleep 2",
        (
            *(*ENV, *LOST, *UNDO, f"file:{BACKEND}/shared"),
            *("env:SECRET_KEY", "env:DATABASE_URL", "role-verifier:halext_user"),
        ),
        restless=("unit:halext-api",),
        name="env_file.missing, a link that leads nowhere",
    ),
    Case(
        "env_file.wrong-owner",
        f"chown root:root {BACKEND}/.env; systemctl restart halext-api; sleep 2",
        UNDO,
        restless=("unit:halext-api",),
    ),
    Case("env_file.key-missing", env("sed -i /^ACCESS_CODE=/d .env"), (*ENV, *UNDO)),
    Case("env_file.key-empty", env("sed -i 's/^ACCESS_CODE=.*/ACCESS_CODE=/' .env"), (*ENV, *UNDO)),
    Case(
        "env_file.key-not-declared-value",
        env("sed -i 's/^ACCESS_CODE=.*/ACCESS_CODE=of-last-year/' .env"),
        (*ENV, *UNDO),
    ),
    Case(
        "env_file.key-not-declared-value",
        env("sed -i 's#/halext_org#/halext_dev#' .env"),
        (*ENV, *UNDO),
        name="env_file.key-not-declared-value, another database in DATABASE_URL",
    ),
    Case(
        "env_file.key-not-declared-value",
        env("sed -i 's/^DEV_MODE=.*/DEV_MODE=true/' .env"),
        (*ENV, *UNDO),
        name="env_file.key-not-declared-value, DEV_MODE",
    ),
    Case("env_file.readable-by-others", f"chmod 644 {BACKEND}/.env", (ENV[0], *UNDO)),
)
PERSONS: tuple[Case, ...] = ()
