"""Run migrations on the database that the backend's `.env` names."""

from alembic import context
from database import engine
from models import Base

with engine().connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
