"""Make the tables, area by area: accounts first, which the others point at."""

from pathlib import Path

from alembic import op

revision = "74a0"
down_revision = None
AREAS = ("accounts", "access", "chat", "oauth", "sms", "analytics")


def upgrade() -> None:
    for area in AREAS:
        text = (Path(__file__).parents[1] / "tables" / f"{area}.sql").read_text()
        for statement in text.split(";\n"):
            if statement.strip():
                op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the first revision is not taken back")
