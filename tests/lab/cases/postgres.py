"""Faults of the database server: how each is made, and what may differ once it is mended."""

from .case import PSQL, RESTART, UNDO, Case

MENDED: tuple[Case, ...] = (
    Case("postgres.server-down", "systemctl stop 'postgresql@*-main.service'"),
    Case(
        "postgres.role-missing",
        f"{PSQL} -d halext_org -c 'REASSIGN OWNED BY halext_user TO postgres' "
        "-c 'DROP OWNED BY halext_user'\n"
        f"{PSQL} -c 'DROP ROLE halext_user'\n{RESTART}",
        (
            *("role-verifier:halext_user", "database:halext_org", "schema:halext_org."),
            *("table:halext_org.", "sequence:halext_org."),
        ),
        stays=(
            *("role:halext_user", "role-verifier:halext_user", "database:halext_org"),
            *("schema:halext_org.", "table:halext_org.", "sequence:halext_org."),
        ),
    ),
    Case(
        "postgres.role-password-differs",
        f"{PSQL} -c \"ALTER ROLE halext_user PASSWORD 'of-yesterday'\"\n{RESTART}",
        ("role-verifier:halext_user", *UNDO),
    ),
    Case(
        "postgres.role-password-differs",
        f"{PSQL} -c 'ALTER ROLE halext_user PASSWORD NULL'\n{RESTART}",
        ("role-verifier:halext_user", *UNDO),
        name="postgres.role-password-differs, the role has none",
    ),
    Case(
        "postgres.database-missing",
        f"systemctl stop halext-api\n{PSQL} -c 'DROP DATABASE halext_org'\n{RESTART}",
        ("row:halext_org.", "value:halext_org.", "table:halext_org.", "sequence:halext_org."),
        stays=(
            *("database:halext_org", "schema:halext_org.", "table:halext_org."),
            *("sequence:halext_org.", "row:halext_org.", "value:halext_org."),
        ),
    ),
    Case(
        "postgres.role-cannot-login",
        f"{PSQL} -c 'ALTER ROLE halext_user NOLOGIN'\n{RESTART}",
        UNDO,
    ),
)
PERSONS: tuple[Case, ...] = ()
