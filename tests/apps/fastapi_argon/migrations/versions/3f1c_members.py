"""Make the members."""

import sqlalchemy as sa
from alembic import op

revision = "3f1c"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS crm")
    op.create_table(
        "members",
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("email_address", sa.String, nullable=False, unique=True),
        sa.Column("pw_hash", sa.String, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()),
        schema="crm",
    )


def downgrade() -> None:
    op.drop_table("members", schema="crm")
