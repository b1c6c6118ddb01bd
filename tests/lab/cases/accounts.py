"""Faults of the accounts: how each is made, and what may differ once it is mended."""

import argon2

from tests.lab import canaries

from .case import BACKEND, PSQL, UNDO, Case, code

IN_HALEXT = f"{PSQL} -d halext_org"
ARGON2 = argon2.PasswordHasher(1, 1024, 1).hash(canaries.OPS_PASSWORD)

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
        "accounts.hash-unusable",
        f"{IN_HALEXT} -c 'UPDATE users SET hashed_password = left(hashed_password, 50)"
        " WHERE id = 1'",
        ("row:halext_org.public.users:1", *UNDO),
        name="accounts.hash-unusable, cut off",
    ),
    Case(
        "accounts.hash-unusable",
        f"{IN_HALEXT} -c 'UPDATE users SET hashed_password = quote_literal(hashed_password)"
        " WHERE id = 1'",
        ("row:halext_org.public.users:1", *UNDO),
        name="accounts.hash-unusable, in quotes",
    ),
    Case(
        "accounts.hash-foreign",
        f"""{IN_HALEXT} <<'SQL'
        UPDATE users SET hashed_password = '{ARGON2}' WHERE id = 1
SQL""",
        ("row:halext_org.public.users:1", *UNDO),
    ),
    Case(
        "accounts.unverified",
        f"""{IN_HALEXT} -c 'ALTER TABLE users ADD is_verified boolean NOT NULL DEFAULT true' \\
 -c 'UPDATE users SET is_verified = false WHERE id = 1'
        cd {BACKEND}
        sed -i 's/^    is_active: .*/&\\n    is_verified: Mapped[bool]/' models.py
        """
        + code("if not user.is_active:", "if not (user.is_active and user.is_verified):"),
        (*(f"{kind}:halext_org.public.users" for kind in ("row", "table")), f"file:{BACKEND}/"),
        profile="accounts=_replace(_example.accounts,"
        " columns=_replace(_example.accounts.columns, verified='is_verified'))",
    ),
    Case(
        "accounts.admin-lost",
        f"{PSQL} -d halext_org -c 'UPDATE users SET is_admin = false WHERE id = 1'",
        UNDO,
    ),
)
# bcrypt of "test123"
TEST123 = "$2b$04$2j2Xz7xFvyCiLaax9t4jVuXTMz5dO5Qsq9wZQnHLzmYXfwmpuR89K"
PERSONS: tuple[Case, ...] = (
    Case(
        "accounts.table-missing",
        f"{IN_HALEXT} -c 'ALTER TABLE users RENAME TO users_old'",
    ),
    Case(
        "accounts.column-missing",
        f"{IN_HALEXT} -c 'ALTER TABLE users RENAME is_admin TO administrator'",
    ),
    Case(
        "accounts.name-differs",
        f"{IN_HALEXT} -c \"UPDATE users SET username = 'Ops ' WHERE id = 1\"",
    ),
    Case(
        "accounts.name-differs",
        f"{IN_HALEXT} -c \"UPDATE users SET username = U&'\\043Eps' WHERE id = 1\"",
        name="accounts.name-differs, a letter of another script",
    ),
    Case(
        "accounts.ambiguous",
        f"""{IN_HALEXT} -c 'ALTER TABLE users DROP CONSTRAINT users_username_key' -c "
        INSERT INTO users (username, email, hashed_password)
        SELECT username, 'second@example.com', hashed_password FROM users WHERE id = 1"
        """,
        works=True,
    ),
    Case(
        "accounts.email-differs",
        f"{IN_HALEXT} -c \"UPDATE users SET email = 'OPS@example.com' WHERE id = 1\"",
        works=True,
    ),
    Case(
        "accounts.default-account",
        f"""{IN_HALEXT} <<'SQL'
        INSERT INTO users (username, email, hashed_password)
        VALUES ('admin', 'admin@example.com', '{TEST123}')
SQL""",
        works=True,
    ),
    Case(
        "accounts.others-hash-unusable",
        f'{IN_HALEXT} -c "UPDATE users SET hashed_password = left(hashed_password, 50)'
        " WHERE username IN ('ada', 'ken')\"",
        works=True,
    ),
)
