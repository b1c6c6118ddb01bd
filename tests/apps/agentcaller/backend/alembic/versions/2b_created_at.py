"""Say since when there is a user."""

import sqlalchemy as sa
from alembic import op

revision = "2b"
down_revision = "1a"


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column(
            "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
    )


def downgrade() -> None:
    op.drop_column("users", "created_at")
