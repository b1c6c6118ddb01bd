"""Let an account ask for a second factor."""

import sqlalchemy as sa
from alembic import op

revision = "74b0"
down_revision = "74a0"


def upgrade() -> None:
    asked = sa.Column("mfa_required", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("users", asked)


def downgrade() -> None:
    op.drop_column("users", "mfa_required")
