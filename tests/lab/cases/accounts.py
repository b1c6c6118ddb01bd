"""Faults of the accounts: how each is made, and what may differ once it is mended."""

import argon2

from tests.lab import canaries

from .case import Case
from .words import BACKEND, UNDO, code, sql

ARGON2 = argon2.PasswordHasher(1, 1024, 1).hash(canaries.OPS_PASSWORD)
ROW = "row:<rows>:<id>"

MENDED: tuple[Case, ...] = (
    Case(
        "accounts.missing",
        sql("DELETE FROM <users> WHERE <who>"),
        ("row:<rows>:", "value:<rows>"),
        stays=("row:<rows>:", "value:<rows>"),
    ),
    Case(
        "accounts.inactive",
        sql("UPDATE <users> SET <active> = false WHERE <who>"),
        UNDO,
    ),
    Case(
        "accounts.password-differs",
        sql(
            "UPDATE <users> SET <hash> = (SELECT <hash> FROM <users> WHERE NOT (<who>)"
            " ORDER BY 1 LIMIT 1) WHERE <who>"
        ),
        (ROW, *UNDO),
    ),
    Case(
        "accounts.hash-unusable",
        sql("UPDATE <users> SET <hash> = 'plaintext' WHERE <who>"),
        (ROW, *UNDO),
    ),
    Case(
        "accounts.hash-unusable",
        sql("UPDATE <users> SET <hash> = left(<hash>, 50) WHERE <who>"),
        (ROW, *UNDO),
        name="accounts.hash-unusable, cut off",
    ),
    Case(
        "accounts.hash-unusable",
        sql("UPDATE <users> SET <hash> = quote_literal(<hash>) WHERE <who>"),
        (ROW, *UNDO),
        name="accounts.hash-unusable, in quotes",
    ),
    Case(
        "accounts.hash-foreign",
        sql(f"UPDATE <users> SET <hash> = '{ARGON2}<hash-scheme>' WHERE <who>"),
        (ROW, *UNDO),
    ),
    Case(
        "accounts.unverified",
        sql(
            "ALTER TABLE <users> ADD is_verified boolean NOT NULL DEFAULT true",
            "UPDATE <users> SET is_verified = false WHERE <who>",
        )
        + f"""cd {BACKEND}
        sed -i 's/^    is_active: .*/&\\n    is_verified: Mapped[bool]/' models.py
        """
        + code("if not user.is_active:", "if not (user.is_active and user.is_verified):"),
        (*(f"{kind}:<rows>" for kind in ("row", "table")), f"file:{BACKEND}/"),
        profile="accounts=_replace(_example.accounts,"
        " columns=_replace(_example.accounts.columns, verified='is_verified'))",
    ),
    Case(
        "accounts.admin-lost",
        sql("UPDATE <users> SET <admin> = false WHERE <who>"),
        UNDO,
    ),
)
PERSONS: tuple[Case, ...] = (
    Case(
        "accounts.table-missing",
        sql("ALTER TABLE <users> RENAME TO users_old"),
    ),
    Case(
        "accounts.column-missing",
        sql("ALTER TABLE <users> RENAME <column> TO administrator"),
    ),
    Case(
        "accounts.name-differs",
        sql("UPDATE <users> SET <login> = initcap(<login>) || ' ' WHERE <who>"),
    ),
    Case(
        "accounts.name-differs",
        sql("UPDATE <users> SET <login> = translate(<login>, 'o', U&'\\043E') WHERE <who>"),
        name="accounts.name-differs, a letter of another script",
    ),
    Case(
        "accounts.ambiguous",
        sql(
            "<no-longer-unique>",
            "INSERT INTO <users> (<copied>) SELECT <copy> FROM <users> WHERE <who>",
        ),
        works=True,
    ),
    Case(
        "accounts.email-differs",
        sql(
            "UPDATE <users> SET <email> = upper(left(<email>, 3)) || substr(<email>, 4) WHERE <who>"
        ),
        works=True,
    ),
    Case(
        "accounts.default-account",
        sql("INSERT INTO <users> (<people>) VALUES (<default-account>)"),
        works=True,
    ),
    Case(
        "accounts.others-hash-unusable",
        sql("UPDATE <users> SET <hash> = left(<hash>, 50) WHERE <two-others>"),
        works=True,
    ),
)
