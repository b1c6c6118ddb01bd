"""Note since when somebody is a member."""

import sqlalchemy as sa
from alembic import op

revision = "8a20"
down_revision = "3f1c"


def upgrade() -> None:
    since = sa.Column("joined_at", sa.DateTime(timezone=True), server_default=sa.func.now())
    op.add_column("members", since, schema="crm")


def downgrade() -> None:
    op.drop_column("members", "joined_at", schema="crm")
