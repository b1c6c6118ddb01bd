"""Run migrations on the database that the settings name."""

from ai_receptionist.core.database import Base, engine
from alembic import context

with engine().connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
