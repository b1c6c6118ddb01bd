"""Faults of the accounts: how each is made, and what may differ once it is mended."""

from .case import PSQL, UNDO, Case

MENDED: tuple[Case, ...] = (
    Case(
        "accounts.missing",
        f"{PSQL} -d halext_org -c \"DELETE FROM users WHERE username = 'ops'\"",
        ("row:halext_org.public.users:", "value:halext_org.public.users_id_seq"),
        stays=("row:halext_org.public.users:", "value:halext_org.public.users_id_seq"),
    ),
    Case(
        "accounts.inactive",
        f'{PSQL} -d halext_org -c "UPDATE users SET is_active = false WHERE id = 1"',
        UNDO,
    ),
    Case(
        "accounts.password-differs",
        f"""{PSQL} -d halext_org <<'SQL'
        UPDATE users SET hashed_password = (SELECT hashed_password FROM users
          WHERE username <> 'ops' ORDER BY id LIMIT 1) WHERE username = 'ops'
SQL""",
        ("row:halext_org.public.users:1", *UNDO),
    ),
    Case(
        "accounts.hash-unusable",
        f"{PSQL} -d halext_org -c \"UPDATE users SET hashed_password = 'plaintext' WHERE id = 1\"",
        ("row:halext_org.public.users:1", *UNDO),
    ),
    Case(
        "accounts.admin-lost",
        f"{PSQL} -d halext_org -c 'UPDATE users SET is_admin = false WHERE id = 1'",
        UNDO,
    ),
)
PERSONS: tuple[Case, ...] = ()
