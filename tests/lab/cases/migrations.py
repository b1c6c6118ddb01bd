"""Faults of the migrations: how each is made, and what may differ once it is mended."""

from .case import BACKEND, PSQL, RESTART, UNDO, Case

VERSIONS = f"{BACKEND}/migrations/versions"
IN_HALEXT = f"{PSQL} -d halext_org"
MADE = ("row:halext_org.", "value:halext_org.", "table:halext_org.", "sequence:halext_org.")


def revision(name: str, down: str, upgrade: str = "pass") -> str:
    """Add a revision file, as a deployment of newer code would."""
    return f"""cat >{VERSIONS}/{name}_more.py <<'PYTHON'
from alembic import op
import sqlalchemy as sa

revision = "{name}"
down_revision = {down}


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    pass
PYTHON
chown halext: {VERSIONS}/{name}_more.py
"""


NICKNAME = revision("0002", '"0001"', 'op.add_column("users", sa.Column("nickname", sa.String))')
FILES = (f"file:{BACKEND}/migrations",)

MENDED: tuple[Case, ...] = (
    Case("migrations.behind", NICKNAME, (*FILES, *MADE, *UNDO), stays=MADE),
    Case(
        "migrations.behind",
        NICKNAME + revision("0003", '"0001"') + revision("0004", '("0002", "0003")'),
        (*FILES, *MADE, *UNDO),
        stays=MADE,
        name="migrations.behind, by a merge of two branches",
    ),
    Case(
        "postgres.schema-create-missing",
        f"{PSQL} -c 'ALTER DATABASE halext_org OWNER TO postgres'\n"
        + revision("0002", '"0001"', 'op.create_table("notes", sa.Column("id", sa.Integer))'),
        (*FILES, *MADE, "database:halext_org", "schema:halext_org.public", *UNDO),
        stays=MADE,
    ),
    Case(
        "migrations.never-run",
        f"systemctl stop halext-api\n{IN_HALEXT} -c 'DROP TABLE users, alembic_version'\n{RESTART}",
        (*MADE, *UNDO),
        stays=MADE,
    ),
)
PERSONS: tuple[Case, ...] = (
    Case(
        "migrations.broken-tree",
        revision("0002", '"0001"') + revision("0003", '"of_another_branch"'),
        works=True,
    ),
    Case(
        "migrations.unknown-revision",
        f"{IN_HALEXT} -c \"UPDATE alembic_version SET version_num = '0042'\"",
        works=True,
    ),
    Case(
        "migrations.overlapping-rows",
        revision("0002", '"0001"')
        + f"{IN_HALEXT} -c \"INSERT INTO alembic_version VALUES ('0002')\"",
        works=True,
    ),
    Case(
        "migrations.several-heads",
        revision("0002", '"0001"') + revision("0003", '"0001"'),
        works=True,
    ),
    Case("migrations.not-stamped", f"{IN_HALEXT} -c 'DROP TABLE alembic_version'", works=True),
    Case(
        "migrations.behind",
        revision("0002", '"0001"', 'op.drop_column("users", "full_name")'),
        works=True,
        name="migrations.behind, and it would delete a column",
    ),
)
