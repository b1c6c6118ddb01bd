"""Faults of the migrations: how each is made, and what may differ once it is mended."""

from .case import Case
from .words import PSQL, RESTART, UNDO

HEAD = '"<head>"'
VERSIONS = "<root>/<versions>"
IN_HALEXT = f"{PSQL} -d <database>"
MADE = ("row:<database>.", "value:<database>.", "table:<database>.", "sequence:<database>.")


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
chown <user>: {VERSIONS}/{name}_more.py
"""


NICKNAME = revision(
    "0002", HEAD, 'op.add_column(<table>, sa.Column("nickname", sa.String)<in-schema>)'
)
FILES = ("file:<root>/<versions>",)

MENDED: tuple[Case, ...] = (
    Case("migrations.behind", NICKNAME, (*FILES, *MADE, *UNDO), stays=MADE),
    Case(
        "migrations.behind",
        NICKNAME + revision("0003", HEAD) + revision("0004", '("0002", "0003")'),
        (*FILES, *MADE, *UNDO),
        stays=MADE,
        name="migrations.behind, by a merge of two branches",
    ),
    Case(
        "postgres.schema-create-missing",
        f"{PSQL} -c 'ALTER DATABASE <database> OWNER TO postgres'\n"
        + revision("0002", HEAD, 'op.create_table("notes", sa.Column("id", sa.Integer))'),
        (*FILES, *MADE, "database:<database>", "schema:<database>.<schema>", *UNDO),
        stays=MADE,
    ),
    Case(
        "migrations.never-run",
        f"<stop>\n{IN_HALEXT} -c 'DROP TABLE <all-tables>, <alembic>'\n{RESTART}",
        (*MADE, *UNDO),
        stays=MADE,
    ),
)
PERSONS: tuple[Case, ...] = (
    Case(
        "migrations.broken-tree",
        revision("0002", HEAD) + revision("0003", '"of_another_branch"'),
        works=True,
    ),
    Case(
        "migrations.unknown-revision",
        f"{IN_HALEXT} -c \"UPDATE <alembic> SET version_num = '0042'\"",
        works=True,
    ),
    Case(
        "migrations.overlapping-rows",
        revision("0002", HEAD) + f"{IN_HALEXT} -c \"INSERT INTO <alembic> VALUES ('0002')\"",
        works=True,
    ),
    Case(
        "migrations.several-heads",
        revision("0002", HEAD) + revision("0003", HEAD),
        works=True,
    ),
    Case("migrations.not-stamped", f"{IN_HALEXT} -c 'DROP TABLE <alembic>'", works=True),
    Case(
        "migrations.behind",
        revision("0002", HEAD, 'op.drop_column(<table>, "<spare>"<in-schema>)'),
        works=True,
        name="migrations.behind, and it would delete a column",
    ),
)
